using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// ToolACE conversations: the tools stand as JSON inside the system text, calls as <c>[Name(key=value), …]</c>. Every
/// assistant turn of calls becomes one example: all turns before it are the context, its calls the truth. The system text is
/// kept up to the sentence that introduces the tools.
/// </summary>
/// <param name="parity">
/// True: read tools and calls as the published script does (<see cref="PublishedCalls"/>), and write past calls as it does.
/// False: a real parser for both, past calls as calls.
/// </param>
public sealed partial class ToolAceConverter(bool parity = false) : IPaperConverter
{
    private const string Marker = "JSON format that you can invoke:\n";
    private const string LooseMarker = "that you can invoke:";

    /// <inheritdoc/>
    public string KindOf(JsonElement item)
    {
        int users = Turns(item) is JsonElement turns ? turns.EnumerateArray().Count(turn => PaperJson.Text(turn, "from") is "user" or "human") : 0;
        return users > 1 ? "toolace-multi" : "toolace-single";
    }

    /// <inheritdoc/>
    public IEnumerable<PaperExample> Convert(JsonElement item)
    {
        // 1. Tools and system text.
        if (PaperJson.Text(item, "system") is not string system || Turns(item) is not JsonElement turns)
        {
            yield return PaperExample.Drop(DropReasons.MissingFields, "system and conversations");
            yield break;
        }

        if ((parity ? PublishedTools(system) : ParsedTools(system)) is not (string kept, JsonElement list) || list.GetArrayLength() == 0)
        {
            yield return PaperExample.Drop(DropReasons.NoTools);
            yield break;
        }

        if (PaperJson.Tools(list) is not List<ChatTool> tools)
        {
            yield return PaperExample.Drop(DropReasons.UnnamedTool);
            yield break;
        }

        // 2. One example for every turn of calls.
        List<ChatMessage> context = [];
        int turnsBefore = 0;
        bool any = false;
        foreach (JsonElement turn in turns.EnumerateArray())
        {
            if (PaperJson.Text(turn, "from") is not string speaker || PaperJson.Text(turn, "value") is not string value || (!parity && Role(speaker) is null))
            {
                yield return PaperExample.Drop(DropReasons.UnknownTurn, PaperJson.Text(turn, "from"));
                yield break;
            }

            List<TrainingCall>? calls = null;
            if (Role(speaker) == ChatRole.Assistant && (parity || LooksLikeCalls(value)))
            {
                calls = parity ? PublishedCalls.Read(value) : ParsedCalls(value);
                if (!parity || calls is not null)
                {
                    any = true;
                    yield return Example(kept, tools, context, turnsBefore, value, calls);
                }
            }

            turnsBefore++;
            if (Role(speaker) is ChatRole role)
            {
                context.Add(Past(role, value, calls, context.Count));
            }
        }

        if (!any)
        {
            yield return PaperExample.Drop(DropReasons.NoCalls);
        }
    }

    /// <summary>The calls of a bracketed turn, or null; read by a real parser, so a ")" inside a string ends nothing.</summary>
    internal static List<TrainingCall>? ParsedCalls(string text)
    {
        try
        {
            List<TrainingCall> calls = [];
            foreach ((string name, PyDict arguments) in PyExpressionParser.ParseLooseCalls(PyText.Strip(text)))
            {
                using JsonDocument json = JsonDocument.Parse(PyJsonWriter.Dumps(PyValue.Of(arguments)));
                calls.Add(new TrainingCall(name, PythonJson.Write(json.RootElement)));
            }

            return calls.Count > 0 ? calls : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private PaperExample Example(string system, List<ChatTool> tools, List<ChatMessage> context, int turnsBefore, string value, List<TrainingCall>? calls)
    {
        if (calls is null)
        {
            return PaperExample.Drop(DropReasons.UnparsableCalls, value);
        }

        if (PaperJson.NotOffered(calls, tools) is string unknown)
        {
            return PaperExample.Drop(DropReasons.NotOffered, unknown);
        }

        if (context.Count == 0)
        {
            return PaperExample.Drop(DropReasons.NoContext);
        }

        if (parity && !calls.TrueForAll(call => PaperJson.TryParse(call.ArgumentsJson, out _)))
        {
            return PaperExample.Drop(DropReasons.UnparsableCalls, "a number that JSON has not");
        }

        TrainingRow row = new()
        {
            System = system,
            Tools = tools,
            Messages = [.. context],
            Answer = parity ? calls.ConvertAll(call => call with { ArgumentsJson = Unescaped(call.ArgumentsJson) }) : calls,
            Category = turnsBefore >= 2 ? "toolace-multi" : "toolace-single",
        };
        return PaperExample.Keep(row) with { PublishedReadsOtherwise = !parity && !SameAsPublished(value, calls) };
    }

    private ChatMessage Past(ChatRole role, string value, List<TrainingCall>? calls, int number) => calls is null
        ? new ChatMessage { Role = role, Content = value }
        : parity
            ? new ChatMessage { Role = role, Content = PublishedCalls.ContextText(calls) }
            : new ChatMessage { Role = role, ToolCalls = calls.Select((call, i) => new ToolCall($"call_{number}_{i}", call.Name, call.ArgumentsJson)).ToList() };

    private static bool SameAsPublished(string value, List<TrainingCall> calls) =>
        PublishedCalls.Read(value)?.ConvertAll(call => call with { ArgumentsJson = Unescaped(call.ArgumentsJson) }) is List<TrainingCall> published && published.SequenceEqual(calls);

    private static string Unescaped(string json) => PaperJson.TryParse(json, out JsonElement value) ? PythonJson.Write(value) : json;

    private static bool LooksLikeCalls(string text)
    {
        string trimmed = PyText.Strip(text);
        return trimmed.StartsWith('[') && trimmed.EndsWith(")]", StringComparison.Ordinal) && trimmed.Contains('(', StringComparison.Ordinal);
    }

    /// <summary>The list between the two sentences without its last two characters, and its bracket put back.</summary>
    private static (string System, JsonElement Tools)? PublishedTools(string system)
    {
        int end = system.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length;
        string list = Between().Match(system) is { Success: true } match ? PyText.Strip(match.Groups[1].Value) : "";
        return list.Length >= 2 && PaperJson.TryParse(list[..^2] + "]", out JsonElement tools) && tools.ValueKind == JsonValueKind.Array ? (system[..end], tools) : null;
    }

    /// <summary>The JSON list that begins behind the marker, wherever it ends.</summary>
    private static (string System, JsonElement Tools)? ParsedTools(string system)
    {
        int marker = system.IndexOf(LooseMarker, StringComparison.Ordinal);
        int end = marker + LooseMarker.Length;
        int open = marker < 0 ? -1 : system.IndexOf('[', end);
        if (open < 0)
        {
            return null;
        }

        try
        {
            Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(system[open..]), isFinalBlock: true, default);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return PaperJson.TryParse(document.RootElement.GetRawText(), out JsonElement tools) ? (system[..end], tools) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement? Turns(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("conversations", out JsonElement turns) && turns.ValueKind == JsonValueKind.Array ? turns : null;

    private static ChatRole? Role(string speaker) => speaker switch
    {
        "user" or "human" => ChatRole.User,
        "assistant" or "gpt" or "function_call" => ChatRole.Assistant,
        "tool" or "observation" => ChatRole.Tool,
        _ => null,
    };

    [GeneratedRegex(@"Here is a list of functions in JSON format that you can invoke:\n(.*?)\nShould you decide to return the function call\(s\).", RegexOptions.Singleline)]
    private static partial Regex Between();
}
