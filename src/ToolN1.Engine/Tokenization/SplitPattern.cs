using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// A pre-tokenizer's regular expression. tokenizer.json holds them in Oniguruma's dialect; the part of it that means the
/// same in .NET is accepted, anything else is refused, so that a text is never split in another way than in training.
/// Characters beyond U+FFFF count as one character of their own category, which .NET's engine alone would not do.
/// </summary>
internal sealed class SplitPattern
{
    /// <summary>The pattern of GPT-2, which a ByteLevel pre-tokenizer applies by itself.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    // Case-insensitive groups are accepted in these two well-known forms only; Unicode folds U+017F into s.
    private static readonly (string Theirs, string Ours)[] CaseInsensitiveGroups =
    [
        ("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "(?:'[sS\u017F]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"),
        ("(?i:[sdmt]|ll|ve|re)", "(?:[sdmtSDMT\u017F]|[lL][lL]|[vV][eE]|[rR][eE])"),
    ];

    private static readonly HashSet<string> Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No",
        "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp",
    ];

    // One character of the basic plane for each category that occurs beyond it; none is named by an accepted pattern.
    private static readonly Dictionary<UnicodeCategory, char> StandIns = new()
    {
        [UnicodeCategory.UppercaseLetter] = '\u0100',
        [UnicodeCategory.LowercaseLetter] = '\u0101',
        [UnicodeCategory.TitlecaseLetter] = '\u01C5',
        [UnicodeCategory.ModifierLetter] = '\u02B0',
        [UnicodeCategory.OtherLetter] = '\u01BB',
        [UnicodeCategory.NonSpacingMark] = '\u0300',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u0488',
        [UnicodeCategory.DecimalDigitNumber] = '\u0660',
        [UnicodeCategory.LetterNumber] = '\u2160',
        [UnicodeCategory.OtherNumber] = '\u00B2',
        [UnicodeCategory.Format] = '\u00AD',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.OtherNotAssigned] = '\u0378',
        [UnicodeCategory.ConnectorPunctuation] = '\u203F',
        [UnicodeCategory.DashPunctuation] = '\u2010',
        [UnicodeCategory.OpenPunctuation] = '\u0F3A',
        [UnicodeCategory.ClosePunctuation] = '\u0F3B',
        [UnicodeCategory.InitialQuotePunctuation] = '\u00AB',
        [UnicodeCategory.FinalQuotePunctuation] = '\u00BB',
        [UnicodeCategory.OtherPunctuation] = '\u00A1',
        [UnicodeCategory.MathSymbol] = '\u00AC',
        [UnicodeCategory.CurrencySymbol] = '\u00A2',
        [UnicodeCategory.ModifierSymbol] = '\u00A8',
        [UnicodeCategory.OtherSymbol] = '\u00A6',
    };

    private readonly Regex _regex;

