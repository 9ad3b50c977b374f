using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data;

/// <summary>
/// Reads OpenAI's fine-tuning lines: conversations (<c>messages</c> with <c>tool_calls</c>, <c>tools</c>), and prompts for reinforcement. Every assistant message that calls
/// tools becomes a row of its own, with all that came before it as the conversation; <c>"weight": 0</c> leaves one out.
/// Assistant messages without calls are context, unless the conversation has no calls at all: then each answers that no
/// tool applies or, where none is on offer, in its words.
/// </summary>
public static class ChatRowReader
{
    private static readonly HashSet<string> RowFields = ["messages", "tools", "parallel_tool_calls"];
    private static readonly HashSet<string> MessageFields = ["role", "content", "tool_calls", "tool_call_id", "reasoning_content", "weight", "refusal", "name"];
    private static readonly HashSet<string> FunctionFields = ["name", "description", "parameters", "strict"];

    /// <summary>The rows of a line.</summary>
    /// <param name="root">The line's JSON.</param>
    /// <returns>At least one row. One whose message has no <c>reasoning_content</c> has an empty <see cref="TrainingRow.Think"/>: the format has no place for it, so its absence says nothing.</returns>
    /// <exception cref="FormatException">It is not such a line; names the field.</exception>
    public static IReadOnlyList<TrainingRow> Parse(JsonElement root)
    {
        RequireFields(root, RowFields, "");
        ChatTool[] tools = Tools(root);
        bool oneCall = root.TryGetProperty("parallel_tool_calls", out JsonElement parallel) && parallel.ValueKind switch
        {
            JsonValueKind.False => true,
            JsonValueKind.True or JsonValueKind.Null => false,
            _ => throw new FormatException("parallel_tool_calls is not true or false"),
        };
        List<TrainingRow> rows = [];
        List<TrainingRow> words = [];
        bool hasCalls = false;
        Read(root, (message, calls, element, place, system, before) =>
        {
            hasCalls |= calls.Count > 0;
            if (calls.Count > 0 && IsTaught(element, place))
            {
                rows.Add(new TrainingRow
                {
                    System = system,
                    Tools = tools,
                    Messages = before.Count > 0 ? [.. before] : throw new FormatException($"{place} calls tools before anybody said anything"),
                    Answer = oneCall && calls.Count > 1 ? throw new FormatException($"{place}.tool_calls has {calls.Count} calls, but parallel_tool_calls is false") : calls,
                    Think = Text(element, "reasoning_content", place) ?? "",
                });
            }
            else if (calls.Count == 0 && !string.IsNullOrEmpty(message.Content) && before.Count > 0 && IsTaught(element, place))
            {
                // As the server asks: with tools on offer an answer is a list of calls, words come without them.
                string? reasoning = Text(element, "reasoning_content", place);
                words.Add(new TrainingRow
                {
                    System = system,
                    Tools = tools,
                    Messages = [.. before],
                    Answer = [],
                    Reply = tools.Length == 0 ? message.Content : null,
                    Think = tools.Length == 0 ? reasoning : reasoning ?? "",
                });
            }
        });
        return rows.Count > 0 ? rows
            : !hasCalls && words.Count > 0 ? words
            : throw new FormatException("no assistant message is to be learnt: there is nothing to learn (a prompt for reinforcement ends with the user's message and has reference fields beside it)");
    }

    /// <summary>Whether a line is one of OpenAI's prompts for reinforcement: a conversation that waits for its answer, with fields of its own for graders.</summary>
    public static bool IsPrompt(JsonElement root) =>
        root.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array && messages.GetArrayLength() > 0
        && messages[messages.GetArrayLength() - 1] is { ValueKind: JsonValueKind.Object } last
        && last.TryGetProperty("role", out JsonElement role) && role.ValueKind == JsonValueKind.String && role.GetString() is "user" or "tool"
        && root.EnumerateObject().Any(field => !RowFields.Contains(field.Name));

