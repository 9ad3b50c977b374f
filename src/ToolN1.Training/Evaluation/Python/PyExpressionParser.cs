using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>
/// Reads a list of Python calls, <c>[name(key=value, …), …]</c>, the way ACEBench's decoder walks the syntax tree: literals,
/// lists, dicts, tuples, names (their text), nested calls and arithmetic on numbers. Positional arguments are dropped.
/// Reads the calls of training data too, which are no Python (<see cref="ParseLooseCalls"/>).
/// </summary>
internal sealed class PyExpressionParser
{
    /// <summary>Brackets within brackets that Python's own parser takes.</summary>
    private const int MaxDepth = 200;

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
        "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
        "while", "with", "yield",
    };

    private static readonly SearchValues<char> NotInLooseNames = SearchValues.Create("=,[]{}()'\"");

    private readonly string _text;
    private readonly Dialect _dialect;
    private int _at;
    private int _depth;

    private PyExpressionParser(string text, Dialect dialect)
    {
        _text = text;
        _dialect = dialect;
    }

    private enum Dialect
    {
        /// <summary>ACEBench's decoder.</summary>
        Expressions,

        /// <summary>Python's <c>ast.literal_eval</c>.</summary>
        Literals,

        /// <summary>Literals, JSON's constants, and bare text where neither is.</summary>
        Loose,
    }

    /// <summary>The calls as name and arguments.</summary>
    /// <exception cref="FormatException">Not such a list; the message gives the position.</exception>
    public static List<(string Name, PyDict Arguments)> ParseCalls(string text) => ParseCalls(text, Dialect.Expressions);

    /// <summary>
    /// The calls of training data (ToolACE): a name is all text up to its "(", so it may hold spaces and slashes; an argument
    /// may be called like a keyword (<c>from=…</c>); a value is a literal, a constant of JSON, or else its bare text
    /// (<c>city=New York</c>). Nothing is evaluated, and positional arguments are refused.
    /// </summary>
    /// <inheritdoc cref="ParseCalls(string)"/>
    public static List<(string Name, PyDict Arguments)> ParseLooseCalls(string text) => ParseCalls(text, Dialect.Loose);

    /// <summary>What Python's <c>ast.literal_eval</c> gives, complex numbers, bytes and sets aside; null where it raises.</summary>
    public static PyValue? ParseLiteral(string text)
    {
        PyExpressionParser parser = new(text, Dialect.Literals);
        try
        {
            PyValue value = parser.Value();
            parser.SkipSpace();
            return parser._at == text.Length ? value : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static List<(string Name, PyDict Arguments)> ParseCalls(string text, Dialect dialect)
    {
        PyExpressionParser parser = new(text, dialect);
        List<(string, PyDict)> calls = parser.Calls();
        parser.SkipSpace();
        return parser._at == text.Length ? calls : throw parser.Error("text after the expression");
    }

    private FormatException Error(string what) => new($"Not a list of Python calls: {what} at character {_at}.");

    /// <summary>The elements of a list, tuple or set display; a tuple needs no parentheses.</summary>
    private List<(string Name, PyDict Arguments)> Calls()
    {
        SkipSpace();
        char close = Peek() switch { '[' => ']', '(' => ')', '{' => '}', _ => '\0' };
        _at += close == '\0' ? 0 : 1;
        List<(string, PyDict)> calls = [];
        bool comma = close != '(';
        while (true)
        {
            SkipSpace();
            if (calls.Count > 0 || close != '\0')
            {
                if (close != '\0' ? Peek() == close : _at == _text.Length)
                {
                    break;
                }
            }

            calls.Add(Call());
            SkipSpace();
            if (!Take(','))
            {
                break;
            }

            comma = true;
        }

        // One call in parentheses, or one bare call, is a call and not a sequence of calls. "()" is an empty tuple, "{}" a dict.
        if (close == '\0' && (calls.Count == 0 || (calls.Count == 1 && _text[_at - 1] != ',')))
        {
            throw Error("a single expression");
        }

        if ((close == ')' && calls.Count == 1 && !comma) || (close == '}' && calls.Count == 0))
        {
            throw Error("a single expression");
        }

        if (close != '\0' && !Take(close))
        {
            throw Error($"expected '{close}'");
        }

        return calls;
    }

    private (string Name, PyDict Arguments) Call()
    {
        if (_dialect == Dialect.Loose)
        {
            return LooseCall();
        }

        string name = Name() ?? throw Error("expected a function name");
        while (Take('.'))
        {
            name += "." + (Name() ?? throw Error("expected a name"));
        }

        SkipSpace();
        return Take('(') ? (name, Arguments()) : throw Error("expected a call");
    }

    private (string Name, PyDict Arguments) LooseCall()
    {
        SkipSpace();
        int open = _text.IndexOf('(', _at);
        string name = open < 0 ? "" : _text[_at..open].TrimEnd();
        if (name.Length == 0 || name.AsSpan().ContainsAny(NotInLooseNames))
        {
            throw Error("expected a function name");
        }

        _at = open + 1;
        return (name, Arguments());
    }

    private PyDict Arguments()
    {
        using Nesting nesting = Enter();
        PyDict arguments = [];
        while (true)
        {
            SkipSpace();
            if (Take(')'))
            {
                return arguments;
            }

            int start = _at;
            string? key = Name();
            SkipSpace();
            if (key is not null && Peek() == '=' && Peek(1) != '=')
            {
                _at++;
                if (arguments.ContainsKey(key))
                {
                    throw Error("a repeated keyword");
                }

                arguments[key] = _dialect == Dialect.Loose ? LooseValue() : Value();
            }
            else if (arguments.Count > 0 || _dialect == Dialect.Loose)
            {
                throw Error("a positional argument after a keyword");
            }
            else
            {
                _at = start;
                Value();
            }

            SkipSpace();
            if (!Take(',') && Peek() != ')')
            {
                throw Error("expected ',' or ')'");
            }
        }
    }

    /// <summary>A literal that reaches to the next comma or closing bracket; else the text up to there, unless it opens a string or a bracket.</summary>
    private PyValue LooseValue()
    {
        SkipSpace();
        int start = _at;
        if (Peek() is '\'' or '"' or '[' or '{' or '(')
        {
            return Value();
        }

        try
        {
            PyValue value = Value();
            SkipSpace();
            if (Peek() is ',' or ')')
            {
                return value;
            }
        }
        catch (FormatException)
        {
            // Bare text, then.
        }

        _at = start;
        int depth = 0;
        for (; _at < _text.Length && (depth > 0 || Peek() is not (',' or ')')); _at++)
        {
            depth += Peek() switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
        }

        string text = _text[start.._at].TrimEnd();
        return text.Length > 0 && _at < _text.Length ? PyValue.Of(text) : throw Error("expected a value");
    }

    private PyValue Value()
    {
        if (_dialect != Dialect.Expressions)
        {
            return Literal();
        }

        PyValue left = Term();
        while (true)
        {
            SkipSpace();
            char sign = Peek();
            if (sign is not ('+' or '-'))
            {
                return left;
            }

            _at++;
            left = Arithmetic(left, sign.ToString(), Term());
        }
    }

    private PyValue Term()
    {
        PyValue left = Unary();
        while (true)
        {
            SkipSpace();
            string sign = Peek() switch { '*' => "*", '/' when Peek(1) == '/' => "//", '/' => "/", '%' => "%", _ => "" };
            if (sign.Length == 0)
            {
                return left;
            }

            _at += sign.Length;
            left = Arithmetic(left, sign, Unary());
        }
    }

    private PyValue Unary()
    {
        SkipSpace();
        if (Peek() is '-' or '+' or '~')
        {
            // Quirk kept: the original negates whatever the unary operator is.
            _at++;
            SkipSpace();
            return Arithmetic(PyValue.Of(0L), "-", char.IsAsciiDigit(Peek()) || Peek() == '.' ? Number() : Primary());
        }

        return Primary();
    }

    private PyValue Literal()
    {
        SkipSpace();
        char sign = Peek();
        if (sign is not ('-' or '+'))
        {
            return Primary();
        }

        _at++;
        SkipSpace();
        PyValue number = Number();
        return sign == '+' ? number : number.Kind == PyKind.Int ? PyValue.Of(-number.Integer) : PyValue.Of(-number.Number);
    }

    private PyValue Primary()
    {
        SkipSpace();
        char c = Peek();
        if (c is '\'' or '"')
        {
            return Strings();
        }

        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))))
        {
            return Number();
        }

        switch (c)
        {
            case '[':
                _at++;
                return PyValue.Of(Sequence(']', out _));
            case '(':
                _at++;
                List<PyValue> items = Sequence(')', out bool comma);
                return items.Count == 1 && !comma ? items[0] : PyValue.TupleOf(items);
            case '{':
                _at++;
                return PyValue.Of(Dict());
            default:
                return NameOrCall();
        }
    }

    private PyValue NameOrCall()
    {
        int start = _at;
        string name = Name() ?? throw Error("expected a value");
        if (Peek() is '\'' or '"' && name.ToLowerInvariant() is "r" or "u")
        {
            return name is "u" or "U" ? Strings() : PyValue.Of(Quoted(raw: true));
        }

        switch (name)
        {
            case "True":
                return PyValue.True;
            case "False":
                return PyValue.False;
            case "None":
                return PyValue.None;
        }

        if (_dialect != Dialect.Expressions)
        {
            return (_dialect, name) switch
            {
                (Dialect.Loose, "true") => PyValue.True,
                (Dialect.Loose, "false") => PyValue.False,
                (Dialect.Loose, "null") => PyValue.None,
                _ => throw Error("a name where a literal should be"),
            };
        }

        SkipSpace();
        if (Peek() is '(' or '.')
        {
            _at = start;
            (string function, PyDict arguments) = Call();
            PyDict call = new() { [function] = PyValue.Of(arguments) };
            return PyValue.Of(call);
        }

        if (!Take('['))
        {
            return PyValue.Of(name);
        }

        PyValue index = Value();
        SkipSpace();
        return Take(']') ? PyValue.Of($"{name}[{PyText.Repr(index)}]") : throw Error("expected ']'");
    }

    private List<PyValue> Sequence(char close, out bool comma)
    {
        using Nesting nesting = Enter();
        List<PyValue> items = [];
        comma = false;
        while (true)
        {
            SkipSpace();
            if (Take(close))
            {
                return items;
            }

            if (items.Count > 0 && !comma)
            {
                throw Error($"expected ',' or '{close}'");
            }

            items.Add(Value());
            SkipSpace();
            comma = Take(',');
        }
    }

    private PyDict Dict()
    {
        using Nesting nesting = Enter();
        PyDict entries = [];
        while (true)
        {
            SkipSpace();
            if (Take('}'))
            {
                return entries;
            }

            PyValue key = Value();
            SkipSpace();
            if (!Take(':') || key.Kind is PyKind.List or PyKind.Dict)
            {
                throw Error("expected a dict entry");
            }

            entries[Key(key)] = Value();
            SkipSpace();
            if (!Take(',') && Peek() != '}')
            {
                throw Error("expected ',' or '}'");
            }
        }
    }

    private string Key(PyValue key)
    {
        if (key.IsString)
        {
            return key.Text;
        }

        // Literals become JSON, whose keys are Python's json.dumps'. For ACEBench other keys than strings keep a mark that no
        // string key has, so that they equal none.
        return _dialect == Dialect.Expressions ? "\0" + PyText.Repr(key)
            : key.Kind == PyKind.Tuple ? throw Error("a tuple as a key of JSON")
            : PyJsonWriter.Dumps(key);
    }

    private PyValue Arithmetic(PyValue a, string sign, PyValue b)
    {
        if (a.IsString && b.IsString && sign == "+")
        {
            return PyValue.Of(a.Text + b.Text);
        }

        if (a.Kind is not (PyKind.Int or PyKind.Float or PyKind.Bool) || b.Kind is not (PyKind.Int or PyKind.Float or PyKind.Bool))
        {
            throw Error("an operator between values that are not numbers");
        }

        if (a.Kind != PyKind.Float && b.Kind != PyKind.Float && sign != "/")
        {
            BigInteger x = a.Integer;
            BigInteger y = b.Integer;
            if (y.IsZero && sign is "//" or "%")
            {
                throw Error("a division by zero");
            }

            return PyValue.Of(sign switch
            {
                "+" => x + y,
                "-" => x - y,
                "*" => x * y,
                "//" => FloorDivide(x, y),
                _ => x - (FloorDivide(x, y) * y),
            });
        }

        double left = a.Kind == PyKind.Float ? a.Number : (double)a.Integer;
        double right = b.Kind == PyKind.Float ? b.Number : (double)b.Integer;
        if (right == 0 && sign is "/" or "//" or "%")
        {
            throw Error("a division by zero");
        }

        return PyValue.Of(sign switch
        {
            "+" => left + right,
            // Unary minus on a float zero is -0.0.
            "-" => left == 0 && right == 0 ? -right : left - right,
            "*" => left * right,
            "/" => left / right,
            "//" => Math.Floor(left / right),
            _ => left - (Math.Floor(left / right) * right),
        });
    }

    private static BigInteger FloorDivide(BigInteger x, BigInteger y)
    {
        BigInteger quotient = BigInteger.DivRem(x, y, out BigInteger rest);
        return !rest.IsZero && rest.Sign != y.Sign ? quotient - 1 : quotient;
    }

    private PyValue Number()
    {
        int start = _at;
        bool isFloat = false;
        if (Peek() == '0' && Peek(1) is 'x' or 'X')
        {
            _at += 2;
            while (char.IsAsciiHexDigit(Peek()))
            {
                _at++;
            }

            return _at - start > 2 && !IsNamePart(Peek())
                ? PyValue.Of(BigInteger.Parse("0" + _text[(start + 2).._at], NumberStyles.HexNumber, CultureInfo.InvariantCulture))
                : throw Error("a malformed number");
        }

        while (char.IsAsciiDigit(Peek()) || Peek() is '_' or '.' || (Peek() is 'e' or 'E') || (Peek() is '+' or '-' && _text[_at - 1] is 'e' or 'E'))
        {
            isFloat |= Peek() is '.' or 'e' or 'E';
            _at++;
        }

        string token = _text[start.._at];
        bool leadingZero = !isFloat && token.Length > 1 && token[0] == '0' && token.AsSpan().ContainsAnyExcept('0', '_');
        PyValue? value = leadingZero || IsNamePart(Peek()) ? null : isFloat ? PyNumbers.ParseFloat(token) : PyNumbers.ParseInt(token);
        return value ?? throw Error("a malformed number");
    }

    private PyValue Strings()
    {
        StringBuilder built = new();
        do
        {
            built.Append(Quoted(raw: false));
            SkipSpace();
        }
        while (Peek() is '\'' or '"');

        return PyValue.Of(built.ToString());
    }

    private string Quoted(bool raw)
    {
        char quote = _text[_at];
        bool triple = Peek(1) == quote && Peek(2) == quote;
        _at += triple ? 3 : 1;
        StringBuilder built = new();
        while (_at < _text.Length)
        {
            char c = _text[_at++];
            if (c == quote && (!triple || (Peek() == quote && Peek(1) == quote)))
            {
                _at += triple ? 2 : 0;
                return built.ToString();
            }

            if (c == '\n' && !triple)
            {
                break;
            }

            if (c != '\\')
            {
                built.Append(c);
            }
            else if (raw && _at < _text.Length)
            {
                built.Append(c).Append(_text[_at++]);
            }
            else
            {
                Escape(built);
            }
        }

        throw Error("an unterminated string");
    }

    private void Escape(StringBuilder built)
    {
        char c = _at < _text.Length ? _text[_at++] : throw Error("an unterminated string");
        int which = "nrtabfv\\'\"".IndexOf(c, StringComparison.Ordinal);
        if (which >= 0)
        {
            built.Append("\n\r\t\a\b\f\v\\'\""[which]);
        }
        else if (c is 'x' or 'u' or 'U')
        {
            int digits = c switch { 'x' => 2, 'u' => 4, _ => 8 };
            if (_at + digits > _text.Length
                || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                || code is < 0 or > 0x10FFFF)
            {
                throw Error("a malformed escape");
            }

            _at += digits;
            built.Append(code is >= 0xD800 and <= 0xDFFF ? ((char)code).ToString() : char.ConvertFromUtf32(code));
        }
        else if (c is >= '0' and <= '7')
        {
            int code = c - '0';
            for (int i = 0; i < 2 && Peek() is >= '0' and <= '7'; i++)
            {
                code = (code * 8) + (_text[_at++] - '0');
            }

            built.Append((char)code);
        }
        else if (c != '\n')
        {
            built.Append('\\').Append(c);
        }
    }

    private string? Name()
    {
        SkipSpace();
        int start = _at;
        if (_at >= _text.Length || !(char.IsLetter(_text[_at]) || _text[_at] == '_'))
        {
            return null;
        }

        while (_at < _text.Length && IsNamePart(_text[_at]))
        {
            _at++;
        }

        string name = _text[start.._at];
        return Keywords.Contains(name) && _dialect != Dialect.Loose ? throw Error($"the keyword '{name}'") : name;
    }

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c == '_';

    private Nesting Enter()
    {
        if (_depth == MaxDepth)
        {
            throw Error("too many nested brackets");
        }

        _depth++;
        return new Nesting(this);
    }

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Take(char expected)
    {
        if (Peek() != expected || _at >= _text.Length)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
        {
            _at++;
        }
    }

    /// <summary>One bracket deeper until it is disposed.</summary>
    private readonly ref struct Nesting(PyExpressionParser parser)
    {
        public void Dispose() => parser._depth--;
    }
}
