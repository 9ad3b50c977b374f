using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ToolN1.Training.Captures.Redaction;

/// <summary>
/// Redacts the parts of one capture. A value gets the same placeholder wherever it stands, so that a call still copies what
/// the conversation says. Not safe for several threads.
/// </summary>
internal sealed class RedactionPass(IReadOnlyList<RedactionRule> rules)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // Of a tool's schema: what people wrote for the model to read, and values. The rest is structure.
    private static readonly HashSet<string> Described = ["description", "title", "default", "examples", "enum", "const", "$comment"];

    private readonly Dictionary<(string Rule, string Value), string> _placeholders = [];
    private readonly Dictionary<string, int> _numbers = [];

    /// <summary>How often each rule took something out.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>A text.</summary>
    public string Text(string text) => Text(text, 0);

    /// <summary>A text of JSON: its strings, names and numbers each by themselves, whatever their spelling. What is no JSON is taken as text.</summary>
    public string Json(string json) => Json(json, isSchema: false);

    /// <summary>A tool's function object: its descriptions and values, not its structure.</summary>
    public string Tool(string json) => Json(json, isSchema: true);

    private string Text(string text, int first)
    {
        for (int i = first; i < rules.Count && text.Length > 0; i++)
        {
            StringBuilder? redacted = null;
            int at = 0;
            foreach ((int index, int length) in rules[i].Find(text))
            {
                // What stands between is for the rules that follow; what was put in is for none.
                (redacted ??= new StringBuilder()).Append(Text(text[at..index], i + 1)).Append(Placeholder(rules[i], text.Substring(index, length)));
                at = index + length;
            }

            if (redacted is not null)
            {
                return redacted.Append(Text(text[at..], i + 1)).ToString();
            }
        }

        return text;
    }

    private string Placeholder(RedactionRule rule, string value)
    {
        Counts[rule.Name] = Counts.GetValueOrDefault(rule.Name) + 1;
        if (!_placeholders.TryGetValue((rule.Name, value), out string? placeholder))
        {
            int number = _numbers[rule.Name] = _numbers.GetValueOrDefault(rule.Name) + 1;
            _placeholders[(rule.Name, value)] = placeholder = rule.Placeholder(number);
        }

        return placeholder;
    }

    private string Json(string json, bool isSchema)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            int before = Counts.Values.Sum();
            using MemoryStream stream = new();
            using (Utf8JsonWriter writer = new(stream, WriterOptions))
            {
                Write(writer, document.RootElement, isSchema);
            }

            // Untouched, it keeps its spelling.
            return Counts.Values.Sum() == before ? json : Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The latter is an escaped half of a surrogate pair, which a model may write.
            return Text(json);
        }
    }

    private void Write(Utf8JsonWriter writer, JsonElement value, bool isStructure)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    writer.WritePropertyName(isStructure ? property.Name : Text(property.Name));
                    Write(writer, property.Value, isStructure && !Described.Contains(property.Name));
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(writer, item, isStructure);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when !isStructure:
                writer.WriteStringValue(Text(value.GetString()!));
                break;
            case JsonValueKind.Number when !isStructure:
                string number = value.GetRawText();
                string redacted = Text(number);
                if (redacted == number)
                {
                    writer.WriteRawValue(number, skipInputValidation: true);
                }
                else
                {
                    writer.WriteStringValue(redacted);
                }

                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