    /// <summary>The row of a prompt: no calls of its own; all of its line is what graders see as <c>item</c>.</summary>
    /// <param name="root">The line's JSON, for which <see cref="IsPrompt"/> holds.</param>
    /// <exception cref="FormatException">It is not such a line; names the field.</exception>
    public static TrainingRow ParsePrompt(JsonElement root)
    {
        foreach (string legacy in new[] { "functions", "function_call" })
        {
            // As a field for graders it would be kept from the model, which nobody means.
            if (root.TryGetProperty(legacy, out _))
            {
                throw new FormatException($"unknown field '{legacy}'");
            }
        }

        (string? system, List<ChatMessage> messages) = Read(root, (_, _, _, _, _, _) => { });
        return new TrainingRow { System = system, Tools = Tools(root), Messages = messages, Answer = [], Item = PythonJson.Write(root) };
    }

    private delegate void AssistantRead(ChatMessage message, IReadOnlyList<TrainingCall> calls, JsonElement element, string place, string? system, List<ChatMessage> before);

    private static ChatTool[] Tools(JsonElement root) => root.TryGetProperty("tools", out JsonElement list) && list.ValueKind != JsonValueKind.Null
        ? [.. Expect(list, JsonValueKind.Array, "tools").EnumerateArray().Select(Tool)]
        : [];

    /// <summary>The system text and the messages of a conversation; tells of every assistant message with what came before it.</summary>
    private static (string? System, List<ChatMessage> Messages) Read(JsonElement root, AssistantRead assistantRead)
    {
        if (!root.TryGetProperty("messages", out JsonElement messages))
        {
            throw new FormatException("'messages' is missing");
        }

        string? system = null;
        List<ChatMessage> before = [];
        int index = 0;
        foreach (JsonElement element in Expect(messages, JsonValueKind.Array, "messages").EnumerateArray())
        {
            string place = $"messages[{index}]";
            RequireFields(Expect(element, JsonValueKind.Object, place), MessageFields, place + ".");
            string role = Text(element, "role", place) ?? throw new FormatException($"{place}.role is missing");
            switch (role)
            {
                case "system" or "developer":
                    system = index == 0 ? Spoken(element, place, RequiredContent(element, place)) : throw new FormatException($"{place}.role '{role}' stands only first");
                    break;
                case "user":
                    before.Add(new ChatMessage { Role = ChatRole.User, Content = Spoken(element, place, RequiredContent(element, place)) });
                    break;
                case "tool":
                    before.Add(new ChatMessage { Role = ChatRole.Tool, Content = RequiredContent(element, place), ToolCallId = Text(element, "tool_call_id", place) ?? throw new FormatException($"{place}.tool_call_id is missing") });
                    break;
                case "assistant":
                    (ChatMessage message, IReadOnlyList<TrainingCall> calls) = Assistant(element, place);
                    assistantRead(message, calls, element, place, system, before);
                    before.Add(message with { Content = Spoken(element, place, message.Content) });
                    break;
                default:
                    throw new FormatException($"{place}.role '{role}' is not system, developer, user, assistant or tool");
            }

            index++;
        }

        return (system, before);
    }

    private static bool IsTaught(JsonElement message, string place) =>
        !message.TryGetProperty("weight", out JsonElement weight) || weight.ValueKind == JsonValueKind.Null
        || (weight.ValueKind == JsonValueKind.Number && weight.TryGetDouble(out double value) && value is 0 or 1
            ? value == 1
            : throw new FormatException($"{place}.weight is not 0 or 1"));

