using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ToolN1.Engine.Chat;

/// <summary>
/// JSON text as Python's json.dumps spaces it (<c>", "</c> and <c>": "</c>), which is how models saw it in training.
/// Order of keys is kept, duplicates too; input that is not JSON is refused.
/// </summary>
public sealed class PythonJson
{
    private const int MaxDepth = 200;

    private readonly string _json;
    private readonly StringBuilder _output;
    private readonly bool _keepsStrings;
    private readonly bool _keepsNumbers;
    private readonly bool _ensureAscii;
    private int _at;

    private PythonJson(string json, bool keepsStrings, bool keepsNumbers, bool ensureAscii)
    {
        _json = json;
        _keepsStrings = keepsStrings;
        _keepsNumbers = keepsNumbers;
        _ensureAscii = ensureAscii;
        _output = new StringBuilder(json.Length + (json.Length / 8));
    }

    /// <summary>What json.dumps(json.loads(text)) gives: strings and numbers in Python's own spelling.</summary>
    /// <param name="json">Any JSON value.</param>
    /// <param name="ensureAscii">Python's ensure_ascii: everything outside ASCII as <c>\uxxxx</c>, lower case.</param>
    /// <exception cref="FormatException">Not JSON, or nested deeper than 200.</exception>
    public static string Dumps(string json, bool ensureAscii) => new PythonJson(json, keepsStrings: false, keepsNumbers: false, ensureAscii).Run();

    /// <summary>Only the white space between tokens is changed; strings and numbers keep their spelling.</summary>
    /// <exception cref="FormatException">Not JSON, or nested deeper than 200.</exception>
    public static string Respace(string json) => new PythonJson(json, keepsStrings: true, keepsNumbers: true, ensureAscii: false).Run();

    /// <summary>A parsed value: strings in Python's own spelling without <c>\u</c> beyond ASCII, numbers as they were written.</summary>
    public static string Write(JsonElement value) => new PythonJson(value.GetRawText(), keepsStrings: false, keepsNumbers: true, ensureAscii: false).Run();

    /// <summary>A string as a JSON string literal, characters beyond ASCII as they are.</summary>
    public static string Quote(string text) => Quote(text, ensureAscii: false);

    /// <summary>A string as a JSON string literal.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="ensureAscii">Everything outside ASCII as <c>\uxxxx</c>.</param>
    public static string Quote(string text, bool ensureAscii)
    {
        StringBuilder output = new(text.Length + 2);
        AppendQuoted(output, text, ensureAscii);
        return output.ToString();
    }

    private string Run()
    {
        Value(0);
        SkipSpace();
        return _at == _json.Length ? _output.ToString() : throw Error("text after the value");
    }

    private void Value(int depth)
    {
        SkipSpace();
        switch (Peek())
        {
            case '{':
                Container(depth, '{', '}');
                break;
            case '[':
                Container(depth, '[', ']');
                break;
            case '"':
                String();
                break;
            case 't':
                Literal("true");
                break;
            case 'f':
                Literal("false");
                break;
            case 'n':
                Literal("null");
                break;
            default:
                Number();
                break;
        }
    }

    private void Container(int depth, char open, char close)
    {
        if (depth >= MaxDepth)
        {
            throw Error($"more than {MaxDepth} levels");
        }

        Take(open);
        _output.Append(open);
        SkipSpace();
        for (bool first = true; Peek() != close; first = false)
        {
            if (!first)
            {
                Take(',');
                _output.Append(", ");
                SkipSpace();
            }

            if (open == '{')
            {
                String();
                SkipSpace();
                Take(':');
                _output.Append(": ");
            }

            Value(depth + 1);
            SkipSpace();
        }

        Take(close);
        _output.Append(close);
    }

