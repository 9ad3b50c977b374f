using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>
/// Python's <c>json.loads</c>: <c>NaN</c>, <c>Infinity</c> and lone surrogates are accepted, duplicate keys keep the last
/// value, control characters inside strings and integers of more than 4300 digits are refused.
/// </summary>
internal ref struct PyJson
{
    private const int MaxDepth = 990;
    private const int MaxIntegerDigits = 4300;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private PyJson(ReadOnlySpan<char> text) => _text = text;

    /// <summary>The value of a whole JSON text.</summary>
    /// <exception cref="FormatException">Not JSON as Python reads it; the message gives the position.</exception>
    public static PyValue Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out PyValue? value, out int at) ? value : throw new FormatException($"Invalid JSON at character {at}.");

    /// <summary>False where Python would raise; no exception is thrown, since model output is often broken.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out PyValue? value) => TryParse(text, out value, out _);

    private static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out PyValue? value, out int at)
    {
        PyJson reader = new(text);
        reader.SkipSpace();
        value = reader.Value(0);
        if (value is not null)
        {
            reader.SkipSpace();
            if (reader._at != text.Length)
            {
                value = null;
            }
        }

        at = reader._at;
        return value is not null;
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private PyValue? Value(int depth)
    {
        if (_at >= _text.Length || depth > MaxDepth)
        {
            return null;
        }

        switch (_text[_at])
        {
            case '"':
                string? text = String();
                return text is null ? null : PyValue.Of(text);
            case '{':
                return Object(depth);
            case '[':
                return Array(depth);
            case 't':
                return Literal("true", PyValue.True);
            case 'f':
                return Literal("false", PyValue.False);
            case 'n':
                return Literal("null", PyValue.None);
            case 'N':
                return Literal("NaN", PyValue.Of(double.NaN));
            case 'I':
                return Literal("Infinity", PyValue.Of(double.PositiveInfinity));
            case '-' when _text[_at..].StartsWith("-Infinity", StringComparison.Ordinal):
                return Literal("-Infinity", PyValue.Of(double.NegativeInfinity));
            default:
                return Number();
        }
    }

    private PyValue? Literal(string word, PyValue value)
    {
        if (!_text[_at..].StartsWith(word, StringComparison.Ordinal))
        {
            return null;
        }

        _at += word.Length;
        return value;
    }

    private PyValue? Object(int depth)
    {
        PyDict entries = [];
        _at++;
        SkipSpace();
        if (Take('}'))
        {
            return PyValue.Of(entries);
        }

        while (true)
        {
            if (_at >= _text.Length || _text[_at] != '"' || String() is not string key)
            {
                return null;
            }

            SkipSpace();
            if (!Take(':'))
            {
                return null;
            }

            SkipSpace();
            if (Value(depth + 1) is not PyValue value)
            {
                return null;
            }

            entries[key] = value;
            SkipSpace();
            if (Take('}'))
            {
                return PyValue.Of(entries);
            }

            if (!Take(','))
            {
                return null;
            }

            SkipSpace();
        }
    }

    private PyValue? Array(int depth)
    {
        List<PyValue> items = [];
        _at++;
        SkipSpace();
        if (Take(']'))
        {
            return PyValue.Of(items);
        }

        while (true)
        {
            if (Value(depth + 1) is not PyValue value)
            {
                return null;
            }

            items.Add(value);
            SkipSpace();
            if (Take(']'))
            {
                return PyValue.Of(items);
            }

            if (!Take(','))
            {
                return null;
            }

            SkipSpace();
        }
    }

    private bool Take(char expected)
    {
        if (_at >= _text.Length || _text[_at] != expected)
        {
            return false;
        }

        _at++;
        return true;
    }

    private string? String()
    {
        int start = ++_at;
        while (_at < _text.Length && _text[_at] is not ('"' or '\\') && _text[_at] >= ' ')
        {
            _at++;
        }

        if (_at < _text.Length && _text[_at] == '"')
        {
            return _text[start.._at++].ToString();
        }

        StringBuilder built = new(_text[start.._at].ToString());
        while (_at < _text.Length)
        {
            char c = _text[_at++];
            if (c == '"')
            {
                return built.ToString();
            }

            if (c < ' ')
            {
                return null;
            }

            if (c != '\\')
            {
                built.Append(c);
            }
            else if (!Escape(built))
            {
                return null;
            }
        }

        return null;
    }

    private bool Escape(StringBuilder built)
    {
        if (_at >= _text.Length)
        {
            return false;
        }

        char c = _text[_at++];
        if (c == 'u')
        {
            // A pair of surrogates joins by itself in UTF-16; a lone one stays, as in Python.
            if (_at + 4 > _text.Length || _text.Slice(_at, 4).ContainsAnyExcept(HexDigits))
            {
                return false;
            }

            built.Append((char)ushort.Parse(_text.Slice(_at, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            _at += 4;
            return true;
        }

        int which = "\"\\/bfnrt".IndexOf(c, StringComparison.Ordinal);
        if (which < 0)
        {
            return false;
        }

        built.Append("\"\\/\b\f\n\r\t"[which]);
        return true;
    }

    private PyValue? Number()
    {
        int start = _at;
        Take('-');
        int digits = _at;
        if (Take('0'))
        {
            // A leading zero ends the integer part: "01" is then trailing text and fails.
        }
        else if (Digits() == 0)
        {
            return null;
        }

        int integerEnd = _at;
        bool isFloat = false;
        if (Take('.'))
        {
            if (Digits() > 0)
            {
                isFloat = true;
                integerEnd = _at;
            }
            else
            {
                _at = integerEnd;
            }
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            if (_at < _text.Length && _text[_at] is '+' or '-')
            {
                _at++;
            }

            if (Digits() > 0)
            {
                isFloat = true;
            }
            else
            {
                _at = integerEnd;
            }
        }

        ReadOnlySpan<char> token = _text[start.._at];
        if (isFloat)
        {
            return PyValue.Of(double.Parse(token, NumberStyles.Float, CultureInfo.InvariantCulture));
        }

        if (long.TryParse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long small))
        {
            return PyValue.Of(small);
        }

        return _at - digits > MaxIntegerDigits
            ? null
            : PyValue.Of(BigInteger.Parse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    private int Digits()
    {
        int start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }

        return _at - start;
    }
}
