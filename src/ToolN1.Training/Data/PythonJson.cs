using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Data;

/// <summary>JSON text as Python's <c>json.dumps(…, ensure_ascii=False)</c> spaces it: <c>", "</c> and <c>": "</c>. Keeps key order and the text of numbers.</summary>
internal static class PythonJson
{
    /// <summary>The element, re-spaced.</summary>
    public static string Write(JsonElement element)
    {
        StringBuilder text = new();
        Append(text, element);
        return text.ToString();
    }

    /// <summary>Appends the element, re-spaced.</summary>
    public static void Append(StringBuilder text, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                bool first = true;
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    text.Append(first ? string.Empty : ", ");
                    first = false;
                    AppendString(text, property.Name);
                    text.Append(": ");
                    Append(text, property.Value);
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                int index = 0;
                foreach (JsonElement item in element.EnumerateArray())
                {
                    text.Append(index++ == 0 ? string.Empty : ", ");
                    Append(text, item);
                }

                text.Append(']');
                break;
            case JsonValueKind.String:
                AppendString(text, element.GetString()!);
                break;
            default:
                text.Append(element.GetRawText());
                break;
        }
    }

    /// <summary>The string as a quoted JSON string.</summary>
    public static string Quote(string value)
    {
        StringBuilder text = new();
        AppendString(text, value);
        return text.ToString();
    }

    /// <summary>Appends the string quoted, escaping what JSON must have escaped and no more.</summary>
    public static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' => text.Append("\\u").Append(((int)c).ToString("x4")),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
