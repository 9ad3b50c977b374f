using System.Text.Json;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Which keywords are enforced and which only annotate. Everything else is refused by its pointer.</summary>
internal static class SchemaKeywords
{
    private static readonly HashSet<string> Enforced =
    [
        "type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "minProperties",
        "maxProperties", "items", "prefixItems", "minItems", "maxItems", "minLength", "maxLength", "pattern", "format",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "$ref",
        "$defs", "definitions", "nullable",
    ];

    private static readonly HashSet<string> Annotations =
    [
        "title", "description", "default", "examples", "example", "$comment", "$schema", "$id", "deprecated", "readOnly",
        "writeOnly", "contentMediaType", "contentEncoding",
    ];

    /// <summary>Refuses a part with a keyword that cannot be enforced.</summary>
    /// <exception cref="ConstraintException">There is one.</exception>
    public static void Check(SchemaPart part)
    {
        if (part.Schema.ValueKind != JsonValueKind.Object)
        {
            throw new ConstraintException(part.Pointer, "a schema must be an object, true or false");
        }

        foreach (JsonProperty property in part.Schema.EnumerateObject())
        {
            string name = property.Name;
            bool isTrivial = name == "uniqueItems" && property.Value.ValueKind == JsonValueKind.False;
            if (!Enforced.Contains(name) && !Annotations.Contains(name) && !isTrivial && !name.StartsWith("x-", StringComparison.Ordinal))
            {
                throw part.Error(name, "the keyword cannot be enforced");
            }
        }
    }

    /// <summary>The types that a part allows.</summary>
    /// <exception cref="ConstraintException">An unknown type.</exception>
    public static JsonTypes Types(SchemaPart part)
    {
        if (part.Get("type") is not { } type)
        {
            return JsonTypes.All;
        }

        JsonTypes types = type.ValueKind switch
        {
            JsonValueKind.String => One(part, type),
            JsonValueKind.Array => type.EnumerateArray().Aggregate(JsonTypes.None, (sum, item) => sum | One(part, item)),
            _ => throw part.Error("type", "must be a string or an array of strings"),
        };
        return part.Get("nullable") is { ValueKind: JsonValueKind.True } ? types | JsonTypes.Null : types;
    }

    private static JsonTypes One(SchemaPart part, JsonElement name) =>
        (name.ValueKind == JsonValueKind.String ? name.GetString() : null) switch
        {
            "null" => JsonTypes.Null,
            "boolean" => JsonTypes.Boolean,
            "integer" => JsonTypes.Integer,
            "number" => JsonTypes.Number,
            "string" => JsonTypes.String,
            "array" => JsonTypes.Array,
            "object" => JsonTypes.Object,
            _ => throw part.Error("type", $"{name.GetRawText()} is not a JSON Schema type"),
        };
}
