using System.Text.Json;

namespace ToolN1.Engine.Model;

/// <summary>Typed access to one JSON object of a checkpoint's file; every complaint names file and field.</summary>
/// <remarks>A field that is null counts as absent, as it does for transformers.</remarks>
internal sealed class JsonFields
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonElement _element;
    private readonly string _prefix;

    public JsonFields(string file, string prefix, JsonElement element)
    {
        File = file;
        _prefix = prefix;
        _element = element.ValueKind == JsonValueKind.Object
            ? element
            : throw new CheckpointException(file, prefix.Length == 0 ? "is not a JSON object." : $"field '{prefix.TrimEnd('.')}': is not an object.");
    }

    public string File { get; }

    /// <summary>Parses a file that must hold JSON.</summary>
    public static JsonDocument Open(string file)
    {
        byte[] bytes;
        try
        {
            bytes = System.IO.File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(file, System.IO.File.Exists(file) ? "cannot be read: " + error.Message : "is missing.", error);
        }

        try
        {
            return JsonDocument.Parse(bytes, Strict);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second is what the search for duplicate names says of a name that is half a surrogate pair.
            throw new CheckpointException(file, "is not valid JSON: " + error.Message, error);
        }
    }

    public bool Has(string name) => Find(name) is not null;

    public int Integer(string name, int smallest, int largest) =>
        Find(name) is JsonElement value ? ToInteger(name, value, smallest, largest) : throw Missing(name);

    public List<int> Integers(string name, int smallest, int largest)
    {
        JsonElement value = Find(name) ?? throw Missing(name);
        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => ToInteger(name, item, smallest, largest))]
            : [ToInteger(name, value, smallest, largest)];
    }

    public double? Positive(string name)
    {
        if (Find(name) is not JsonElement value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) && number > 0
            ? number
            : throw Problem(name, "is not a positive number.");
    }

    public bool? Boolean(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Problem(name, "is not true or false."),
    };

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => ToText(name, value),
        _ => throw Problem(name, "is not a string."),
    };

    public List<string>? TextArray(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value =>
            [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? ToText(name, item) : throw Problem(name, "is not a list of strings."))],
        _ => throw Problem(name, "is not a list of strings."),
    };

    public JsonFields Object(string name) =>
        Find(name) is JsonElement value ? new JsonFields(File, $"{_prefix}{name}.", value) : throw Missing(name);

    public JsonElement Raw(string name, JsonValueKind kind) =>
        Find(name) is not JsonElement value ? throw Missing(name)
        : value.ValueKind == kind ? value
        : throw Problem(name, $"is not of kind {kind}.");

    public CheckpointException Missing(string name) => Problem(name, "is missing.");

    private CheckpointException Problem(string name, string what) => new(File, $"field '{_prefix}{name}': {what}");

    private int ToInteger(string name, JsonElement value, int smallest, int largest) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= smallest && number <= largest
            ? number
            : throw Problem(name, $"is not an integer between {smallest} and {largest}.");

    private string ToText(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            // Escaped lone surrogates parse as JSON but are no text.
            throw new CheckpointException(File, $"field '{_prefix}{name}': is not valid text.", error);
        }
    }

    private JsonElement? Find(string name) =>
        _element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
