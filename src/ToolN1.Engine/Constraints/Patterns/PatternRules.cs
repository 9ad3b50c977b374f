using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>
/// Writes an automaton over code points as one over the bytes of a JSON string, quotes included. Each character has one
/// spelling: UTF-8, or the short escape where JSON demands one; other control characters are left out.
/// </summary>
internal sealed class PatternRules
{
    private readonly PatternDfa _dfa;
    private readonly CompileGuard _guard;
    private readonly string _pointer;
    private readonly List<int[]> _rows = [];
    private readonly List<bool> _final = [];
    private readonly Dictionary<string, int> _shared = [];

    private PatternRules(PatternDfa dfa, CompileGuard guard, string pointer)
    {
        _dfa = dfa;
        _guard = guard;
        _pointer = pointer;
    }

    /// <summary>Builds the rule; it matches nothing where no text matches.</summary>
    public static TableRule Build(PatternDfa dfa, CompileGuard guard, string pointer)
    {
        PatternRules builder = new(dfa, guard, pointer);
        return builder.Build();
    }

    private TableRule Build()
    {
        // Row 0 is before the quote, row 1 the end, row 2 + k is state k between two characters.
        for (int i = 0; i < 2 + _dfa.Next.Count; i++)
        {
            NewRow();
        }

        _final[1] = true;
        _rows[0]['"'] = 2;
        for (int state = 0; state < _dfa.Next.Count; state++)
        {
            int[] row = _rows[2 + state];
            if (_dfa.Final[state])
            {
                row['"'] = 1;
            }

            for (int value = 0x20; value < 0x80; value++)
            {
                if (value is not ('"' or '\\'))
                {
                    row[value] = Target(state, value);
                }
            }

            row['\\'] = Escapes(state);
            for (int lead = 0xC2; lead <= 0xF4; lead++)
            {
                (int bits, int length) = lead < 0xE0 ? (lead & 0x1F, 1) : lead < 0xF0 ? (lead & 0x0F, 2) : (lead & 0x07, 3);
                int low = bits << (6 * length);
                int width = 1 << (6 * length);
                int smallest = length == 1 ? 0x80 : length == 2 ? 0x800 : 0x10000;
                row[lead] = low >= smallest && low + width <= 0x110000 && IsUniform(low, width)
                    ? Uniform(Target(state, low), length)
                    : Continuation(state, low, low + width - 1, length, smallest);
            }
        }

        return TableRule.Create(_rows, _final, RuleShape.String);
    }

    private int Escapes(int state)
    {
        (char Letter, int Value)[] escapes = [('"', '"'), ('\\', '\\'), ('b', 8), ('f', 12), ('n', 10), ('r', 13), ('t', 9)];
        int[] row = Empty();
        foreach ((char letter, int value) in escapes)
        {
            row[letter] = Target(state, value);
        }

        return Share(row);
    }

    /// <summary>A row for the continuation bytes of the code points from low to high; -1 when none leads on.</summary>
    private int Continuation(int state, int low, int high, int length, int smallest)
    {
        int[] row = Empty();
        int width = (high - low + 1) / 64;
        for (int i = 0; i < 64; i++)
        {
            int from = low + (i * width);
            if (from + width > smallest && from <= 0x10FFFF)
            {
                row[0x80 + i] = length == 1 ? Target(state, from)
                    : IsUniform(from, width) ? Uniform(Target(state, from), length - 1)
                    : Continuation(state, from, from + width - 1, length - 1, smallest);
            }
        }

        return Share(row);
    }

    private bool IsUniform(int from, int width)
    {
        int at = Array.BinarySearch(_dfa.Breaks, from);
        int column = at < 0 ? ~at - 1 : at;
        return column + 1 == _dfa.Breaks.Length || _dfa.Breaks[column + 1] >= from + width;
    }

    private int Uniform(int target, int length)
    {
        int[] row = Empty();
        row.AsSpan(0x80, 64).Fill(length == 1 ? target : Uniform(target, length - 1));
        return target < 0 ? -1 : Share(row);
    }

    private int Target(int state, int codePoint)
    {
        int next = codePoint is >= 0xD800 and <= 0xDFFF ? -1 : _dfa.Step(state, codePoint);
        return next < 0 ? -1 : 2 + next;
    }

    private int Share(int[] row)
    {
        if (row.AsSpan().IndexOfAnyExcept(-1) < 0)
        {
            return -1;
        }

        string key = new(System.Runtime.InteropServices.MemoryMarshal.Cast<int, char>(row));
        if (!_shared.TryGetValue(key, out int id))
        {
            id = NewRow();
            row.CopyTo(_rows[id], 0);
            _shared.Add(key, id);
        }

        return id;
    }

    private int NewRow()
    {
        _guard.AddStates(1, _pointer);
        _rows.Add(Empty());
        _final.Add(false);
        return _rows.Count - 1;
    }

    private static int[] Empty()
    {
        int[] row = new int[256];
        Array.Fill(row, -1);
        return row;
    }
}
