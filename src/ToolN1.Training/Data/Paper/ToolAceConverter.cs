using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// ToolACE conversations: the tools stand as JSON inside the system text, calls as <c>[Name(key=value), …]</c>. Every
/// assistant turn of calls becomes one example: all turns before it are the context, its calls the truth.
/// </summary>
public static class ToolAceConverter
{
    private const string Invoke = "that you can invoke:";
    private const string Decide = "Should you decide";

    /// <summary>The rows of an item, and why the others are left out.</summary>
    public static IEnumerable<PaperRowResult> Convert(JsonElement item)
    {
        if (Text(item, "system") is not string system || !item.TryGetProperty("conversations", out JsonElement turns) || turns.ValueKind != JsonValueKind.Array)
        {
            yield return PaperRowResult.Drop("no system text or no conversations");
            yield break;
        }

        if (Tools(system, out int toolsAt) is not List<ChatTool> tools)
        {
            yield return PaperRowResult.Drop("the system text has no tool list");
            yield break;
        }

        List<ChatMessage> context = [];
        bool any = false;
        foreach (JsonElement turn in turns.EnumerateArray())
        {
            if (Text(turn, "from") is not string role || Text(turn, "value") is not string value || Role(role) is not ChatRole speaker)
            {
                yield return PaperRowResult.Drop("a turn has no known speaker or no text");
                yield break;
            }

            if (speaker != ChatRole.Assistant || !LooksLikeCalls(value))
            {
                context.Add(new ChatMessage { Role = speaker, Content = value });
                continue;
            }

            any = true;
            List<TrainingCall>? calls = Calls(value);
            yield return calls is null ? PaperRowResult.Drop("calls that cannot be parsed")
                : calls.Exists(call => !tools.Exists(tool => tool.Name == call.Name)) ? PaperRowResult.Drop("a called tool is not offered")
                : context.Count == 0 ? PaperRowResult.Drop("no turn before the calls")
                : PaperRowResult.Keep(new TrainingRow
                {
                    System = system[..toolsAt],
                    Tools = tools,
                    Messages = [.. context],
                    Answer = calls,
                    Category = context.Count >= 2 ? "toolace-multi" : "toolace-single",
                });
            context.Add(calls is null ? new ChatMessage { Role = speaker, Content = value } : new ChatMessage
            {
                Role = speaker,
                ToolCalls = calls.Select((call, i) => new ToolCall($"call_{context.Count}_{i}", call.Name, call.ArgumentsJson)).ToList(),
            });
        }

        if (!any)
        {
            yield return PaperRowResult.Drop("no turn of calls");
        }
    }

    /// <summary>The calls of a bracketed turn, or null; read by a real parser, so a ")" inside a string ends nothing.</summary>
    internal static List<TrainingCall>? Calls(string text)
    {
        try
        {
            List<TrainingCall> calls = [];
            foreach ((string name, PyDict arguments) in PyExpressionParser.ParseLooseCalls(PyText.Strip(text)))
            {
                using JsonDocument json = JsonDocument.Parse(PyJsonWriter.Dumps(PyValue.Of(arguments)));
                calls.Add(new TrainingCall(name, PythonJson.Write(json.RootElement)));
            }

            return calls;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private static bool LooksLikeCalls(string text)
    {
        string trimmed = PyText.Strip(text);
        return trimmed.StartsWith('[') && trimmed.EndsWith(")]", StringComparison.Ordinal) && trimmed.Contains('(', StringComparison.Ordinal);
    }

    /// <summary>The JSON list between "…that you can invoke:" and "Should you decide…", and where it begins.</summary>
    private static List<ChatTool>? Tools(string system, out int at)
    {
        int marker = system.IndexOf(Invoke, StringComparison.Ordinal);
        at = marker + Invoke.Length;
        int end = marker < 0 ? -1 : system.IndexOf(Decide, at, StringComparison.Ordinal);
        int open = marker < 0 ? -1 : system.IndexOf('[', at);
        int close = system.LastIndexOf(']', end < 0 ? system.Length - 1 : end);
        if (marker < 0 || open < 0 || close < open)
        {
            return null;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(system.AsMemory(open, close - open + 1));
            List<ChatTool> tools = [];
            foreach (JsonElement tool in json.RootElement.EnumerateArray())
            {
                if (Text(tool, "name") is not string name)
                {
                    return null;
                }

                tools.Add(new ChatTool(name, PythonJson.Write(tool)));
            }

            return tools.Count > 0 ? tools : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ChatRole? Role(string speaker) => speaker switch
    {
        "user" or "human" => ChatRole.User,
        "assistant" or "gpt" or "function_call" => ChatRole.Assistant,
        "tool" or "observation" => ChatRole.Tool,
        _ => null,
    };

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
