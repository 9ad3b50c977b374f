using System.Text.Json;

namespace ToolN1.Engine.Chat;

/// <summary>
/// Renders rows of training data to prompts. Rows in the shape of Tool-N1's preparation (<c>conversations</c> with
/// <c>raw_system</c>) come out byte for byte as there, its quirk included that a past call is a JSON string of JSON text;
/// rows of chat messages come out as the server would send them.
/// </summary>
public static class PromptRowRenderer
{
    /// <summary>Renders one row with ChatML turns and the generation prompt.</summary>
    /// <param name="format"><c>tool-n1</c> or <c>hermes</c>.</param>
    /// <param name="row">
    /// <c>tools</c> (function objects, bare or as <c>{"type": "function", "function": …}</c>) and one of: <c>conversations</c>
    /// (Tool-N1's raw turns: human, gpt, function_call, observation; others vanish) with <c>raw_system</c>;
    /// <c>messages</c> (OpenAI's), whose system text may be the finished one where <c>raw_system</c> is given too, or may
    /// stand in <c>system</c>.
    /// </param>
    /// <exception cref="InvalidDataException">A row that lacks what it needs or contradicts itself.</exception>
    public static ChatPrompt Render(string format, JsonElement row)
    {
        try
        {
            ChatTool[] tools = [.. Array(row, "tools").Select(ReadTool)];
            string? rawSystem = Text(row, "raw_system");
            if (rawSystem is not null && format == "tool-n1")
            {
                return RenderRaw(rawSystem, tools, row);
            }

            List<ChatMessage> messages = [.. Array(row, "messages").Select(ReadMessage)];
            if ((Text(row, "system") ?? rawSystem) is { } system)
            {
                if (messages.Count > 0 && messages[0].Role == ChatRole.System)
                {
                    throw new InvalidDataException("'system' is given twice: by itself and as the first message.");
                }

                messages.Insert(0, new ChatMessage { Role = ChatRole.System, Content = system });
            }

            IChatFormat renderer = format switch
            {
                "tool-n1" => new ToolN1Format(TurnMarkup.ChatMl),
                "hermes" => new HermesFormat(TurnMarkup.ChatMl),
                _ => throw new ArgumentException($"'{format}' is not a format of prompts; known are tool-n1 and hermes.", nameof(format)),
            };
            return renderer.Render(messages, tools, addGenerationPrompt: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException($"The row cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>A tool of a row.</summary>
    /// <exception cref="InvalidDataException">No function object with a name.</exception>
    public static ChatTool ReadTool(JsonElement tool)
    {
        JsonElement function = tool;
        if (tool.TryGetProperty("function", out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
        {
            if (tool.EnumerateObject().Any(property => property.Name is not ("type" or "function")))
            {
                throw new InvalidDataException("A tool holds more than 'type' and 'function'.");
            }

            function = inner;
        }

        return new ChatTool(Text(function, "name") ?? throw new InvalidDataException("A tool has no name."), function.GetRawText());
    }

    private static ChatPrompt RenderRaw(string rawSystem, ChatTool[] tools, JsonElement row)
    {
        TurnMarkup markup = TurnMarkup.ChatMl;
        ChatPromptBuilder system = new();
        system.Content(rawSystem);
        ToolN1Format.AddToolSection(system, tools);
        List<ChatMessage> messages = row.TryGetProperty("conversations", out _)
            ? [.. Array(row, "conversations").Select(ReadRawTurn).OfType<ChatMessage>()]
            : [.. Array(row, "messages").Select(ReadMessage)];
        if (messages.Count > 0 && messages[0].Role == ChatRole.System)
        {
            if (messages[0].Content != system.Build().Text)
            {
                throw new InvalidDataException("The system message is not what 'raw_system' and 'tools' render to.");
            }

            messages.RemoveAt(0);
        }

        return new ToolN1Format(markup).RenderRaw(rawSystem, messages, tools);
    }

    private static ChatMessage? ReadRawTurn(JsonElement turn)
    {
        JsonElement value = turn.GetProperty("value");
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : PythonJson.Dumps(value.GetRawText(), ensureAscii: true);
        return Text(turn, "from") switch
        {
            "human" => new ChatMessage { Role = ChatRole.User, Content = text },
            "gpt" => new ChatMessage { Role = ChatRole.Assistant, Content = text },
            "observation" => new ChatMessage { Role = ChatRole.Tool, Content = text },
            "function_call" => new ChatMessage { Role = ChatRole.Assistant, Content = PythonJson.Quote(text, ensureAscii: true) },
            _ => null,
        };
    }

    /// <summary>A message in the shape of OpenAI's API, its content a text.</summary>
    internal static ChatMessage ReadMessage(JsonElement message) => new()
    {
        Role = Text(message, "role") switch
        {
            "system" or "developer" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            "tool" => ChatRole.Tool,
            string other => throw new InvalidDataException($"'{other}' is not a role; known are system, developer, user, assistant and tool."),
            null => throw new InvalidDataException("A message has no role."),
        },
        Content = Text(message, "content"),
        ToolCallId = Text(message, "tool_call_id"),
        ToolCalls = [.. Array(message, "tool_calls").Select(ReadCall)],
    };

    private static ToolCall ReadCall(JsonElement call)
    {
        JsonElement function = call.TryGetProperty("function", out JsonElement inner) ? inner : call;
        JsonElement arguments = function.GetProperty("arguments");
        return new ToolCall(
            Text(call, "id") ?? "",
            Text(function, "name") ?? throw new InvalidDataException("A call has no name."),
            arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : arguments.GetRawText());
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private static JsonElement.ArrayEnumerator Array(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.EnumerateArray() : default;
}
