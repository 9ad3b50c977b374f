using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// Native replies in the one form that the scorers read: all calls of a reply in a single <c>&lt;tool_call&gt;</c> block.
/// </summary>
public static class NativeReply
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

    /// <summary>
    /// From a model's raw text, read as the server reads it: what is inside think tags is prose; <c>hermes</c> writes a block
    /// a call, so that all blocks count, while a <c>tool-n1</c> turn ends with its first block of calls. A text without
    /// calls stays as it is, without its thinking, to be scored as an empty list, as broken or as prose.
    /// </summary>
    /// <param name="text">All that the model wrote.</param>
    /// <param name="chatFormat">The format's name; any but <c>tool-n1</c> is read as <c>hermes</c>.</param>
    /// <param name="truncated">The token limit was reached, so that an open block is cut, not ended.</param>
    public static string FromText(string text, string chatFormat, bool truncated)
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: chatFormat == "tool-n1", tools: []);
        List<(string Name, string Arguments)> calls = [];
        foreach (ChatEvent part in parser.Append(text).Concat(parser.Complete(truncated)))
        {
            switch (part)
            {
                case ChatEvent.ToolCallBegin call:
                    calls.Add((call.Name, ""));
                    break;
                case ChatEvent.ToolCallArgumentsDelta piece:
                    calls[^1] = (calls[^1].Name, calls[^1].Arguments + piece.Json);
                    break;
            }
        }

        return calls.Count > 0 ? FromCalls(calls) : parser.Thinking switch
        {
            ThinkingOutcome.None => text,
            ThinkingOutcome.Closed => text[(text.IndexOf("</think>", StringComparison.Ordinal) + "</think>".Length)..],
            _ => "",
        };
    }

    internal static string Block(PyValue calls) => $"<tool_call>{PyJsonWriter.Dumps(calls)}</tool_call>";
}
