using System.Runtime.InteropServices;

namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>
/// Turns a pattern into a deterministic automaton, through Thompson's construction and the subset construction. As JSON
/// Schema has it, a pattern without anchors matches anywhere in the text.
/// </summary>
internal sealed class PatternCompiler
{
    private const int MaxPositions = 50_000;
    private readonly List<List<(Edge Kind, int Target)>> _empty = [];
    private readonly List<(CodePointSet Set, int Target)?> _consuming = [];
    private readonly CompileGuard _guard;
    private readonly string _pointer;

    private PatternCompiler(CompileGuard guard, string pointer)
    {
        _guard = guard;
        _pointer = pointer;
    }

    private enum Edge
    {
        Free,
        AtStart,
        AtEnd,
    }

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="ConstraintException">Not regular, malformed or over budget.</exception>
    public static PatternDfa Compile(string pattern, CompileGuard guard, string pointer)
    {
        PatternNode node = PatternParser.Parse(pattern, pointer);
        PatternCompiler compiler = new(guard, pointer);

        // Anything, the pattern, anything.
        int start = compiler.NewPosition();
        int skip = compiler.NewPosition();
        int body = compiler.NewPosition();
        int match = compiler.NewPosition();
        compiler._empty[start].Add((Edge.Free, skip));
        compiler._empty[start].Add((Edge.Free, body));
        int skipped = compiler.NewPosition();
        compiler._consuming[skip] = (CodePointSet.All, skipped);
        compiler._empty[skipped].Add((Edge.Free, skip));
        compiler._empty[skipped].Add((Edge.Free, body));
        compiler.Add(node, body, match);
        int tail = compiler.NewPosition();
        compiler._empty[match].Add((Edge.Free, tail));
        compiler._consuming[tail] = (CodePointSet.All, match);
        return compiler.Determinize(start, match);
    }

    private int NewPosition()
    {
        if (_empty.Count >= MaxPositions)
        {
            throw new ConstraintException(_pointer, $"the pattern expands to more than {MaxPositions} positions");
        }

        _empty.Add([]);
        _consuming.Add(null);
        return _empty.Count - 1;
    }

    private void Add(PatternNode node, int from, int to)
    {
        _guard.CheckTime(_pointer);
        switch (node)
        {
            case PatternNode.Characters characters:
                _consuming[from] = (characters.Set, to);
                break;
            case PatternNode.AtStart:
                _empty[from].Add((Edge.AtStart, to));
                break;
            case PatternNode.AtEnd:
                _empty[from].Add((Edge.AtEnd, to));
                break;
            case PatternNode.Concatenation concatenation:
                foreach (PatternNode part in concatenation.Parts)
                {
                    int after = NewPosition();
                    Add(part, from, after);
                    from = after;
                }

                _empty[from].Add((Edge.Free, to));
                break;
            case PatternNode.Alternation alternation:
                foreach (PatternNode branch in alternation.Branches)
                {
                    int entry = NewPosition();
                    _empty[from].Add((Edge.Free, entry));
                    Add(branch, entry, to);
                }

                break;
            case PatternNode.Repetition repetition:
                AddRepetition(repetition, from, to);
                break;
        }
    }

    private void AddRepetition(PatternNode.Repetition repetition, int from, int to)
    {
        for (int i = 0; i < repetition.Min; i++)
        {
            from = AddCopy(repetition.Body, from);
        }

        if (repetition.Max is not { } max)
        {
            int loop = NewPosition();
            _empty[from].Add((Edge.Free, loop));
            int after = AddCopy(repetition.Body, loop);
            _empty[after].Add((Edge.Free, loop));
            _empty[loop].Add((Edge.Free, to));
            return;
        }

        for (int i = repetition.Min; i < max; i++)
        {
            _empty[from].Add((Edge.Free, to));
            from = AddCopy(repetition.Body, from);
        }

        _empty[from].Add((Edge.Free, to));
    }

    private int AddCopy(PatternNode body, int from)
    {
        int entry = NewPosition();
        _empty[from].Add((Edge.Free, entry));
        int after = NewPosition();
        Add(body, entry, after);
        return after;
    }

    private PatternDfa Determinize(int start, int match)
    {
        SortedSet<int> breaks = [0];
        foreach ((CodePointSet Set, int Target)? item in _consuming)
        {
            foreach ((int low, int high) in item?.Set.Ranges ?? [])
            {
                breaks.Add(low);
                breaks.Add(high + 1);
            }
        }

        // Surrogates are in no set, so they get columns without targets.
        breaks.Remove(0x110000);
        int[] columns = [.. breaks];
        List<int[]> next = [];
        List<bool> final = [];
        Dictionary<string, int> ids = [];
        Queue<int[]> queue = new();
        Id(Closure([start], true, false));
        bool isFirst = true;
        while (queue.TryDequeue(out int[]? positions))
        {
            // An accepting set is recognised with the end anchors open; the first one with the start anchors too.
            final.Add(Closure(positions, isFirst, true).Contains(match));
            int[] row = new int[columns.Length];
            Array.Fill(row, -1);
            List<int>?[] targets = new List<int>?[columns.Length];
            foreach (int position in positions)
            {
                if (_consuming[position] is not { } edge)
                {
                    continue;
                }

                foreach ((int low, int high) in edge.Set.Ranges)
                {
                    for (int c = Array.BinarySearch(columns, low); c < columns.Length && columns[c] <= high; c++)
                    {
                        (targets[c] ??= []).Add(edge.Target);
                    }
                }
            }

            for (int c = 0; c < columns.Length; c++)
            {
                if (targets[c] is { } list)
                {
                    row[c] = c > 0 && targets[c - 1] is { } before && before.SequenceEqual(list) ? row[c - 1] : Id(Closure(list, false, false));
                }
            }

            next.Add(row);
            isFirst = false;
        }

        return new PatternDfa(columns, next, final);

        int Id(int[] positions)
        {
            // The start set differs from an equal later one by its anchors, so it has its own name.
            string key = (ids.Count == 0 ? "^" : "") + new string(MemoryMarshal.Cast<int, char>(positions));
            if (!ids.TryGetValue(key, out int id))
            {
                id = ids.Count;
                ids.Add(key, id);
                queue.Enqueue(positions);
                _guard.AddStates(1 + (positions.Length / 16), _pointer);
            }

            return id;
        }
    }

    private int[] Closure(IReadOnlyList<int> positions, bool atStart, bool atEnd)
    {
        HashSet<int> seen = [.. positions];
        Stack<int> open = new(seen);
        while (open.TryPop(out int position))
        {
            _guard.CheckTime(_pointer);
            foreach ((Edge kind, int target) in _empty[position])
            {
                bool passes = kind == Edge.Free || (kind == Edge.AtStart && atStart) || (kind == Edge.AtEnd && atEnd);
                if (passes && seen.Add(target))
                {
                    open.Push(target);
                }
            }
        }

        int[] result = [.. seen];
        Array.Sort(result);
        return result;
    }
}
