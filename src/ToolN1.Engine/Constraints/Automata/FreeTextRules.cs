using System.Text;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Free text and the tag that ends it, as automata over bytes (Knuth, Morris, Pratt).</summary>
internal static class FreeTextRules
{
    /// <summary>Anything up to and including the first occurrence of a tag; state k has seen k bytes of it.</summary>
    public static TableRule Until(string tag) => Build(tag, true);

    /// <summary>Any text in which the tag does not occur.</summary>
    public static TableRule Without(string tag) => Build(tag, false);

    private static TableRule Build(string tag, bool until)
    {
        byte[] text = Encoding.UTF8.GetBytes(tag);
        List<int[]> rows = [];
        List<bool> final = [];
        for (int state = 0; state <= text.Length; state++)
        {
            int[] row = new int[256];
            Array.Fill(row, -1);
            for (int value = 0; value < 256 && state < text.Length; value++)
            {
                int next = Longest(text, state, (byte)value);
                row[value] = next == text.Length && !until ? -1 : next;
            }

            rows.Add(row);
            final.Add(until == (state == text.Length));
        }

        return TableRule.Create(rows, final, isFreeText: true);
    }

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
