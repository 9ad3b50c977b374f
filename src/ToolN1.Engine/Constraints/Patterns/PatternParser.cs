using System.Globalization;
using System.Text;

namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>
/// Reads the regular part of ECMA-262's pattern syntax. What no finite automaton can do (look-around, back references)
/// or what we do not implement (word boundaries) is refused, never approximated.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxLength = 10_000;
    private const int MaxNesting = 200;
    private readonly int[] _text;
    private readonly string _pointer;
    private int _at;
    private int _depth;

    private PatternParser(string pattern, string pointer)
    {
        _text = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];
        _pointer = pointer;
    }

    private bool IsEnd => _at == _text.Length;

    private int Current => IsEnd ? -1 : _text[_at];

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="ConstraintException">Malformed, not regular, or too long; the message names the place.</exception>
    public static PatternNode Parse(string pattern, string pointer)
    {
        if (pattern.Length > MaxLength)
        {
            throw new ConstraintException(pointer, $"the pattern is longer than {MaxLength} characters");
        }

        PatternParser parser = new(pattern, pointer);
        PatternNode node = parser.ParseAlternation();
        return parser.IsEnd ? node : throw parser.Error("an unmatched )");
    }

    private PatternNode ParseAlternation()
    {
        if (++_depth > MaxNesting)
        {
            throw Error($"groups nested deeper than {MaxNesting}");
        }

        List<PatternNode> branches = [ParseConcatenation()];
        while (Accept('|'))
        {
            branches.Add(ParseConcatenation());
        }

        _depth--;
        return branches.Count == 1 ? branches[0] : new PatternNode.Alternation(branches);
    }

    private PatternNode.Concatenation ParseConcatenation()
    {
        List<PatternNode> parts = [];
        while (!IsEnd && Current is not ('|' or ')'))
        {
            parts.Add(ParseQuantified());
        }

        return new PatternNode.Concatenation(parts);
    }

    private PatternNode ParseQuantified()
    {
        PatternNode atom = ParseAtom();
        while (ParseQuantifier() is { } bounds)
        {
            if (atom is PatternNode.AtStart or PatternNode.AtEnd or PatternNode.Repetition)
            {
                throw Error("a quantifier with nothing to repeat");
            }

            // Lazy and greedy match the same texts.
            Accept('?');
            atom = new PatternNode.Repetition(atom, bounds.Min, bounds.Max);
        }

        return atom;
    }

    private (int Min, int? Max)? ParseQuantifier()
    {
        switch (Current)
        {
            case '*':
                _at++;
                return (0, null);
            case '+':
                _at++;
                return (1, null);
            case '?':
                _at++;
                return (0, 1);
            case '{':
                int start = _at++;
                if (ParseInteger() is { } min)
                {
                    int? max = min;
                    if (Accept(','))
                    {
                        max = Current == '}' ? null : ParseInteger() ?? throw Error("a malformed {} quantifier");
                    }

                    if (Accept('}') && (max is null || max >= min))
                    {
                        return (min, max);
                    }
                }

                _at = start;
                throw Error("a malformed {} quantifier");
            default:
                return null;
        }
    }

    private PatternNode ParseAtom()
    {
        int value = _text[_at++];
        switch (value)
        {
            case '^':
                return new PatternNode.AtStart();
            case '$':
                return new PatternNode.AtEnd();
            case '.':
                return new PatternNode.Characters(CodePointSet.Dot);
            case '[':
                return new PatternNode.Characters(ParseClass());
            case '(':
                SkipGroupPrefix();
                PatternNode group = ParseAlternation();
                return Accept(')') ? group : throw Error("a group without its )");
            case '\\':
                return new PatternNode.Characters(ParseEscape(false, false));
            case '*' or '+' or '?' or '{':
                _at--;
                throw Error("a quantifier with nothing to repeat");
            default:
                return new PatternNode.Characters(Single(value));
        }
    }

    private void SkipGroupPrefix()
    {
        if (!Accept('?') || Accept(':'))
        {
            return;
        }

        Accept('P');
        if (!Accept('<') || Current is '=' or '!')
        {
            throw Error("a look-around or an inline option, which linear-time matching does not have");
        }

        while (!IsEnd && Current != '>')
        {
            _at++;
        }

        if (!Accept('>'))
        {
            throw Error("a group name without its >");
        }
    }

    private CodePointSet ParseClass()
    {
        bool negated = Accept('^');
        List<(int Low, int High)> ranges = [];
        while (Current != ']')
        {
            if (IsEnd)
            {
                throw Error("a character class without its ]");
            }

            CodePointSet first = ParseClassAtom(negated);
            bool isRange = Current == '-' && _at + 1 < _text.Length && _text[_at + 1] != ']';
            if (!isRange)
            {
                ranges.AddRange(first.Ranges);
                continue;
            }

            _at++;
            CodePointSet last = ParseClassAtom(negated);
            if (SingleOf(first) is not { } low || SingleOf(last) is not { } high || low > high)
            {
                throw Error("a character range that is out of order");
            }

            ranges.Add((low, high));
        }

        _at++;
        CodePointSet set = CodePointSet.Create(ranges);
        return negated ? set.Complement() : set;
    }

    private CodePointSet ParseClassAtom(bool negated)
    {
        int value = _text[_at++];
        return value == '\\' ? ParseEscape(true, negated) : Single(value);
    }

    // Engines differ in what white space is. What is generated is (or is not) white space to all of them.
    private CodePointSet ParseEscape(bool inClass, bool negated)
    {
        if (IsEnd)
        {
            throw Error("a backslash at the end");
        }

        int value = _text[_at++];
        switch (value)
        {
            case 'd': return CodePointSet.Digit;
            case 'D': return CodePointSet.Digit.Complement();
            case 'w': return CodePointSet.Word;
            case 'W': return CodePointSet.Word.Complement();
            case 's': return negated ? CodePointSet.WidestSpace : CodePointSet.Space;
            case 'S': return (negated ? CodePointSet.Space : CodePointSet.WidestSpace).Complement();
            case 't': return Single('\t');
            case 'n': return Single('\n');
            case 'r': return Single('\r');
            case 'f': return Single('\f');
            case 'v': return Single('\v');
            case '0': return Single(0);
            case 'b' when inClass: return Single('\b');
            case 'x': return Single(ParseHex(2));
            case 'u': return Single(ParseUnicode());
            case 'p' or 'P': return ParseCategory(value == 'P');
        }

        return value < 128 && char.IsLetterOrDigit((char)value)
            ? throw Error($"the escape \\{(char)value}, which is not supported")
            : Single(value);
    }

    private CodePointSet ParseCategory(bool negated)
    {
        if (Accept('{'))
        {
            StringBuilder name = new();
            while (!IsEnd && Current != '}')
            {
                name.Append(char.ConvertFromUtf32(_text[_at++]));
            }

            if (Accept('}') && CodePointSet.Category(name.ToString()) is { } set)
            {
                return negated ? set.Complement() : set;
            }
        }

        throw Error("a \\p escape that is no general category");
    }

    private int ParseUnicode()
    {
        if (Accept('{'))
        {
            int value = 0;
            while (!IsEnd && Current != '}' && value <= 0x10FFFF)
            {
                value = (value * 16) + ParseHex(1);
            }

            return Accept('}') && Rune.IsValid(value) ? value : throw Error("a malformed \\u escape");
        }

        int high = ParseHex(4);
        if (char.IsHighSurrogate((char)high) && Accept('\\') && Accept('u'))
        {
            int low = ParseHex(4);
            return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)high, (char)low) : throw Error("a lone surrogate");
        }

        return char.IsSurrogate((char)high) ? throw Error("a lone surrogate") : high;
    }

    private int ParseHex(int digits)
    {
        int value = 0;
        for (int i = 0; i < digits; i++)
        {
            if (IsEnd || Current > 127 || !char.IsAsciiHexDigit((char)Current))
            {
                throw Error("a malformed hexadecimal escape");
            }

            value = (value * 16) + Convert.ToInt32(((char)_text[_at++]).ToString(), 16);
        }

        return value;
    }

    private int? ParseInteger()
    {
        int start = _at;
        int value = 0;
        while (Current is >= '0' and <= '9')
        {
            value = (value * 10) + (Current - '0');
            _at++;
            if (value > 100_000)
            {
                throw Error("a repetition count beyond 100000");
            }
        }

        return _at == start ? null : value;
    }

    private bool Accept(char value)
    {
        if (Current != value)
        {
            return false;
        }

        _at++;
        return true;
    }

    private static CodePointSet Single(int value) => CodePointSet.Create([(value, value)]);

    private static int? SingleOf(CodePointSet set) =>
        set.Ranges is [var range] && range.Low == range.High ? range.Low : null;

    private ConstraintException Error(string what) =>
        new(_pointer, string.Create(CultureInfo.InvariantCulture, $"the pattern has {what} (at character {_at})"));
}
