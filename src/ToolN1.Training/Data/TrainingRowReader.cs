using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data;

/// <summary>Reads rows files (JSONL). Empty lines are skipped; anything else that is not a row is an error that names file, line and reason.</summary>
public static class TrainingRowReader
{
    private static readonly HashSet<string> Fields = ["system", "tools", "messages", "answer", "think", "reply", "category", "item"];

    /// <summary>Reads the rows one by one; the file is open while the caller enumerates.</summary>
    /// <exception cref="TrainingDataException">A line is not a row.</exception>
    public static IEnumerable<TrainingRow> Read(string file) => ReadLines(file).Select(item => item.Row);

    /// <summary>Reads the rows with the numbers of their lines, from 1; the file is open while the caller enumerates.</summary>
    /// <exception cref="TrainingDataException">A line is not a row.</exception>
    public static IEnumerable<(int Line, TrainingRow Row)> ReadLines(string file)
    {
        int line = 0;
        foreach (string text in File.ReadLines(file))
        {
            line++;
            if (!string.IsNullOrWhiteSpace(text))
            {
                yield return (line, Parse(text, file, line));
            }
        }
    }

    /// <summary>One line as a row.</summary>
    /// <param name="text">The line.</param>
    /// <param name="file">Named in errors.</param>
    /// <param name="line">Named in errors, from 1.</param>
    /// <exception cref="TrainingDataException">The line is not a row.</exception>
    public static TrainingRow Parse(string text, string file, int line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = Expect(document.RootElement, JsonValueKind.Object, "the row");
            foreach (JsonProperty property in root.EnumerateObject())
            {
                if (!Fields.Contains(property.Name))
                {
                    throw new FormatException($"unknown field '{property.Name}'");
                }
            }

            ChatTool[] tools = [.. Required(root, "tools", JsonValueKind.Array).EnumerateArray().Select(Tool)];
            ChatMessage[] messages = [.. Required(root, "messages", JsonValueKind.Array).EnumerateArray().Select(Message)];
            if (messages.Length == 0)
            {
                throw new FormatException("'messages' is empty");
            }

            TrainingCall[] answer = [.. Required(root, "answer", JsonValueKind.Array).EnumerateArray().Select(Call)];
            string? reply = OptionalText(root, "reply");
            if (reply is not null && answer.Length > 0)
            {
                throw new FormatException("'reply' is given beside calls in 'answer'");
            }

            return new TrainingRow
            {
                System = OptionalText(root, "system"),
                Tools = tools,
                Messages = messages,
                Answer = answer,
                Reply = reply,
                Think = OptionalText(root, "think"),
                Category = OptionalText(root, "category"),
                Item = root.TryGetProperty("item", out JsonElement item) && item.ValueKind != JsonValueKind.Null ? PythonJson.Write(Expect(item, JsonValueKind.Object, "'item'")) : null,
            };
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new TrainingDataException(file, line, exception.Message, exception);
        }
        catch (InvalidOperationException exception)
        {
            // The only text that JSON can write and that is none.
            throw new TrainingDataException(file, line, "a text holds an escaped half of a surrogate pair, which is not a character", exception);
        }
    }

    private static ChatTool Tool(JsonElement element, int index)
    {
        Expect(element, JsonValueKind.Object, $"tools[{index}]");
        return new ChatTool(Text(element, "name", $"tools[{index}]"), PythonJson.Write(element));
    }

    private static TrainingCall Call(JsonElement element, int index)
    {
        Expect(element, JsonValueKind.Object, $"answer[{index}]");
        string name = Text(element, "name", $"answer[{index}]");
        return element.TryGetProperty("arguments", out JsonElement arguments) && arguments.ValueKind == JsonValueKind.Object
            ? new TrainingCall(name, PythonJson.Write(arguments))
            : throw new FormatException($"answer[{index}].arguments is not an object");
    }

    private static ChatMessage Message(JsonElement element, int index)
    {
        string place = $"messages[{index}]";
        Expect(element, JsonValueKind.Object, place);
        ChatRole role = Text(element, "role", place) switch
        {
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            "tool" => ChatRole.Tool,
            "system" => throw new FormatException($"{place}: the system text belongs in the row's field 'system'"),
            string other => throw new FormatException($"{place}.role '{other}' is not user, assistant or tool"),
        };
        List<ToolCall> calls = [];
        if (element.TryGetProperty("tool_calls", out JsonElement list))
        {
            foreach (JsonElement call in Expect(list, JsonValueKind.Array, $"{place}.tool_calls").EnumerateArray())
            {
                JsonElement function = Required(Expect(call, JsonValueKind.Object, $"{place}.tool_calls"), "function", JsonValueKind.Object);
                calls.Add(new ToolCall(OptionalText(call, "id") ?? string.Empty, Text(function, "name", place), Arguments(Text(function, "arguments", place), $"{place}.tool_calls[{calls.Count}].function.arguments")));
            }
        }

        string? content = OptionalText(element, "content");
        return content is null && calls.Count == 0
            ? throw new FormatException($"{place} has neither content nor tool_calls")
            : new ChatMessage { Role = role, Content = content, ToolCalls = calls, ToolCallId = OptionalText(element, "tool_call_id") };
    }

    /// <summary>A past call's arguments, whose JSON every chat format puts in the prompt; no text is no arguments.</summary>
    private static string Arguments(string text, string place)
    {
        try
        {
            _ = string.IsNullOrWhiteSpace(text) ? text : PythonJson.Respace(text);
            return text;
        }
        catch (FormatException error)
        {
            throw new FormatException($"{place} is {error.Message}", error);
        }
    }

    private static JsonElement Required(JsonElement element, string name, JsonValueKind kind) =>
        element.TryGetProperty(name, out JsonElement value)
            ? Expect(value, kind, $"'{name}'")
            : throw new FormatException($"'{name}' is missing");

    private static string Text(JsonElement element, string name, string place) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"{place}.{name} is not a string");

    private static string? OptionalText(JsonElement element, string name) =>
        !element.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new FormatException($"'{name}' is not a string");

    private static JsonElement Expect(JsonElement element, JsonValueKind kind, string place) =>
        element.ValueKind == kind ? element : throw new FormatException($"{place} is not {(kind == JsonValueKind.Array ? "a list" : "an object")}");
}
