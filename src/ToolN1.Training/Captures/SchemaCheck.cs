using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Captures;

/// <summary>
/// Checks a value against a tool's JSON Schema and names the place where it breaks it. Knows the keywords that describe
/// parameters; annotations (<c>format</c> among them) and what it does not know check nothing, as JSON Schema has it.
/// </summary>
/// <param name="root">The schema, to which <c>$ref</c> refers.</param>
internal sealed class SchemaCheck(JsonElement root)
{
    // A schema may refer to itself without end; values end at this depth (that of the JSON reader).
    private const int MaxDepth = 256;

    // Alternatives that refer to their own schema are tried without end, too: twice as often with every level.
    private const int MaxSchemas = 100_000;
    private static readonly TimeSpan PatternTime = TimeSpan.FromMilliseconds(200);

    private int _schemas;

    /// <summary>The first fault, or null.</summary>
    /// <param name="value">The value.</param>
    /// <param name="place">Its path, for the fault.</param>
    public SchemaFault? Find(JsonElement value, string place)
    {
        _schemas = 0;
        SchemaFault? fault = Find(root, value, place, 0);

        // Whatever came of it then: the rest was not looked at.
        return _schemas > MaxSchemas ? new SchemaFault(place, "the tool's schema has too many alternatives within alternatives to be checked") : fault;
    }

    private SchemaFault? Find(JsonElement schema, JsonElement value, string place, int depth)
    {
        if (++_schemas > MaxSchemas)
        {
            return new SchemaFault(place, "it was not checked");
        }

        if (depth > MaxDepth || schema.ValueKind != JsonValueKind.Object)
        {
            return schema.ValueKind == JsonValueKind.False ? new SchemaFault(place, "the schema allows nothing here") : null;
        }

        return Referred(schema, value, place, depth)
            ?? Kind(schema, value, place)
            ?? Values(schema, value, place)
            ?? value.ValueKind switch
            {
                JsonValueKind.String => Text(schema, value.GetString()!, place),
                JsonValueKind.Number => Number(schema, value, place),
                JsonValueKind.Array => Items(schema, value, place, depth),
                JsonValueKind.Object => Properties(schema, value, place, depth),
                _ => null,
            }
            ?? Combined(schema, value, place, depth);
    }

    private SchemaFault? Referred(JsonElement schema, JsonElement value, string place, int depth)
    {
        if (!schema.TryGetProperty("$ref", out JsonElement reference) || reference.ValueKind != JsonValueKind.String || reference.GetString() is not ['#', .. string pointer])
        {
            return null;
        }

        JsonElement target = root;
        foreach (string part in pointer.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (target.ValueKind != JsonValueKind.Object || !target.TryGetProperty(name, out target))
            {
                return null;
            }
        }

        return Find(target, value, place, depth + 1);
    }

