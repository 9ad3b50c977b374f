using System.Globalization;
using System.Text;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// Unicode normalization form C from an embedded table. The process runs with the invariant culture, in which
/// <see cref="string.Normalize()"/> returns its input unchanged, and a machine with only the .NET SDK may have no ICU.
/// </summary>
/// <remarks>Unicode Standard Annex #15; the table is of Unicode 14 (build/unicode-canonical.py).</remarks>
internal sealed class CanonicalComposition
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<CanonicalComposition> Table = new(Load);

    private readonly Dictionary<int, byte> _combiningClass = [];
    private readonly Dictionary<int, (int First, int Second)> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly HashSet<int> _needsWork = [];

    private CanonicalComposition()
    {
    }

    /// <summary>The text in form C. A lone surrogate becomes U+FFFD, as it would in UTF-8.</summary>
    public static string Normalize(string text)
    {
        // Nothing below U+0300 combines or decomposes in form C; surrogates lie above.
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', '\u02FF') < 0)
        {
            return text;
        }

        return Table.Value.NormalizeCore(text);
    }

    private string NormalizeCore(string text)
    {
        bool clean = true;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value >= 0x300 && (_needsWork.Contains(rune.Value) || rune.Value == Rune.ReplacementChar.Value))
            {
                clean = false;
                break;
            }
        }

        if (clean)
        {
            return text;
        }

        List<int> codes = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes);
        }

        Reorder(codes);
        Compose(codes);
        StringBuilder result = new(text.Length);
        foreach (int code in codes)
        {
            result.Append(new Rune(code).ToString());
        }

        return result.ToString();
    }

    private void Decompose(int code, List<int> output)
    {
        int hangul = code - HangulBase;
        if (hangul is >= 0 and < HangulCount)
        {
            output.Add(LeadBase + (hangul / (VowelCount * TrailCount)));
            output.Add(VowelBase + (hangul % (VowelCount * TrailCount) / TrailCount));
            if (hangul % TrailCount != 0)
            {
                output.Add(TrailBase + (hangul % TrailCount));
            }
        }
        else if (_decompositions.TryGetValue(code, out (int First, int Second) parts))
        {
            Decompose(parts.First, output);
            if (parts.Second != 0)
            {
                Decompose(parts.Second, output);
            }
        }
        else
        {
            output.Add(code);
        }
    }

    private void Reorder(List<int> codes)
    {
        for (int start = 0; start < codes.Count; start++)
        {
            if (Class(codes[start]) == 0)
            {
                continue;
            }

            int end = start + 1;
            while (end < codes.Count && Class(codes[end]) != 0)
            {
                end++;
            }

            // A stable sort of each run of marks by combining class.
            if (end - start > 1)
            {
                int[] sorted = [.. codes[start..end].OrderBy(Class)];
                for (int i = 0; i < sorted.Length; i++)
                {
                    codes[start + i] = sorted[i];
                }
            }

            start = end;
        }
    }

    private void Compose(List<int> codes)
    {
        int write = 0, starter = -1, lastClass = 0;
        for (int read = 0; read < codes.Count; read++)
        {
            int code = codes[read];
            int combiningClass = Class(code);
            bool blocked = starter >= 0 && starter != write - 1 && lastClass >= combiningClass;
            if (starter >= 0 && !blocked && TryCompose(codes[starter], code, out int composed))
            {
                codes[starter] = composed;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = write;
            }

            lastClass = combiningClass;
            codes[write++] = code;
        }

        codes.RemoveRange(write, codes.Count - write);
    }

    private bool TryCompose(int first, int second, out int composed)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
        {
            composed = HangulBase + ((((first - LeadBase) * VowelCount) + (second - VowelBase)) * TrailCount);
            return true;
        }

        if (first - HangulBase is >= 0 and < HangulCount && (first - HangulBase) % TrailCount == 0
            && second - TrailBase is > 0 and < TrailCount)
        {
            composed = first + (second - TrailBase);
            return true;
        }

        return _compositions.TryGetValue((first, second), out composed);
    }

    private int Class(int code) => code < 0x300 ? 0 : _combiningClass.GetValueOrDefault(code);

    private static CanonicalComposition Load()
    {
        CanonicalComposition table = new();
        using Stream stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("unicode-canonical.txt")
            ?? throw new InvalidOperationException("The resource unicode-canonical.txt is missing from the assembly.");
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] fields = line.Split(' ');
            switch (fields[0])
            {
                case "c":
                    for (int code = Hex(fields[1]); code <= Hex(fields[2]); code++)
                    {
                        table._combiningClass[code] = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                        table._needsWork.Add(code);
                    }

                    break;
                case "d" or "x":
                    (int First, int Second) parts = (Hex(fields[2]), fields.Length > 3 ? Hex(fields[3]) : 0);
                    table._decompositions[Hex(fields[1])] = parts;
                    if (fields[0] == "x")
                    {
                        table._needsWork.Add(Hex(fields[1]));
                    }
                    else
                    {
                        table._compositions[parts] = Hex(fields[1]);
                        table._needsWork.Add(parts.Second);
                    }

                    break;
            }
        }

        table._needsWork.UnionWith(Enumerable.Range(VowelBase, VowelCount));
        table._needsWork.UnionWith(Enumerable.Range(TrailBase + 1, TrailCount - 1));
        return table;
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
