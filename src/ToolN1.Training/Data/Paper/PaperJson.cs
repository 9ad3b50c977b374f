using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Paper;

/// <summary>Reads the fields that the published datasets share.</summary>
internal static class PaperJson
{
    /// <summary>A key given twice is an error: which of the two is meant, nobody can tell.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>A string field, or null.</summary>
    public static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A field that is a list, or JSON text of one; null otherwise.</summary>
    public static JsonElement? List(JsonElement item, string name)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && !TryParse(value.GetString()!, out value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array ? value : null;
    }

    /// <summary>Parses JSON text.</summary>
    /// <exception cref="JsonException">Not JSON, or a key is given twice or is no text.</exception>
    public static JsonElement Parse(ReadOnlyMemory<char> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            return document.RootElement.Clone();
        }
        catch (InvalidOperationException error)
        {
            // What the search for keys that are given twice says of one that is half a surrogate pair.
            throw new JsonException(error.Message, error);
        }
    }

    /// <summary>Parses JSON text where it is some.</summary>
    public static bool TryParse(string json, out JsonElement value)
    {
        try
        {
            value = Parse(json.AsMemory());
            return true;
        }
        catch (JsonException)
        {
            value = default;
            return false;
        }
    }

    /// <summary>Function objects as tools; null where one has no name.</summary>
    public static List<ChatTool>? Tools(JsonElement list)
    {
        List<ChatTool> tools = [];
        foreach (JsonElement tool in list.EnumerateArray())
        {
            if (Text(tool, "name") is not string name)
            {
                return null;
            }

            tools.Add(new ChatTool(name, PythonJson.Write(tool)));
        }

        return tools;
    }

    /// <summary>The first called function that is not offered, or null.</summary>
    public static string? NotOffered(IEnumerable<TrainingCall> calls, IReadOnlyList<ChatTool> tools) =>
        calls.Select(call => call.Name).FirstOrDefault(name => !tools.Any(tool => tool.Name == name));
}
