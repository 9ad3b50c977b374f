namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>
/// A deterministic automaton over code points that matches whole texts. Column k of <see cref="Next"/> is for the code
/// points from <see cref="Breaks"/>[k] up to the next break; state 0 starts; -1 is no way on.
/// </summary>
internal sealed class PatternDfa(int[] breaks, List<int[]> next, List<bool> final)
{
    /// <summary>Where columns begin; the first is 0.</summary>
    public int[] Breaks { get; } = breaks;

    /// <summary>Targets by state and column.</summary>
    public List<int[]> Next { get; } = next;

    /// <summary>Whether a text may end in a state.</summary>
    public List<bool> Final { get; } = final;

    /// <summary>All texts with a number of characters within bounds.</summary>
    public static PatternDfa Length(int min, int? max, CompileGuard guard, string pointer)
    {
        int last = max ?? min;
        guard.AddStates(last, pointer);
        List<int[]> next = [.. Enumerable.Range(0, last + 1).Select(i => new[] { i < last ? i + 1 : max is null ? i : -1 })];
        return new PatternDfa([0], next, [.. Enumerable.Range(0, last + 1).Select(i => i >= min)]);
    }

    /// <summary>Texts that both match.</summary>
    public PatternDfa Intersect(PatternDfa other, CompileGuard guard, string pointer) =>
        Combine(other, guard, pointer, static (a, b) => a && b, false);

    /// <summary>Texts that this matches and the other does not.</summary>
    public PatternDfa Except(PatternDfa other, CompileGuard guard, string pointer) =>
        Combine(other, guard, pointer, static (a, b) => a && !b, true);

    /// <summary>Whether a text matches.</summary>
    public bool Matches(string text)
    {
        int state = 0;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            state = Step(state, rune.Value);
            if (state < 0)
            {
                return false;
            }
        }

        return Final[state];
    }

    /// <summary>The state after a code point, or -1.</summary>
    public int Step(int state, int codePoint)
    {
        int at = Array.BinarySearch(Breaks, codePoint);
        return Next[state][at < 0 ? ~at - 1 : at];
    }

    /// <summary>Whether no text matches.</summary>
    public bool IsEmpty() => !Final.Contains(true);

    private PatternDfa Combine(PatternDfa other, CompileGuard guard, string pointer, Func<bool, bool, bool> accept, bool keepsDead)
    {
        int[] breaks = [.. Breaks.Union(other.Breaks).Order()];
        int[] mine = [.. breaks.Select(value => Column(Breaks, value))];
        int[] theirs = [.. breaks.Select(value => Column(other.Breaks, value))];
        List<int[]> next = [];
        List<bool> final = [];
        Dictionary<(int A, int B), int> ids = [];
        Queue<(int A, int B)> queue = new();
        Id(0, 0);
        while (queue.TryDequeue(out (int A, int B) pair))
        {
            int[] row = new int[breaks.Length];
            for (int i = 0; i < row.Length; i++)
            {
                int a = Next[pair.A][mine[i]];
                int b = pair.B < 0 ? -1 : other.Next[pair.B][theirs[i]];
                row[i] = a < 0 || (b < 0 && !keepsDead) ? -1 : Id(a, b);
            }

            next.Add(row);
            final.Add(accept(Final[pair.A], pair.B >= 0 && other.Final[pair.B]));
        }

        return new PatternDfa(breaks, next, final);

        int Id(int a, int b)
        {
            if (!ids.TryGetValue((a, b), out int id))
            {
                id = ids.Count;
                ids.Add((a, b), id);
                queue.Enqueue((a, b));
                guard.AddStates(1, pointer);
            }

            return id;
        }

        static int Column(int[] breaks, int value)
        {
            int at = Array.BinarySearch(breaks, value);
            return at < 0 ? ~at - 1 : at;
        }
    }
}
