using System.Text;
using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Bracketed calls as the published script reads them, quirks included: a call ends at the first <c>)</c>, even inside a
/// string (<c>f(a="(x) y")</c> is <c>a="(x"</c>); of a name with a slash only the part behind it remains; what is no literal
/// becomes its bare text without quotes at its ends; a pair without <c>=</c> vanishes.
/// </summary>
/// <remarks>Behaviour of NVlabs/Tool-N1's raw_data_process.py, written anew.</remarks>
internal static partial class PublishedCalls
{
    /// <summary>The calls; null where the script takes the turn for text.</summary>
    public static List<TrainingCall>? Read(string text)
    {
        if (!text.StartsWith('[') || !text.EndsWith(']') || !Shape().IsMatch(PyText.Strip(text)))
        {
            return null;
        }

        List<TrainingCall> calls = [];
        foreach (Match call in OneCall().Matches(text))
        {
            PyDict arguments = [];
            foreach (string pair in SplitAtTop(call.Groups[2].Value))
            {
                int equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals >= 0)
                {
                    string value = PyText.Strip(pair[(equals + 1)..]);
                    arguments[PyText.Strip(pair[..equals])] = PyExpressionParser.ParseLiteral(value) ?? PyValue.Of(value.Trim('\'', '"'));
                }
            }

            calls.Add(new TrainingCall(PyText.Strip(call.Groups[1].Value), PyJsonWriter.Dumps(PyValue.Of(arguments))));
        }

        return calls.Count > 0 ? calls : null;
    }

    /// <summary>The turn that the script puts into later examples' context: the calls as JSON text, JSON-encoded once more.</summary>
    public static string ContextText(IEnumerable<TrainingCall> calls) => PyJsonWriter.Dumps(PyValue.Of(
        "[" + string.Join(", ", calls.Select(call => $"{{\"name\": {PyJsonWriter.Dumps(PyValue.Of(call.Name))}, \"arguments\": {call.ArgumentsJson}}}")) + "]"));

    /// <summary>Parts between commas that stand in no bracket and no quotes; a backslash does not escape a quote.</summary>
    private static IEnumerable<string> SplitAtTop(string text)
    {
        StringBuilder part = new();
        int depth = 0;
        char quote = '\0';
        foreach (char c in text)
        {
            if (quote == '\0' && c == ',' && depth == 0)
            {
                yield return PyText.Strip(part.ToString());
                part.Clear();
                continue;
            }

            (quote, depth) = (quote, c) switch
            {
                ('\0', '\'' or '"') => (c, depth),
                ('\0', '(' or '[' or '{') => (quote, depth + 1),
                ('\0', ')' or ']' or '}') => (quote, depth - 1),
                _ when c == quote => ('\0', depth),
                _ => (quote, depth),
            };
            part.Append(c);
        }

        if (part.Length > 0)
        {
            yield return PyText.Strip(part.ToString());
        }
    }

    [GeneratedRegex(@"([a-zA-Z0-9._?|\s\-]+)\((.*?)\)")]
    private static partial Regex OneCall();

    /// <summary>Whether the whole turn is a list of calls. Non-backtracking: the nested repetition is exponential otherwise.</summary>
    private static Regex Shape() => ShapeExpression.Value;

    private static readonly Lazy<Regex> ShapeExpression = new(() => new Regex(
        @"^\[\s*([a-zA-Z0-9._?|\s\-/]+\(.*?\)\s*)(,\s*[a-zA-Z0-9._?|\s\-/]+\(.*?\)\s*)*\]$", RegexOptions.NonBacktracking));
}
