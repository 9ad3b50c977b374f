using System.Globalization;
using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>The one spelling of a JSON value that an enumeration allows: json.dumps spacing, UTF-8 unescaped, short escapes.</summary>
internal static class JsonSpelling
{
    /// <summary>The spelling of a value; numbers keep the text of the schema.</summary>
    public static string Of(JsonElement value)
    {
        StringBuilder text = new();
        Append(text, value, isCanonical: false);
        return text.ToString();
    }

    /// <summary>
    /// A text that equal values share, and no others: numbers by their value (1 and 1.0 are equal; those of more than a few
    /// hundred digits count as they are written), members of objects in the order of their names.
    /// </summary>
    public static string Canonical(JsonElement value)
    {
        StringBuilder text = new();
        Append(text, value, isCanonical: true);
        return text.ToString();
    }

    /// <summary>A quoted string.</summary>
    public static string Quote(string value)
    {
        StringBuilder text = new();
        AppendString(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonElement value, bool isCanonical)
    {
        string separator = "";
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                IEnumerable<JsonProperty> members = value.EnumerateObject();
                foreach (JsonProperty property in isCanonical ? members.OrderBy(member => member.Name, StringComparer.Ordinal) : members)
                {
                    text.Append(separator);
                    AppendString(text, property.Name);
                    text.Append(": ");
                    Append(text, property.Value, isCanonical);
                    separator = ", ";
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (JsonElement item in value.EnumerateArray())
                {
                    text.Append(separator);
                    Append(text, item, isCanonical);
                    separator = ", ";
                }

                text.Append(']');
                break;
            case JsonValueKind.String:
                AppendString(text, value.GetString()!);
                break;
            case JsonValueKind.Number when isCanonical && DecimalNumber.TryParse(value.GetRawText(), out DecimalNumber number):
                text.Append(CultureInfo.InvariantCulture, $"{number.Mantissa}e-{number.Scale}");
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char c in value)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case < ' ': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: text.Append(c); break;
            }
        }

        text.Append('"');
    }
}
