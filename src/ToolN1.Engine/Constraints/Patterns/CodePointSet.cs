using System.Globalization;

namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>A set of Unicode scalar values as sorted, disjoint, inclusive ranges. Surrogates are never members.</summary>
internal sealed class CodePointSet
{
    private static readonly Lazy<List<(int Low, int High)>[]> Categories = new(ReadCategories);

    private CodePointSet(List<(int Low, int High)> ranges) => Ranges = ranges;

    /// <summary>The ranges.</summary>
    public IReadOnlyList<(int Low, int High)> Ranges { get; }

    /// <summary>Every scalar value.</summary>
    public static CodePointSet All { get; } = Create([(0, 0x10FFFF)]);

    /// <summary>What a dot stands for: all but line terminators.</summary>
    public static CodePointSet Dot { get; } = Create([('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)]).Complement();

    /// <summary>ASCII digits.</summary>
    public static CodePointSet Digit { get; } = Create([('0', '9')]);

    /// <summary>ASCII letters, digits and the underscore.</summary>
    public static CodePointSet Word { get; } = Create([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    /// <summary>White space to every regular-expression engine.</summary>
    public static CodePointSet Space { get; } = Create([(9, 13), (32, 32)]);

    /// <summary>White space to some: ECMAScript's white space and line terminators.</summary>
    public static CodePointSet WidestSpace { get; } = Create(
        [(9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);

    /// <summary>Builds a set from any ranges.</summary>
    public static CodePointSet Create(IEnumerable<(int Low, int High)> ranges)
    {
        List<(int Low, int High)> merged = [];
        foreach ((int low, int high) in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.Low))
        {
            if (merged.Count > 0 && low <= merged[^1].High + 1)
            {
                merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            }
            else
            {
                merged.Add((low, high));
            }
        }

        return new CodePointSet(merged);
    }

    /// <summary>The characters of a Unicode general category ("L", "Lu", …); null for an unknown name.</summary>
    public static CodePointSet? Category(string name)
    {
        const string Names = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn";
        int[] wanted = [.. Names.Split(' ').Index().Where(item => item.Item.StartsWith(name, StringComparison.Ordinal)).Select(item => item.Index)];
        return name.Length is 0 or > 2 || wanted.Length == 0 ? null : Create(wanted.SelectMany(category => Categories.Value[category]));
    }

    /// <summary>All other scalar values.</summary>
    public CodePointSet Complement()
    {
        List<(int Low, int High)> ranges = [];
        int from = 0;
        foreach ((int low, int high) in Ranges)
        {
            if (low > from)
            {
                ranges.Add((from, low - 1));
            }

            from = high + 1;
        }

        if (from <= 0x10FFFF)
        {
            ranges.Add((from, 0x10FFFF));
        }

        return Create(ranges);
    }

    private static List<(int Low, int High)>[] ReadCategories()
    {
        List<(int Low, int High)>[] categories = [.. Enum.GetValues<UnicodeCategory>().Select(_ => new List<(int Low, int High)>())];
        for (int value = 0; value <= 0x10FFFF; value++)
        {
            List<(int Low, int High)> ranges = categories[(int)CharUnicodeInfo.GetUnicodeCategory(value)];
            if (ranges.Count > 0 && ranges[^1].High == value - 1)
            {
                ranges[^1] = (ranges[^1].Low, value);
            }
            else
            {
                ranges.Add((value, value));
            }
        }

        return categories;
    }

    private static IEnumerable<(int Low, int High)> WithoutSurrogates((int Low, int High) range)
    {
        if (range.Low < 0xD800)
        {
            yield return (range.Low, Math.Min(range.High, 0xD7FF));
        }

        if (range.High > 0xDFFF)
        {
            yield return (Math.Max(range.Low, 0xE000), range.High);
        }
    }
}
