using System.Text.Json;

namespace ToolN1.Training.Graders;

/// <summary>Reads grader definitions in OpenAI's shape.</summary>
public static class GraderReader
{
    /// <summary>The types that can be run.</summary>
    public static IReadOnlyList<string> Types { get; } = ["tool_call", "string_check", "text_similarity", "multi"];

    /// <summary>Types that OpenAI has and this server has not, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> RefusedTypes { get; } = new Dictionary<string, string>
    {
        ["python"] = "It would run a caller's program on the server.",
        ["score_model"] = "It needs a judging model; this server serves one model only.",
        ["label_model"] = "It needs a judging model; this server serves one model only.",
    };

    /// <summary>String operations of <c>string_check</c>.</summary>
    public static IReadOnlyList<string> Operations => StringCheckGrader.Operations;

    /// <summary>Metrics of <c>text_similarity</c>.</summary>
    public static IReadOnlyList<string> Metrics => TextSimilarity.Metrics;

    /// <summary>Metrics that OpenAI has and this server has not, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> RefusedMetrics => TextSimilarity.Refused;

    /// <summary>Reads a definition.</summary>
    /// <param name="definition">The JSON object.</param>
    /// <param name="path">Where it stands, for errors.</param>
    /// <exception cref="GraderException">It cannot be used; names the field.</exception>
    public static Grader Read(JsonElement definition, string path = "grader") => Read(definition, path, nested: false);

    private static Grader Read(JsonElement definition, string path, bool nested)
    {
        string type = Text(definition, "type", path);
        if (RefusedTypes.TryGetValue(type, out string? reason))
        {
            throw new GraderException(path + ".type", $"'{type}' is not supported. {reason}", unsupported: true);
        }

        string name = Text(definition, "name", path);
        return type switch
        {
            "string_check" => new StringCheckGrader(name, Template(definition, "input", path), Template(definition, "reference", path), OneOf(definition, "operation", path, StringCheckGrader.Operations)),
            "text_similarity" => new TextSimilarityGrader(name, Template(definition, "input", path), Template(definition, "reference", path), Metric(definition, path)),
            "tool_call" => new ToolCallGrader(
                name,
                Has(definition, "input") ? Template(definition, "input", path) : GraderTemplate.Parse(ToolCallGrader.DefaultInput, path),
                Template(definition, "reference", path),
                Has(definition, "numbers") && OneOf(definition, "numbers", path, ["strict", "lenient"]) == "lenient"),
            "multi" when !nested => Multi(definition, name, path),
            "multi" => throw new GraderException(path + ".type", "a multi grader holds no other multi grader"),
            _ => throw new GraderException(path + ".type", $"'{type}' is not a type of grader; they are {string.Join(", ", Types)}"),
        };
    }

    private static MultiGrader Multi(JsonElement definition, string name, string path)
    {
        if (!definition.TryGetProperty("graders", out JsonElement parts) || parts.ValueKind != JsonValueKind.Object || !parts.EnumerateObject().Any())
        {
            throw new GraderException(path + ".graders", "it must be an object of graders by name");
        }

        Dictionary<string, Grader> graders = new(StringComparer.Ordinal);
        foreach (JsonProperty part in parts.EnumerateObject())
        {
            graders[part.Name] = Read(part.Value, $"{path}.graders.{part.Name}", nested: true);
        }

        return new MultiGrader(name, graders, GraderFormula.Parse(Text(definition, "calculate_output", path), graders.Keys, path + ".calculate_output"));
    }

    private static string Metric(JsonElement definition, string path)
    {
        string metric = Text(definition, "evaluation_metric", path);
        return TextSimilarity.Refused.TryGetValue(metric, out string? reason)
            ? throw new GraderException(path + ".evaluation_metric", $"'{metric}' is not supported. {reason}", unsupported: true)
            : OneOf(definition, "evaluation_metric", path, TextSimilarity.Metrics);
    }

    private static GraderTemplate Template(JsonElement definition, string field, string path) => GraderTemplate.Parse(Text(definition, field, path), $"{path}.{field}");

    private static string OneOf(JsonElement definition, string field, string path, IReadOnlyList<string> values) =>
        Text(definition, field, path) is string value && values.Contains(value) ? value : throw new GraderException($"{path}.{field}", $"it must be one of {string.Join(", ", values)}");

    private static string Text(JsonElement definition, string field, string path) =>
        definition.ValueKind == JsonValueKind.Object && definition.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new GraderException($"{path}.{field}", "a string is missing");

    /// <summary>Null counts as absent.</summary>
    private static bool Has(JsonElement definition, string field) => definition.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null;
}