    private static SchemaFault? Kind(JsonElement schema, JsonElement value, string place)
    {
        if (!schema.TryGetProperty("type", out JsonElement type))
        {
            return null;
        }

        string[] types = type.ValueKind switch
        {
            JsonValueKind.String => [type.GetString()!],
            JsonValueKind.Array => [.. type.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)],
            _ => [],
        };
        return types.Length == 0 || types.Any(name => Fits(name, value)) ? null : new SchemaFault(place, "it must be of type " + string.Join(" or ", types));
    }

    private static bool Fits(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "array" or "tuple" => value.ValueKind == JsonValueKind.Array,
        "object" or "dict" => value.ValueKind == JsonValueKind.Object,
        "number" or "float" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && (value.TryGetInt64(out _) || (value.GetDouble() is double number && Math.Floor(number) == number)),
        _ => true,
    };

    private static SchemaFault? Values(JsonElement schema, JsonElement value, string place) =>
        schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array && !values.EnumerateArray().Any(item => JsonElement.DeepEquals(item, value))
            ? new SchemaFault(place, "it must be one of " + string.Join(", ", values.EnumerateArray().Select(item => item.GetRawText())))
        : schema.TryGetProperty("const", out JsonElement only) && !JsonElement.DeepEquals(only, value) ? new SchemaFault(place, "it must be " + only.GetRawText())
        : null;

    private static SchemaFault? Text(JsonElement schema, string text, string place)
    {
        int length = text.Length - text.Count(char.IsLowSurrogate);
        return length < Limit(schema, "minLength") ? new SchemaFault(place, "it is shorter than the schema allows")
            : length > Limit(schema, "maxLength") ? new SchemaFault(place, "it is longer than the schema allows")
            : schema.TryGetProperty("pattern", out JsonElement pattern) && pattern.ValueKind == JsonValueKind.String && !Matches(pattern.GetString()!, text)
                ? new SchemaFault(place, $"it must match {pattern.GetString()}")
            : null;
    }

    private static SchemaFault? Number(JsonElement schema, JsonElement value, string place)
    {
        double number = value.GetDouble();
        return number < Limit(schema, "minimum") || number <= Limit(schema, "exclusiveMinimum") ? new SchemaFault(place, "it is less than the schema allows")
            : number > Limit(schema, "maximum") || number >= Limit(schema, "exclusiveMaximum") ? new SchemaFault(place, "it is greater than the schema allows")
            : Limit(schema, "multipleOf") is double step and > 0 && Math.Abs((number / step) - Math.Round(number / step)) > 1e-9
                ? new SchemaFault(place, $"it must be a multiple of {step.ToString("R", CultureInfo.InvariantCulture)}")
            : null;
    }

    private SchemaFault? Items(JsonElement schema, JsonElement value, string place, int depth)
    {
        int count = value.GetArrayLength();
        if (count < Limit(schema, "minItems") || count > Limit(schema, "maxItems"))
        {
            return new SchemaFault(place, "it has fewer or more items than the schema allows");
        }

        JsonElement[] items = [.. value.EnumerateArray()];
        if (schema.TryGetProperty("uniqueItems", out JsonElement unique) && unique.ValueKind == JsonValueKind.True
            && Enumerable.Range(0, count).Any(i => items[..i].Any(before => JsonElement.DeepEquals(before, items[i]))))
        {
            return new SchemaFault(place, "its items must differ");
        }

        JsonElement[] first = schema.TryGetProperty("prefixItems", out JsonElement prefix) && prefix.ValueKind == JsonValueKind.Array ? [.. prefix.EnumerateArray()] : [];
        bool hasRest = schema.TryGetProperty("items", out JsonElement rest);
        for (int i = 0; i < count; i++)
        {
            if ((i < first.Length || hasRest) && Find(i < first.Length ? first[i] : rest, items[i], $"{place}[{i}]", depth + 1) is SchemaFault fault)
            {
                return fault;
            }
        }

        return null;
    }

    private SchemaFault? Properties(JsonElement schema, JsonElement value, string place, int depth)
    {
        if (schema.TryGetProperty("required", out JsonElement required) && required.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement name in required.EnumerateArray())
            {
                if (name.ValueKind == JsonValueKind.String && !value.TryGetProperty(name.GetString()!, out _))
                {
                    return new SchemaFault($"{place}.{name.GetString()}", "it is required");
                }
            }
        }

        int count = value.EnumerateObject().Count();
        if (count < Limit(schema, "minProperties") || count > Limit(schema, "maxProperties"))
        {
            return new SchemaFault(place, "it has fewer or more properties than the schema allows");
        }

        bool hasProperties = schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object;
        JsonProperty[] patterns = schema.TryGetProperty("patternProperties", out JsonElement byPattern) && byPattern.ValueKind == JsonValueKind.Object ? [.. byPattern.EnumerateObject()] : [];
        bool hasOthers = schema.TryGetProperty("additionalProperties", out JsonElement others);
        foreach (JsonProperty property in value.EnumerateObject())
        {
            string child = $"{place}.{property.Name}";
            List<JsonElement> schemas = [.. patterns.Where(pattern => Matches(pattern.Name, property.Name)).Select(pattern => pattern.Value)];
            if (hasProperties && properties.TryGetProperty(property.Name, out JsonElement own))
            {
                schemas.Add(own);
            }

            if (schemas.Count == 0 && hasOthers)
            {
                if (others.ValueKind == JsonValueKind.False)
                {
                    return new SchemaFault(child, "the tool has no such parameter");
                }

                schemas.Add(others);
            }

            if (schemas.Select(item => Find(item, property.Value, child, depth + 1)).FirstOrDefault(fault => fault is not null) is SchemaFault found)
            {
                return found;
            }
        }

        return null;
    }

    private SchemaFault? Combined(JsonElement schema, JsonElement value, string place, int depth)
    {
        foreach (JsonElement part in Parts(schema, "allOf"))
        {
            if (Find(part, value, place, depth + 1) is SchemaFault fault)
            {
                return fault;
            }
        }

        if (schema.TryGetProperty("anyOf", out _) && Parts(schema, "anyOf").All(part => Find(part, value, place, depth + 1) is not null))
        {
            return new SchemaFault(place, "it fits none of the schema's alternatives");
        }

        if (schema.TryGetProperty("oneOf", out _) && Parts(schema, "oneOf").Count(part => Find(part, value, place, depth + 1) is null) != 1)
        {
            return new SchemaFault(place, "it must fit exactly one of the schema's alternatives");
        }

        if (schema.TryGetProperty("not", out JsonElement not) && Find(not, value, place, depth + 1) is null)
        {
            return new SchemaFault(place, "it is what the schema excludes");
        }

        return schema.TryGetProperty("if", out JsonElement condition)
            && schema.TryGetProperty(Find(condition, value, place, depth + 1) is null ? "then" : "else", out JsonElement branch)
            ? Find(branch, value, place, depth + 1)
            : null;
    }

    private static JsonElement[] Parts(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement parts) && parts.ValueKind == JsonValueKind.Array ? [.. parts.EnumerateArray()] : [];

    /// <summary>A keyword's number; comparisons with null are false.</summary>
    private static double? Limit(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement limit) && limit.ValueKind == JsonValueKind.Number ? limit.GetDouble() : null;

    private static bool Matches(string pattern, string text)
    {
        try
        {
            return Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, PatternTime);
        }
        catch (Exception error) when (error is ArgumentException or RegexMatchTimeoutException)
        {
            // A pattern that cannot be told here rules nothing out.
            return true;
        }
    }
}
