using System.Text;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Free text and the tag that ends it, as automata over bytes (Knuth, Morris, Pratt).</summary>
internal static class FreeTextRules
{
    /// <summary>Anything up to and including the first occurrence of a tag; state k has seen k bytes of it.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="notFirst">A tag with which the text may not begin, white space aside; null for any beginning.</param>
    public static TableRule Until(string tag, string? notFirst = null) => Build(tag, true, notFirst);

    /// <summary>Any text in which the tag does not occur.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="notFirst">As for <see cref="Until"/>.</param>
    public static TableRule Without(string tag, string? notFirst = null) => Build(tag, false, notFirst);

    /// <summary>Any text that does not begin with a tag, white space aside.</summary>
    public static TableRule NotBeginningWith(string tag) => Build(null, false, tag);

    /// <summary>Any text that begins with a visible character other than <c>&lt;</c>, with which tags begin.</summary>
    public static TableRule Visible()
    {
        int[] first = new int[256];
        int[] more = new int[256];
        Array.Fill(first, -1);
        Array.Fill(first, 1, '!', '~' - '!' + 1);
        Array.Fill(first, 1, 0xC2, 0xF5 - 0xC2);
        first['<'] = -1;
        Array.Fill(more, 1);
        return TableRule.Create([first, more], [false, true], RuleShape.FreeText);
    }

    // A state is how much of the tag was just seen and how much of the forbidden beginning the text consists of so far
    // (-1: it has begun otherwise). Those past the beginning come first, so that state k has seen k bytes of the tag.
    private static TableRule Build(string? tag, bool until, string? notFirst)
    {
        byte[] text = Encoding.UTF8.GetBytes(tag ?? "");
        byte[] forbidden = Encoding.UTF8.GetBytes(notFirst ?? "");
        Dictionary<(int Seen, int Beginning), int> ids = [];
        List<(int Seen, int Beginning)> states = [];
        List<int[]> rows = [];
        if (notFirst is null)
        {
            for (int seen = 0; seen <= text.Length; seen++)
            {
                Id((seen, -1));
            }
        }

        Id((0, notFirst is null ? -1 : 0));
        for (int state = 0; state < states.Count; state++)
        {
            (int seen, int beginning) = states[state];
            int[] row = new int[256];
            Array.Fill(row, -1);
            rows.Add(row);
            bool isEnd = text.Length > 0 && seen == text.Length;
            for (int value = 0; value < 256 && !isEnd; value++)
            {
                int next = text.Length == 0 ? 0 : Longest(text, seen, (byte)value);
                int nextBeginning = Begin(forbidden, beginning, (byte)value);
                bool isForbidden = (forbidden.Length > 0 && nextBeginning == forbidden.Length) || (text.Length > 0 && next == text.Length && !until);
                row[value] = isForbidden ? -1 : Id((next, nextBeginning));
            }
        }

        return TableRule.Create(rows, [.. states.Select(state => until == (text.Length > 0 && state.Seen == text.Length))], RuleShape.FreeText);

        int Id((int Seen, int Beginning) state)
        {
            if (!ids.TryGetValue(state, out int id))
            {
                id = states.Count;
                ids.Add(state, id);
                states.Add(state);
            }

            return id;
        }
    }

    private static int Begin(byte[] forbidden, int beginning, byte value) =>
        beginning < 0 ? -1
        : forbidden[beginning] == value ? beginning + 1
        : beginning == 0 && value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' ? 0
        : -1;

    /// <summary>Length of the longest beginning of the text that ends what was read.</summary>
    private static int Longest(byte[] text, int matched, byte value)
    {
        byte[] read = [.. text.AsSpan(0, matched), value];
        for (int length = read.Length; length > 0; length--)
        {
            if (read.AsSpan(read.Length - length).SequenceEqual(text.AsSpan(0, length)))
            {
                return length;
            }
        }

        return 0;
    }
}