    private SplitPattern(Regex regex) => _regex = regex;

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="NotSupportedException">It holds a construct that is outside the accepted part; the message names it.</exception>
    public static SplitPattern Create(string pattern)
    {
        try
        {
            return new SplitPattern(new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.Compiled));
        }
        catch (RegexParseException exception)
        {
            throw new NotSupportedException($"the regular expression does not parse ({exception.Error} at {exception.Offset})", exception);
        }
    }

    /// <summary>Adds the pieces of a text, matches and what lies between them, in order; none is empty.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="offset">Added to the pieces' places.</param>
    /// <param name="pieces">Receives place and length.</param>
    public void Split(ReadOnlySpan<char> text, int offset, List<(int Offset, int Length)> pieces)
    {
        int[]? places = null;
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') >= 0)
        {
            text = WithStandIns(text, out places);
        }

        int Place(int index) => offset + (places is null ? index : places[index]);
        int done = 0;
        foreach (ValueMatch match in _regex.EnumerateMatches(text))
        {
            if (match.Length == 0)
            {
                continue;
            }

            if (match.Index > done)
            {
                pieces.Add((Place(done), Place(match.Index) - Place(done)));
            }

            done = match.Index + match.Length;
            pieces.Add((Place(match.Index), Place(done) - Place(match.Index)));
        }

        if (done < text.Length)
        {
            pieces.Add((Place(done), Place(text.Length) - Place(done)));
        }
    }

    private static ReadOnlySpan<char> WithStandIns(ReadOnlySpan<char> text, out int[] places)
    {
        char[] shadow = new char[text.Length];
        places = new int[text.Length + 1];
        int length = 0, at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            places[length] = at;
            shadow[length++] = rune.IsBmp ? (char)rune.Value : StandIns[Rune.GetUnicodeCategory(rune)];
            at += rune.Utf16SequenceLength;
        }

        places[length] = at;
        return shadow.AsSpan(0, length);
    }

    private static string Translate(string pattern)
    {
        StringBuilder output = new(pattern.Length + 32);
        int at = 0;
        while (at < pattern.Length)
        {
            (string theirs, string ours) = Array.Find(CaseInsensitiveGroups, group => string.CompareOrdinal(pattern, at, group.Theirs, 0, group.Theirs.Length) == 0);
            if (theirs is not null)
            {
                output.Append(ours);
                at += theirs.Length;
                continue;
            }

            int length = pattern[at] switch
            {
                '(' => GroupOpening(pattern, at),
                '[' => CharacterClass(pattern, at),
                '\\' => Escape(pattern, at),
                '?' or '*' or '+' or '{' => Quantifier(pattern, at),
                '|' or ')' => 1,
                '.' or '^' or '$' or ']' or '}' => throw Unsupported(pattern, at, 1),
                < ' ' or > '~' => throw Unsupported(pattern, at, 1),
                _ => 1,
            };
            output.Append(pattern, at, length);
            at += length;
        }

        return output.ToString();
    }

    private static int GroupOpening(string pattern, int at)
    {
        if (at + 1 >= pattern.Length || pattern[at + 1] != '?')
        {
            return 1;
        }

        return at + 2 < pattern.Length && pattern[at + 2] is ':' or '!' or '='
            ? 3
            : throw Unsupported(pattern, at, 4);
    }

    private static int CharacterClass(string pattern, int start)
    {
        int at = start + 1;
        if (at < pattern.Length && pattern[at] == '^')
        {
            at++;
        }

        for (bool first = true; at < pattern.Length; first = false)
        {
            switch (pattern[at])
            {
                case ']' when !first:
                    return at + 1 - start;
                case '\\':
                    at += Escape(pattern, at);
                    break;
                case '[' or ']' or '&' or '^' or < ' ' or > '~':
                    throw Unsupported(pattern, at, 1);
                default:
                    at++;
                    break;
            }
        }

        throw Unsupported(pattern, start, pattern.Length - start);
    }

    private static int Escape(string pattern, int at)
    {
        char next = at + 1 < pattern.Length ? pattern[at + 1] : '\0';
        if (next is 'p' or 'P' && at + 2 < pattern.Length && pattern[at + 2] == '{')
        {
            int end = pattern.IndexOf('}', at);
            return end > 0 && Categories.Contains(pattern[(at + 3)..end]) ? end + 1 - at : throw Unsupported(pattern, at, 8);
        }

        bool known = next is 's' or 'S' or 'r' or 'n' or 't' || (char.IsAscii(next) && (char.IsPunctuation(next) || char.IsSymbol(next)));
        return known ? 2 : throw Unsupported(pattern, at, 2);
    }

    private static int Quantifier(string pattern, int start)
    {
        int at = start + 1;
        if (pattern[start] == '{')
        {
            Match braces = Regex.Match(pattern[start..], @"\A\{[0-9]{1,3}(,[0-9]{0,3})?\}");
            at = braces.Success ? start + braces.Length : throw Unsupported(pattern, start, 8);
            if (at < pattern.Length && pattern[at] == '?')
            {
                throw Unsupported(pattern, start, at + 1 - start);
            }
        }
        else if (at < pattern.Length && pattern[at] == '?')
        {
            at++;
        }

        // A possessive + has no counterpart in .NET; elsewhere a second quantifier is an error there.
        return at < pattern.Length && pattern[at] is '+' or '*' or '{' ? throw Unsupported(pattern, start, at + 1 - start) : at - start;
    }

    private static NotSupportedException Unsupported(string pattern, int at, int length) =>
        new($"the regular expression holds '{pattern.Substring(at, Math.Min(length, pattern.Length - at))}' at position {at}, which is not supported");
}
