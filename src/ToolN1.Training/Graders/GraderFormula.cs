using System.Globalization;

namespace ToolN1.Training.Graders;

/// <summary>
/// The arithmetic of a multi grader: numbers, names of graders, <c>+ - * / ^</c> and brackets, and the functions min, max,
/// abs, floor, ceil, exp, sqrt and log (natural).
/// </summary>
internal sealed class GraderFormula
{
    private const int MaxLength = 4096;
    private const int MaxDepth = 64;

    private static readonly Dictionary<string, (int Fewest, int Most)> Functions = new(StringComparer.Ordinal)
    {
        ["min"] = (1, int.MaxValue),
        ["max"] = (1, int.MaxValue),
        ["abs"] = (1, 1),
        ["floor"] = (1, 1),
        ["ceil"] = (1, 1),
        ["exp"] = (1, 1),
        ["sqrt"] = (1, 1),
        ["log"] = (1, 1),
    };

    private readonly string _text;
    private readonly string _field;
    private readonly HashSet<string> _names;
    private readonly Func<IReadOnlyDictionary<string, double>, double> _value;
    private int _at;
    private int _depth;

    private GraderFormula(string text, IEnumerable<string> names, string field)
    {
        _text = text;
        _field = field;
        _names = [.. names];
        if (text.Length > MaxLength)
        {
            throw Error($"it is longer than {MaxLength} characters");
        }

        _value = Sum();
        if (Peek() != '\0')
        {
            throw Error($"'{_text[_at..]}' is left over");
        }
    }

    /// <summary>Reads a formula.</summary>
    /// <param name="text">The formula.</param>
    /// <param name="names">The graders' names.</param>
    /// <param name="field">Named in errors.</param>
    /// <exception cref="GraderException">Not a formula over these names.</exception>
    public static GraderFormula Parse(string text, IEnumerable<string> names, string field) => new(text, names, field);

    /// <summary>Its value; not finite where it divides by zero and the like.</summary>
    public double Evaluate(IReadOnlyDictionary<string, double> rewards) => _value(rewards);

    private Func<IReadOnlyDictionary<string, double>, double> Sum()
    {
        Func<IReadOnlyDictionary<string, double>, double> left = Product();
        while (Peek() is '+' or '-')
        {
            char sign = _text[_at++];
            Func<IReadOnlyDictionary<string, double>, double> before = left, right = Product();
            left = sign == '+' ? rewards => before(rewards) + right(rewards) : rewards => before(rewards) - right(rewards);
        }

        return left;
    }

    private Func<IReadOnlyDictionary<string, double>, double> Product()
    {
        Func<IReadOnlyDictionary<string, double>, double> left = Signed();
        while (Peek() is '*' or '/')
        {
            char sign = _text[_at++];
            Func<IReadOnlyDictionary<string, double>, double> before = left, right = Signed();
            left = sign == '*' ? rewards => before(rewards) * right(rewards) : rewards => before(rewards) / right(rewards);
        }

        return left;
    }

    /// <summary>A power binds tighter than the sign before it: −2^2 is −4.</summary>
    private Func<IReadOnlyDictionary<string, double>, double> Signed()
    {
        if (Peek() is not ('-' or '+'))
        {
            return Power();
        }

        char sign = _text[_at++];
        Enter();
        Func<IReadOnlyDictionary<string, double>, double> value = Signed();
        _depth--;
        return sign == '-' ? rewards => -value(rewards) : value;
    }

    private Func<IReadOnlyDictionary<string, double>, double> Power()
    {
        Func<IReadOnlyDictionary<string, double>, double> left = Primary();
        if (Peek() != '^')
        {
            return left;
        }

        _at++;
        Enter();
        Func<IReadOnlyDictionary<string, double>, double> right = Signed();
        _depth--;
        return rewards => Math.Pow(left(rewards), right(rewards));
    }

    private Func<IReadOnlyDictionary<string, double>, double> Primary()
    {
        char c = Peek();
        if (c == '(')
        {
            _at++;
            return Bracketed();
        }

        int start = _at;
        if (char.IsAsciiDigit(c) || c == '.')
        {
            while (char.IsAsciiDigit(Here()) || Here() == '.')
            {
                _at++;
            }

            return double.TryParse(_text.AsSpan(start, _at - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                ? _ => number
                : throw Error($"'{_text[start.._at]}' is not a number");
        }

        while (char.IsLetterOrDigit(Here()) || Here() == '_')
        {
            _at++;
        }

        string name = _text[start.._at];
        if (name.Length == 0)
        {
            throw Error(c == '\0' ? "it ends where a value should stand" : $"'{c}' where a value should stand");
        }

        if (Functions.TryGetValue(name, out (int Fewest, int Most) arity) && Peek() == '(')
        {
            _at++;
            return Call(name, arity);
        }

        return _names.Contains(name) ? rewards => rewards[name] : throw Error($"'{name}' is neither a grader nor a function");
    }

    private Func<IReadOnlyDictionary<string, double>, double> Bracketed()
    {
        Enter();
        Func<IReadOnlyDictionary<string, double>, double> value = Sum();
        Close();
        return value;
    }

    private Func<IReadOnlyDictionary<string, double>, double> Call(string name, (int Fewest, int Most) arity)
    {
        Enter();
        List<Func<IReadOnlyDictionary<string, double>, double>> arguments = [Sum()];
        while (Peek() == ',')
        {
            _at++;
            arguments.Add(Sum());
        }

        Close();
        if (arguments.Count < arity.Fewest || arguments.Count > arity.Most)
        {
            throw Error($"'{name}' takes {arity.Fewest} value(s), not {arguments.Count}");
        }

        Func<IReadOnlyDictionary<string, double>, double> first = arguments[0];
        return name switch
        {
            "min" => rewards => arguments.Min(argument => argument(rewards)),
            "max" => rewards => arguments.Max(argument => argument(rewards)),
            "abs" => rewards => Math.Abs(first(rewards)),
            "floor" => rewards => Math.Floor(first(rewards)),
            "ceil" => rewards => Math.Ceiling(first(rewards)),
            "exp" => rewards => Math.Exp(first(rewards)),
            "sqrt" => rewards => Math.Sqrt(first(rewards)),
            _ => rewards => Math.Log(first(rewards)),
        };
    }

    private void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"it nests deeper than {MaxDepth} levels");
        }
    }

    private void Close()
    {
        if (Peek() != ')')
        {
            throw Error("')' is missing");
        }

        _at++;
        _depth--;
    }

    private char Here() => _at < _text.Length ? _text[_at] : '\0';

    private char Peek()
    {
        while (char.IsWhiteSpace(Here()))
        {
            _at++;
        }

        return Here();
    }

    private GraderException Error(string reason) => new(_field, $"the formula cannot be read: {reason}");
}
