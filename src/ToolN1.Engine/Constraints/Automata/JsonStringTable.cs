namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// One character of a JSON string, in bytes: raw UTF-8 (no overlong forms, no surrogates, no control characters) or an
/// escape; a surrogate escape only as a pair. State 0 lies between characters; the closing quote is not part of it.
/// </summary>
internal static class JsonStringTable
{
    private const int AnyContinuation = 13;
    private const int TwoContinuations = 15;

    /// <summary>Sub-states.</summary>
    public const int States = 20;

    /// <summary>Bytes by which a token within a string may lengthen its shortest end: it may begin a pair of escapes.</summary>
    public const int MaxGrowth = 12;

    /// <summary>Target by state and byte (state · 256 + byte), or -1. Includes every escape.</summary>
    public static ReadOnlySpan<sbyte> All => AllTable;

    /// <summary>As <see cref="All"/>, but only the escapes that JSON cannot do without, so that equal texts have equal bytes.</summary>
    public static ReadOnlySpan<sbyte> Canonical => CanonicalTable;

    /// <summary>Fewest bytes from a state to the end of its character.</summary>
    public static ReadOnlySpan<byte> Distance => [0, 1, 4, 3, 3, 2, 8, 1, 7, 6, 5, 4, 3, 1, 2, 2, 2, 3, 3, 3];

    private static readonly sbyte[] AllTable = Build(true);
    private static readonly sbyte[] CanonicalTable = Build(false);

    private static sbyte[] Build(bool allEscapes)
    {
        sbyte[] table = new sbyte[States * 256];
        Array.Fill(table, (sbyte)-1);
        void On(int state, int low, int high, int target)
        {
            for (int value = low; value <= high; value++)
            {
                table[(state * 256) + value] = (sbyte)target;
            }
        }

        void Hex(int state, string digits, int target)
        {
            foreach (char digit in digits)
            {
                On(state, digit, digit, target);
            }
        }

        const string Digits = "0123456789abcdefABCDEF";
        On(0, 0x20, 0x7F, 0);
        On(0, '"', '"', -1);
        On(0, '\\', '\\', 1);
        On(0, 0xC2, 0xDF, AnyContinuation);
        On(0, 0xE0, 0xE0, 14);
        On(0, 0xE1, 0xEF, TwoContinuations);
        On(0, 0xED, 0xED, 16);
        On(0, 0xF0, 0xF0, 17);
        On(0, 0xF1, 0xF3, 18);
        On(0, 0xF4, 0xF4, 19);
        On(AnyContinuation, 0x80, 0xBF, 0);
        On(14, 0xA0, 0xBF, AnyContinuation);
        On(TwoContinuations, 0x80, 0xBF, AnyContinuation);
        On(16, 0x80, 0x9F, AnyContinuation);
        On(17, 0x90, 0xBF, TwoContinuations);
        On(18, 0x80, 0xBF, TwoContinuations);
        On(19, 0x80, 0x8F, TwoContinuations);
        Hex(1, "\"\\bfnrt", 0);
        if (allEscapes)
        {
            // \uXXXX; D800–DBFF (6, 8) must be followed by \uDC00–\uDFFF (9 to 12).
            Hex(1, "/", 0);
            Hex(1, "u", 2);
            Hex(2, Digits, 3);
            Hex(2, "dD", 4);
            Hex(3, Digits, 5);
            Hex(4, "01234567", 5);
            Hex(4, "89abAB", 6);
            Hex(5, Digits, 7);
            Hex(7, Digits, 0);
            Hex(6, Digits, 8);
            Hex(8, Digits, 9);
            Hex(9, "\\", 10);
            Hex(10, "u", 11);
            Hex(11, "dD", 12);
            Hex(12, "cdefCDEF", 5);
        }

        return table;
    }
}
