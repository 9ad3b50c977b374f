using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// Turns the text of a Java literal into a value, by the official checker's own regular expressions: what they do not
/// recognise stays a string.
/// </summary>
internal static partial class JavaLiterals
{
    /// <exception cref="PyException">A collection type that the official converter does not support.</exception>
    public static PyValue Convert(string value, string type, string? nestedType)
    {
        switch (type)
        {
            case "byte" or "short" or "integer":
                return Whole().IsMatch(value) ? PyNumbers.ParseInt(value)! : PyValue.Of(value);
            case "float":
                return FloatF().IsMatch(value) ? PyNumbers.ParseFloat(TrimSuffix(value, 'f', 'F'))! : PyValue.Of(value);
            case "double":
                return Double().IsMatch(value) ? PyNumbers.ParseFloat(value)! : PyValue.Of(value);
            case "long":
                return Long().IsMatch(value) ? PyNumbers.ParseInt(TrimSuffix(value, 'l', 'L'))! : PyValue.Of(value);
            case "boolean":
                return value is "true" or "false" ? PyValue.Of(value == "true") : PyValue.Of(value);
            case "char" or "String" or "any":
                return PyValue.Of(value);
            case "Array":
                return Array(value, nestedType);
            case "ArrayList":
                return ArrayList(value, nestedType);
            case "HashMap":
                return HashMap(value);
            case "Hashtable" or "Queue" or "Stack":
                throw new PyException("NotImplementedError", $"{type} conversion is not implemented");
            default:
                throw new PyException("ValueError", $"Unsupported type: {type}");
        }
    }

    private static PyValue ArrayList(string text, string? nestedType)
    {
        if (AsList().Match(text) is { Success: true } list)
        {
            return PyValue.Of(list.Groups[1].Value.Split(',').Select(element => Element(element, nestedType)).ToList());
        }

        if (DoubleBrace().Match(text) is { Success: true } adds)
        {
            return PyValue.Of(Add().Matches(adds.Groups[1].Value).Select(add => Element(add.Groups[1].Value, nestedType)).ToList());
        }

        return EmptyArrayList().IsMatch(text) ? PyValue.Of(new List<PyValue>()) : PyValue.Of(text);
    }

    private static PyValue Element(string text, string? nestedType)
    {
        text = PyText.Strip(text);
        return nestedType switch
        {
            "char" or "String" => PyValue.Of(Inner(text)),
            null or "" => Value(text),
            _ => Convert(text, nestedType, null),
        };
    }

    private static PyValue Array(string text, string? nestedType)
    {
        if (ArrayInitializer().Match(text) is not { Success: true } match)
        {
            return PyValue.Of(text);
        }

        List<PyValue> items = [];
        foreach (string part in match.Groups[1].Value.Split(','))
        {
            string element = PyText.Strip(part);
            if (element.Length > 0)
            {
                items.Add(string.IsNullOrEmpty(nestedType) ? Value(element) : Convert(element, nestedType, null));
            }
        }

        return PyValue.Of(items);
    }

    private static PyValue HashMap(string text)
    {
        PyDict entries = [];
        if (HashMapInitializer().Match(text) is { Success: true } match)
        {
            foreach (Match put in Put().Matches(match.Groups[1].Value))
            {
                entries[put.Groups[1].Value] = Value(PyText.Strip(put.Groups[2].Value));
            }

            return PyValue.Of(entries);
        }

        return EmptyHashMap().IsMatch(text) ? PyValue.Of(entries) : PyValue.Of(text);
    }

    private static PyValue Value(string text)
    {
        if (text is "true" or "false")
        {
            return PyValue.Of(text == "true");
        }

        if (text.StartsWith('"') && text.EndsWith('"'))
        {
            return PyValue.Of(Inner(text));
        }

        if (Long().IsMatch(text))
        {
            return PyNumbers.ParseInt(text[..^1]) ?? throw new PyException("ValueError", "invalid literal for int()");
        }

        if (FloatF().IsMatch(text))
        {
            return PyNumbers.ParseFloat(TrimSuffix(text, 'f', 'F'))!;
        }

        return PyNumbers.ParseInt(text) ?? PyNumbers.ParseFloat(text) ?? PyValue.Of(text);
    }

    /// <summary>Python's <c>text[1:-1]</c>.</summary>
    private static string Inner(string text) => text.Length < 2 ? "" : text[1..^1];

    /// <summary><c>re.sub("[xX]$", "", text)</c>: one last letter, also before a final newline.</summary>
    private static string TrimSuffix(string text, char lower, char upper)
    {
        string body = text.EndsWith('\n') ? text[..^1] : text;
        return body.Length > 0 && (body[^1] == lower || body[^1] == upper) ? body[..^1] : text;
    }

    [GeneratedRegex(@"^-?\d+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]$")]
    private static partial Regex FloatF();

    [GeneratedRegex(@"^-?\d+(\.\d+)?([eE][+-]?\d+)?$")]
    private static partial Regex Double();

    [GeneratedRegex(@"^-?\d+[lL]$")]
    private static partial Regex Long();

    [GeneratedRegex(@"new\s+ArrayList<\w*>\(Arrays\.asList\((.+?)\)\)")]
    private static partial Regex AsList();

    [GeneratedRegex(@"new\s+ArrayList<\w*>\(\)\s*\{\{\s*(.+?)\s*\}\}", RegexOptions.Singleline)]
    private static partial Regex DoubleBrace();

    [GeneratedRegex(@"add\((.+?)\)")]
    private static partial Regex Add();

    [GeneratedRegex(@"new\s+ArrayList<\w*>\(\)")]
    private static partial Regex EmptyArrayList();

    [GeneratedRegex(@"new\s+\w+\[\]\s*\{(.*?)\}")]
    private static partial Regex ArrayInitializer();

    [GeneratedRegex(@"new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}", RegexOptions.Singleline)]
    private static partial Regex HashMapInitializer();

    [GeneratedRegex(@"put\(""(.*?)"",\s*(.*?)\)")]
    private static partial Regex Put();

    [GeneratedRegex(@"new\s+HashMap<.*?>\s*\(\)")]
    private static partial Regex EmptyHashMap();
}