    private static (ChatMessage Message, IReadOnlyList<TrainingCall> Calls) Assistant(JsonElement element, string place)
    {
        if (Text(element, "refusal", place) is not null)
        {
            throw new FormatException($"{place}.refusal: a refusal is not something this model can learn");
        }

        List<ToolCall> calls = [];
        List<TrainingCall> answer = [];
        if (element.TryGetProperty("tool_calls", out JsonElement list) && list.ValueKind != JsonValueKind.Null)
        {
            foreach (JsonElement call in Expect(list, JsonValueKind.Array, place + ".tool_calls").EnumerateArray())
            {
                string where = $"{place}.tool_calls[{calls.Count}]";
                if (!Expect(call, JsonValueKind.Object, where).TryGetProperty("function", out JsonElement function))
                {
                    throw new FormatException($"{where}.function is missing");
                }

                string name = Text(Expect(function, JsonValueKind.Object, where + ".function"), "name", where + ".function") ?? throw new FormatException($"{where}.function.name is missing");
                string arguments = Text(function, "arguments", where + ".function") ?? throw new FormatException($"{where}.function.arguments is missing");
                calls.Add(new ToolCall(Text(call, "id", where) ?? "", name, arguments));
                answer.Add(new TrainingCall(name, Arguments(arguments, where + ".function.arguments")));
            }
        }

        string? content = Content(element, place);
        return content is null && calls.Count == 0
            ? throw new FormatException($"{place} has neither content nor tool_calls")
            : (new ChatMessage { Role = ChatRole.Assistant, Content = content, ToolCalls = calls }, answer);
    }

    private static string Arguments(string text, string place)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? PythonJson.Write(document.RootElement)
                : throw new FormatException($"{place} is not the text of a JSON object");
        }
        catch (JsonException)
        {
            throw new FormatException($"{place} is not the text of a JSON object");
        }
    }

    private static ChatTool Tool(JsonElement element, int index)
    {
        string place = $"tools[{index}]";
        if (!Expect(element, JsonValueKind.Object, place).TryGetProperty("function", out JsonElement function) || Text(element, "type", place) != "function")
        {
            throw new FormatException($"{place} is not {{\"type\": \"function\", \"function\": …}}");
        }

        RequireFields(Expect(function, JsonValueKind.Object, place + ".function"), FunctionFields, place + ".function.");
        string name = Text(function, "name", place + ".function") ?? throw new FormatException($"{place}.function.name is missing");

        // As in a chat request, "strict" and nulls are not for the model's eyes.
        IEnumerable<string> fields = function.EnumerateObject()
            .Where(field => field.Name != "strict" && field.Value.ValueKind != JsonValueKind.Null)
            .Select(field => $"{PythonJson.Quote(field.Name)}: {PythonJson.Write(field.Value)}");
        return new ChatTool(name, "{" + string.Join(", ", fields) + "}");
    }

    private static string RequiredContent(JsonElement message, string place) =>
        Content(message, place) ?? throw new FormatException($"{place}.content is missing");

    /// <summary>The text as the chat formats write it: a row has no field for the speaker's name.</summary>
    private static string? Spoken(JsonElement message, string place, string? content) =>
        Text(message, "name", place) is not { Length: > 0 } name || string.IsNullOrEmpty(content) ? content : $"{name}: {content}";

    private static string? Content(JsonElement message, string place)
    {
        if (!message.TryGetProperty("content", out JsonElement content) || content.ValueKind != JsonValueKind.Array)
        {
            return Text(message, "content", place);
        }

        return string.Concat(content.EnumerateArray().Select((part, index) =>
            Text(Expect(part, JsonValueKind.Object, $"{place}.content[{index}]"), "type", place) == "text" && Text(part, "text", place) is string text
                ? text
                : throw new FormatException($"{place}.content[{index}] is not a text part")));
    }

    private static string? Text(JsonElement element, string name, string place) =>
        !element.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new FormatException($"{place}.{name} is not a string");

    private static void RequireFields(JsonElement element, HashSet<string> known, string prefix)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!known.Contains(property.Name))
            {
                throw new FormatException($"unknown field '{prefix}{property.Name}'");
            }
        }
    }

    private static JsonElement Expect(JsonElement element, JsonValueKind kind, string place) =>
        element.ValueKind == kind ? element : throw new FormatException($"{place} is not {(kind == JsonValueKind.Array ? "a list" : "an object")}");
}
