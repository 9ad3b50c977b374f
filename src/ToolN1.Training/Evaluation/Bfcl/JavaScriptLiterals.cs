using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// Turns the text of a JavaScript literal into a value, by the official checker's own regular expressions: what they do
/// not recognise stays a string.
/// </summary>
internal static partial class JavaScriptLiterals
{
    /// <exception cref="PyException">A type that the official converter does not support.</exception>
    public static PyValue Convert(string value, string type, string? nestedType)
    {
        switch (type)
        {
            case "String":
                return PyValue.Of(IsQuoted(value) ? Inner(value) : value);
            case "integer":
                return Whole().IsMatch(value) ? PyNumbers.ParseInt(value)! : PyValue.Of(value);
            case "float":
                return Decimal().IsMatch(value) ? PyNumbers.ParseFloat(value)! : PyValue.Of(value);
            case "Bigint":
                return BigInt().IsMatch(value)
                    ? PyNumbers.ParseInt(value[..^1]) ?? throw new PyException("ValueError", "invalid literal for int()")
                    : PyValue.Of(value);
            case "Boolean":
                return value is "true" or "false" ? PyValue.Of(value == "true") : PyValue.Of(value);
            case "dict":
                return Object(PyText.Strip(value));
            case "array":
                return Array(PyText.Strip(value), nestedType);
            case "any":
                return PyValue.Of(value);
            default:
                throw new PyException("ValueError", $"Unsupported type: {type}");
        }
    }

    private static PyValue Array(string code, string? nestedType)
    {
        try
        {
            if (Array2D().Match(code) is { Success: true } matrix)
            {
                return PyValue.Of(Bracketed().Matches(matrix.Value).Select(Row).ToList());
            }

            if (Array1D().Match(code) is not { Success: true } match)
            {
                return PyValue.Of(code);
            }

            Group group = match.Groups[1].Success ? match.Groups[1] : match.Groups[2];
            string inside = PyText.Strip(group.Value);
            List<PyValue> items = [];
            foreach (string part in inside.Length == 0 ? [] : inside.Split(','))
            {
                string element = PyText.Strip(part);
                items.Add(string.IsNullOrEmpty(nestedType) ? Value(element) : Convert(element, nestedType, Quoted(element)));
            }

            return PyValue.Of(items);
        }
        catch (PyException)
        {
            // The original swallows every error of the conversion and keeps the text.
            return PyValue.Of(code);
        }
    }

    private static string? Quoted(string element) => element.StartsWith('\'') || element.StartsWith('"') ? "String" : null;

    private static PyValue Row(Match match, int index)
    {
        string inside = PyText.Strip(match.Groups[1].Value);
        if (index == 0 && inside.StartsWith('['))
        {
            inside = inside[1..];
        }

        return PyValue.Of(inside.Split(',').Select(element => Value(PyText.Strip(element))).ToList());
    }

    private static PyValue Object(string code)
    {
        PyDict entries = [];
        if (code == "{}")
        {
            return PyValue.Of(entries);
        }

        if (Braced().Match(code) is not { Success: true } match)
        {
            return PyValue.Of(code);
        }

        foreach (Match pair in Pair().Matches(match.Groups[1].Value))
        {
            string key = PyText.Strip(pair.Groups[1].Value).Trim('\'', '"');
            string value = PyText.Strip(pair.Groups[2].Value);
            if (value.StartsWith('[') && value.EndsWith(']'))
            {
                entries[key] = Array(value, null);
            }
            else if (value.StartsWith('{') && value.EndsWith('}'))
            {
                entries[key] = Object(value);
            }
            else
            {
                entries[key] = Value(value.Trim('\'', '"'));
            }
        }

        return PyValue.Of(entries);
    }

    private static PyValue Value(string text)
    {
        text = PyText.Strip(text);
        if (text is "true" or "false")
        {
            return PyValue.Of(text == "true");
        }

        return IsQuoted(text) ? PyValue.Of(Inner(text)) : PyNumbers.ParseInt(text) ?? PyNumbers.ParseFloat(text) ?? PyValue.Of(text);
    }

    private static bool IsQuoted(string text) =>
        (text.StartsWith('"') && text.EndsWith('"')) || (text.StartsWith('\'') && text.EndsWith('\''));

    /// <summary>Python's <c>text[1:-1]</c>.</summary>
    private static string Inner(string text) => text.Length < 2 ? "" : text[1..^1];

    [GeneratedRegex(@"^-?\d+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^-?\d+(\.\d+)?$")]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^-?\d+n$")]
    private static partial Regex BigInt();

    [GeneratedRegex(@"\A(?:\[\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\]|\bnew\s+Array\(\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\))")]
    private static partial Regex Array2D();

    [GeneratedRegex(@"\A(?:\[(.*?)\]|\bnew\s+Array\((.*?)\))")]
    private static partial Regex Array1D();

    [GeneratedRegex(@"\[(.*?)\]")]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"\A\{(.*?)\}")]
    private static partial Regex Braced();

    [GeneratedRegex(@"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)")]
    private static partial Regex Pair();
}
