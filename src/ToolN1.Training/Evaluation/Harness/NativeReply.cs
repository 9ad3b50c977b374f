using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// Native replies in the one form that the scorers read: all calls of a reply in a single <c>&lt;tool_call&gt;</c> block.
/// Models of the Hermes family write one block a call.
/// </summary>
public static partial class NativeReply
{
    /// <summary>What a native reply begins with: it is never part of a model's text.</summary>
    internal const string Mark = "\uE000native\uE000";

    /// <summary>From a server's structured calls; their arguments are JSON text.</summary>
    public static string FromCalls(IEnumerable<(string Name, string ArgumentsJson)> calls)
    {
        List<PyValue> items = [];
        foreach ((string name, string json) in calls)
        {
            PyValue arguments = PyJson.TryParse(json, out PyValue? parsed) ? parsed : PyValue.Of(json);
            items.Add(PyValue.Of(new PyDict { ["name"] = PyValue.Of(name), ["arguments"] = arguments }));
        }

        return Mark + Block(PyValue.Of(items));
    }

    /// <summary>From a model's raw text; a block that is no JSON leaves the text as it is, to be scored as broken.</summary>
    public static string FromText(string text)
    {
        List<PyValue> items = [];
        MatchCollection blocks = Blocks().Matches(text);
        foreach (Match block in blocks)
        {
            if (!PyJson.TryParse(PyText.Strip(block.Groups[1].Value), out PyValue? value))
            {
                return text;
            }

            items.AddRange(value.Kind == PyKind.List ? value.Items : [value]);
        }

        return blocks.Count == 0 ? text : Mark + Block(PyValue.Of(items));
    }

    internal static string Block(PyValue calls) => $"<tool_call>{PyJsonWriter.Dumps(calls)}</tool_call>";

    [GeneratedRegex("<tool_call>(.*?)</tool_call>", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
