using System.Text;
using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data;

/// <summary>Writes rows, one JSON object a line, UTF-8, in Python's json.dumps spacing.</summary>
public static class TrainingRowWriter
{
    /// <summary>Replaces the file by these rows.</summary>
    public static void Write(string file, IEnumerable<TrainingRow> rows)
    {
        using StreamWriter writer = new(file, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        foreach (TrainingRow row in rows)
        {
            writer.WriteLine(ToJson(row));
        }
    }

    /// <summary>What graders see of a row as <c>item</c>: its own item, or the row.</summary>
    public static string ToItem(TrainingRow row) => row.Item ?? ToJson(row);

    /// <summary>What a row is graded against, for people: its calls, or its item without the conversation.</summary>
    public static string ToExpected(TrainingRow row)
    {
        if (row.Item is null)
        {
            return row.AnswerJson;
        }

        using JsonDocument document = JsonDocument.Parse(row.Item);
        IEnumerable<string> fields = document.RootElement.EnumerateObject().Where(field => field.Name is not ("messages" or "tools"))
            .Select(field => $"{PythonJson.Quote(field.Name)}: {PythonJson.Write(field.Value)}");
        return "{" + string.Join(", ", fields) + "}";
    }

    /// <summary>One row as a line of JSON without the line end.</summary>
    public static string ToJson(TrainingRow row)
    {
        StringBuilder text = new("{");
        if (row.Category is not null)
        {
            AppendField(text, "category", PythonJson.Quote(row.Category));
        }

        if (row.System is not null)
        {
            AppendField(text, "system", PythonJson.Quote(row.System));
        }

        AppendField(text, "tools", "[" + string.Join(", ", row.Tools.Select(tool => tool.FunctionJson)) + "]");
        AppendField(text, "messages", "[" + string.Join(", ", row.Messages.Select(MessageJson)) + "]");
        AppendField(text, "answer", row.AnswerJson);
        if (row.Reply is not null)
        {
            AppendField(text, "reply", PythonJson.Quote(row.Reply));
        }

        if (row.Think is not null)
        {
            AppendField(text, "think", PythonJson.Quote(row.Think));
        }

        if (row.Item is not null)
        {
            AppendField(text, "item", row.Item);
        }

        return text.Append('}').ToString();
    }

    private static string MessageJson(ChatMessage message)
    {
        StringBuilder text = new("{");
        AppendField(text, "role", message.Role switch
        {
            ChatRole.System => "\"system\"",
            ChatRole.User => "\"user\"",
            ChatRole.Assistant => "\"assistant\"",
            _ => "\"tool\"",
        });
        AppendField(text, "content", message.Content is null ? "null" : PythonJson.Quote(message.Content));
        if (message.ToolCalls.Count > 0)
        {
            AppendField(text, "tool_calls", "[" + string.Join(", ", message.ToolCalls.Select(call =>
                $"{{\"id\": {PythonJson.Quote(call.Id)}, \"type\": \"function\", \"function\": {{\"name\": {PythonJson.Quote(call.Name)}, \"arguments\": {PythonJson.Quote(call.Arguments)}}}}}")) + "]");
        }

        if (message.ToolCallId is not null)
        {
            AppendField(text, "tool_call_id", PythonJson.Quote(message.ToolCallId));
        }

        return text.Append('}').ToString();
    }

    private static void AppendField(StringBuilder text, string name, string json) =>
        text.Append(text.Length > 1 ? ", " : string.Empty).Append('"').Append(name).Append("\": ").Append(json);
}
