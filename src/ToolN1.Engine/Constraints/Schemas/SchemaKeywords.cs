using System.Text.Json;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Which keywords are enforced, and which are refused by their pointers because they cannot be.</summary>
internal static class SchemaKeywords
{
    private static readonly HashSet<string> Enforced =
    [
        "type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "minProperties",
        "maxProperties", "items", "prefixItems", "minItems", "maxItems", "minLength", "maxLength", "pattern", "format",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "$ref",
        "$defs", "definitions", "nullable",
    ];

    // Keywords of JSON Schema, in any of its drafts, that restrict values and are not enforced.
    private static readonly HashSet<string> Refused =
    [
        "not", "if", "then", "else", "contains", "minContains", "maxContains", "uniqueItems", "propertyNames", "dependencies",
        "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties", "additionalItems", "$dynamicRef",
        "$recursiveRef", "extends", "disallow", "divisibleBy",
    ];

    private static readonly HashSet<string> Descriptions = ["title", "description", "default", "examples", "example", "$comment"];
    private static readonly string[] Restricting = [.. Enforced, .. Refused];

    /// <summary>
    /// Refuses a part with a keyword that cannot be enforced, or that looks like a misspelt one. Any other name annotates,
    /// as JSON Schema has it.
    /// </summary>
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
            if (Enforced.Contains(name) || (name == "uniqueItems" && property.Value.ValueKind == JsonValueKind.False))
            {
                continue;
            }

            if (Refused.Contains(name))
            {
                throw part.Error(name, "the keyword cannot be enforced");
            }

            if (Array.Find(Restricting, keyword => IsMisspelling(name, keyword)) is { } meant)
            {
                throw part.Error(name, $"this is no keyword; \"{meant}\" may be meant");
            }
        }
    }

    /// <summary>Equal but for case and separators, or for one character of a long name.</summary>
    private static bool IsMisspelling(string name, string keyword)
    {
        string plain = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (plain.Equals(keyword, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (keyword.Length < 5 || Math.Abs(name.Length - keyword.Length) > 1)
        {
            return false;
        }

        int prefix = name.AsSpan().CommonPrefixLength(keyword);
        ReadOnlySpan<char> a = name.AsSpan(prefix);
        ReadOnlySpan<char> b = keyword.AsSpan(prefix);
        return name.Length == keyword.Length ? a.Length > 0 && a[1..].SequenceEqual(b[1..])
            : name.Length > keyword.Length ? a[1..].SequenceEqual(b)
            : a.SequenceEqual(b[1..]);
    }

    /// <summary>Whether a keyword only describes, so that schemas that differ in it are the same.</summary>
    public static bool Describes(string keyword) => Descriptions.Contains(keyword);

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
