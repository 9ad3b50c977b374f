using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// xLAM function-calling data (<c>query</c>, and <c>tools</c> and <c>answers</c> as JSON text): one user turn, all answers
/// are the one true list of calls.
/// </summary>
public static class XlamConverter
{
    /// <summary>The row of an item, or why there is none.</summary>
    public static PaperRowResult Convert(JsonElement item)
    {
        if (Text(item, "query") is not string query || List(item, "tools") is not JsonElement tools || List(item, "answers") is not JsonElement answers)
        {
            return PaperRowResult.Drop("query, tools or answers missing or not JSON");
        }

        List<ChatTool> offered = [];
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            if (Text(tool, "name") is not string name)
            {
                return PaperRowResult.Drop("a tool has no name");
            }

            offered.Add(new ChatTool(name, PythonJson.Write(tool)));
        }

        List<TrainingCall> calls = [];
        foreach (JsonElement answer in answers.EnumerateArray())
        {
            if (Text(answer, "name") is not string name || !answer.TryGetProperty("arguments", out JsonElement arguments) || arguments.ValueKind != JsonValueKind.Object)
            {
                return PaperRowResult.Drop("an answer is no call");
            }

            if (!offered.Exists(tool => tool.Name == name))
            {
                return PaperRowResult.Drop("a called tool is not offered");
            }

            calls.Add(new TrainingCall(name, PythonJson.Write(arguments)));
        }

        return PaperRowResult.Keep(new TrainingRow
        {
            Tools = offered,
            Messages = [new ChatMessage { Role = ChatRole.User, Content = query }],
            Answer = calls,
            Category = "xlam",
        });
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A list, as it is or as JSON text.</summary>
    private static JsonElement? List(JsonElement item, string name)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                using JsonDocument parsed = JsonDocument.Parse(value.GetString()!);
                value = parsed.RootElement.Clone();
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return value.ValueKind == JsonValueKind.Array ? value : null;
    }
}
