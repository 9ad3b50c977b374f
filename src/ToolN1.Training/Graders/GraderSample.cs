using System.Text;
using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Graders;

/// <summary>
/// What templates see: the item's fields under <c>item</c>, and under <c>sample</c> the output as <c>output_text</c>,
/// <c>output_json</c> (where it is JSON), <c>output_tools</c> and <c>choices</c> (as a chat completion has them).
/// </summary>
public sealed class GraderSample
{
    private readonly JsonElement? _item;
    private readonly Lazy<JsonElement> _sample;
    private readonly Lazy<JsonElement?> _json;

    /// <param name="text">The model's output, tags included.</param>
    /// <param name="item">The item; null for none.</param>
    /// <param name="format">Reads the output's calls, as serving does.</param>
    public GraderSample(string text, JsonElement? item, IChatFormat format)
    {
        Text = text;
        _item = item;
        _json = new Lazy<JsonElement?>(() => Parse(text));
        _sample = new Lazy<JsonElement>(() => Describe(text, format));
    }

    /// <summary>The model's output, tags included.</summary>
    public string Text { get; }

    /// <summary>What a path of a template leads to.</summary>
    /// <param name="path">Namespace, then names and indexes.</param>
    /// <param name="text">A string as it is, anything else as its JSON text.</param>
    internal GraderErrors Find(IReadOnlyList<object> path, out string text)
    {
        text = "";
        bool isItem = path[0] is "item";
        bool isJson = !isItem && path[1] is "output_json";
        try
        {
            if ((isItem ? _item : isJson ? _json.Value : _sample.Value) is not JsonElement root)
            {
                return isJson ? GraderErrors.SampleParse : GraderErrors.InvalidVariable;
            }

            GraderErrors error = Walk(root, path, isJson ? 2 : 1, out JsonElement value);
            text = error != GraderErrors.None ? "" : value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
            return error;
        }
        catch (InvalidOperationException)
        {
            // A name or text on the way holds an escaped half of a surrogate pair: JSON can write it, and it is none.
            return isJson ? GraderErrors.SampleParse : GraderErrors.InvalidVariable;
        }
    }

    private static GraderErrors Walk(JsonElement from, IReadOnlyList<object> path, int at, out JsonElement value)
    {
        value = from;
        for (; at < path.Count; at++)
        {
            bool found = path[at] switch
            {
                string name => value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out value),
                int index => value.ValueKind == JsonValueKind.Array && index < value.GetArrayLength() && (value = value[index]).ValueKind != JsonValueKind.Undefined,
                _ => false,
            };
            if (!found)
            {
                return GraderErrors.InvalidVariable;
            }
        }

        return GraderErrors.None;
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement Describe(string text, IChatFormat format)
    {
        // 1. The output as serving would read it.
        ChatOutputParser parser = format.CreateParser([]);
        StringBuilder content = new();
        List<(string Id, string Name, StringBuilder Arguments)> calls = [];
        foreach (ChatEvent piece in parser.Append(text).Concat(parser.Complete(truncated: false)))
        {
            switch (piece)
            {
                case ChatEvent.ContentDelta delta:
                    content.Append(delta.Text);
                    break;
                case ChatEvent.ToolCallBegin begin:
                    calls.Add((begin.Id, begin.Name, new StringBuilder()));
                    break;
                case ChatEvent.ToolCallArgumentsDelta delta:
                    calls[delta.Index].Arguments.Append(delta.Json);
                    break;
                default:
                    break;
            }
        }

        // 2. In the shape of a chat completion.
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("output_text", text);
            WriteCalls(writer, "output_tools", calls);
            writer.WriteStartArray("choices");
            writer.WriteStartObject();
            writer.WriteNumber("index", 0);
            writer.WriteStartObject("message");
            writer.WriteString("role", "assistant");
            writer.WriteString("content", content.ToString());
            WriteCalls(writer, "tool_calls", calls);
            writer.WriteEndObject();
            writer.WriteString("finish_reason", calls.Count > 0 ? "tool_calls" : "stop");
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    private static void WriteCalls(Utf8JsonWriter writer, string name, List<(string Id, string Name, StringBuilder Arguments)> calls)
    {
        writer.WriteStartArray(name);
        foreach ((string id, string function, StringBuilder arguments) in calls)
        {
            writer.WriteStartObject();
            writer.WriteString("id", id);
            writer.WriteString("type", "function");
            writer.WriteStartObject("function");
            writer.WriteString("name", function);
            writer.WriteString("arguments", arguments.ToString());
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
