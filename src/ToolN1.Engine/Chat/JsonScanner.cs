namespace ToolN1.Engine.Chat;

/// <summary>
/// Strict JSON, one character at a time: says when a value is complete and at which character it ceased to be JSON. Only
/// objects and arrays are values here. It stores nothing of the text.
/// </summary>
internal sealed class JsonScanner
{
    /// <summary>Deepest nesting.</summary>
    public const int MaxDepth = 256;

    private readonly Stack<char> _open = new();
    private Expect _expect = Expect.Value;
    private bool _keyString;
    private string _literal = "";
    private int _count;

    private enum Expect
    {
        /// <summary>A value.</summary>
        Value,

        /// <summary>A value, or the end of an array that just began.</summary>
        ValueOrEnd,

        /// <summary>A key, or the end of an object that just began.</summary>
        KeyOrEnd,

        /// <summary>A key.</summary>
        Key,

        /// <summary>The colon after a key.</summary>
        Colon,

        /// <summary>A comma, or the end of the container.</summary>
        CommaOrEnd,

        /// <summary>More of a string.</summary>
        String,

        /// <summary>The character after a backslash.</summary>
        Escape,

        /// <summary>Hexadecimal digits of an escape, <see cref="_count"/> of them.</summary>
        Hex,

        /// <summary>The rest of true, false or null.</summary>
        Literal,

        /// <summary>The first digit of a number.</summary>
        FirstDigit,

        /// <summary>After a leading zero.</summary>
        AfterZero,

        /// <summary>More digits, a point or an exponent.</summary>
        Integer,

        /// <summary>The first digit after the point.</summary>
        FirstFractionDigit,

        /// <summary>More digits or an exponent.</summary>
        Fraction,

        /// <summary>A sign or digit.</summary>
        ExponentSign,

        /// <summary>The first digit of an exponent.</summary>
        FirstExponentDigit,

        /// <summary>More digits.</summary>
        Exponent,
    }

    /// <summary>The value is complete; white space may follow.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Takes the next character; false when the text with it is not the beginning of JSON.</summary>
    public bool Feed(char character)
    {
        switch (_expect)
        {
            case Expect.String:
                return InString(character);
            case Expect.Escape:
                _expect = character == 'u' ? Expect.Hex : Expect.String;
                _count = 4;
                return character is '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't' or 'u';
            case Expect.Hex:
                _expect = --_count == 0 ? Expect.String : Expect.Hex;
                return char.IsAsciiHexDigit(character);
            case Expect.Literal:
                bool fits = character == _literal[_count];
                _expect = ++_count == _literal.Length ? Expect.CommaOrEnd : Expect.Literal;
                return fits;
            case Expect.FirstDigit or Expect.AfterZero or Expect.Integer or Expect.FirstFractionDigit or Expect.Fraction
                or Expect.ExponentSign or Expect.FirstExponentDigit or Expect.Exponent:
                return InNumber(character);
            default:
                return character is ' ' or '\t' or '\n' or '\r' || Structure(character);
        }
    }

    private bool InString(char character)
    {
        if (character == '"')
        {
            _expect = _keyString ? Expect.Colon : Expect.CommaOrEnd;
        }
        else if (character == '\\')
        {
            _expect = Expect.Escape;
        }

        return character >= ' ';
    }

    private bool InNumber(char character)
    {
        bool digit = char.IsAsciiDigit(character);
        Expect? next = (_expect, character) switch
        {
            (Expect.FirstDigit, '0') => Expect.AfterZero,
            (Expect.FirstDigit or Expect.Integer, _) when digit => Expect.Integer,
            (Expect.AfterZero or Expect.Integer, '.') => Expect.FirstFractionDigit,
            (Expect.FirstFractionDigit or Expect.Fraction, _) when digit => Expect.Fraction,
            (Expect.AfterZero or Expect.Integer or Expect.Fraction, 'e' or 'E') => Expect.ExponentSign,
            (Expect.ExponentSign, '+' or '-') => Expect.FirstExponentDigit,
            (Expect.ExponentSign or Expect.FirstExponentDigit or Expect.Exponent, _) when digit => Expect.Exponent,
            _ => null,
        };
        if (next is { } inside)
        {
            _expect = inside;
            return true;
        }

        // Anything else ends the number, if it can end here, and stands for itself.
        bool ended = _expect is Expect.AfterZero or Expect.Integer or Expect.Fraction or Expect.Exponent;
        _expect = Expect.CommaOrEnd;
        return ended && Feed(character);
    }

    private bool Structure(char character)
    {
        if (IsComplete)
        {
            return false;
        }

        switch (character)
        {
            case '{' or '[' when _expect is Expect.Value or Expect.ValueOrEnd && _open.Count < MaxDepth:
                _open.Push(character);
                _expect = character == '{' ? Expect.KeyOrEnd : Expect.ValueOrEnd;
                return true;
            case '}' when _expect is Expect.KeyOrEnd || (_expect is Expect.CommaOrEnd && _open.Peek() == '{'):
            case ']' when _expect is Expect.ValueOrEnd || (_expect is Expect.CommaOrEnd && _open.Peek() == '['):
                _open.Pop();
                _expect = Expect.CommaOrEnd;
                IsComplete = _open.Count == 0;
                return true;
            case ',' when _expect is Expect.CommaOrEnd:
                _expect = _open.Peek() == '{' ? Expect.Key : Expect.Value;
                return true;
            case ':' when _expect is Expect.Colon:
                _expect = Expect.Value;
                return true;
            case '"' when _expect is Expect.Key or Expect.KeyOrEnd:
            case '"' when _expect is Expect.Value or Expect.ValueOrEnd && _open.Count > 0:
                _keyString = _expect is Expect.Key or Expect.KeyOrEnd;
                _expect = Expect.String;
                return true;
            default:
                return _expect is Expect.Value or Expect.ValueOrEnd && _open.Count > 0 && Scalar(character);
        }
    }

    private bool Scalar(char character)
    {
        _literal = character switch { 't' => "true", 'f' => "false", 'n' => "null", _ => "" };
        _count = 1;
        if (_literal.Length > 0)
        {
            _expect = Expect.Literal;
            return true;
        }

        _expect = Expect.FirstDigit;
        return character == '-' || InNumber(character);
    }
}