    private void String()
    {
        int start = _at;
        Take('"');
        StringBuilder text = new();
        while (Peek() != '"')
        {
            char character = Peek();
            _at++;
            if (character < ' ')
            {
                throw Error("a control character in a string");
            }

            text.Append(character == '\\' ? Escape() : character);
        }

        _at++;
        if (_keepsStrings)
        {
            _output.Append(_json, start, _at - start);
        }
        else
        {
            AppendQuoted(_output, text.ToString(), _ensureAscii);
        }
    }

    private char Escape()
    {
        char character = Peek();
        _at++;
        switch (character)
        {
            case '"' or '\\' or '/':
                return character;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u' when _at + 4 <= _json.Length
                && ushort.TryParse(_json.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code):
                _at += 4;
                return (char)code;
            default:
                throw Error("an escape that JSON does not know");
        }
    }

    private void Number()
    {
        int start = _at;
        _ = TryTake('-');
        if (!TryTake('0') && Digits() == 0)
        {
            throw Error("no value");
        }

        bool real = false;
        if (TryTake('.'))
        {
            real = true;
            if (Digits() == 0)
            {
                throw Error("no digit after the point");
            }
        }

        if (TryTake('e') || TryTake('E'))
        {
            real = true;
            _ = TryTake('+') || TryTake('-');
            if (Digits() == 0)
            {
                throw Error("no digit in the exponent");
            }
        }

        string raw = _json[start.._at];
        _output.Append(_keepsNumbers ? raw : real ? Float(double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture)) : raw == "-0" ? "0" : raw);
    }

    /// <summary>Python's repr of a float: shortest digits, exponent form below 1e-4 and from 1e16; json.dumps' words for what is not finite.</summary>
    public static string Float(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        }

        string sign = double.IsNegative(value) ? "-" : "";
        string[] parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        string[] mantissa = parts[0].Split('.');
        string written = string.Concat(mantissa);
        string digits = written.Trim('0') is { Length: > 0 } significant ? significant : "0";

        // Where the decimal point stands, counted from the first digit that is not zero.
        int leadingZeros = written.Length - written.TrimStart('0').Length;
        int point = value == 0 ? 1 : mantissa[0].Length - leadingZeros + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        if (point is <= -4 or > 16)
        {
            int exponent = point - 1;
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return sign + (point <= 0 ? "0." + new string('0', -point) + digits
            : point >= digits.Length ? digits + new string('0', point - digits.Length) + ".0"
            : digits[..point] + "." + digits[point..]);
    }

    /// <summary>Appends a string as a JSON string literal.</summary>
    public static void AppendQuoted(StringBuilder output, string text, bool ensureAscii)
    {
        output.Append('"');
        foreach (char character in text)
        {
            _ = character switch
            {
                '"' => output.Append("\\\""),
                '\\' => output.Append("\\\\"),
                '\n' => output.Append("\\n"),
                '\r' => output.Append("\\r"),
                '\t' => output.Append("\\t"),
                '\b' => output.Append("\\b"),
                '\f' => output.Append("\\f"),
                < ' ' => output.Append($"\\u{(int)character:x4}"),
                > '~' when ensureAscii => output.Append($"\\u{(int)character:x4}"),
                _ => output.Append(character),
            };
        }

        output.Append('"');
    }

    private void Literal(string word)
    {
        if (string.CompareOrdinal(_json, _at, word, 0, word.Length) != 0)
        {
            throw Error("no value");
        }

        _at += word.Length;
        _output.Append(word);
    }

    private int Digits()
    {
        int start = _at;
        while (_at < _json.Length && char.IsAsciiDigit(_json[_at]))
        {
            _at++;
        }

        return _at - start;
    }

    private char Peek() => _at < _json.Length ? _json[_at] : throw Error("the end");

    private bool TryTake(char character)
    {
        bool there = _at < _json.Length && _json[_at] == character;
        _at += there ? 1 : 0;
        return there;
    }

    private void Take(char character)
    {
        if (!TryTake(character))
        {
            throw Error($"no '{character}'");
        }
    }

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private FormatException Error(string found) => new($"not JSON: {found} at character {_at}");
}
