using System.Text.Json.Nodes;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>The parameters of every distinct tool of the benchmarks, with JSON Schema's type names.</summary>
internal static class BenchmarkSchemas
{
    /// <summary>The schemas; empty where the data is not there.</summary>
    public static IReadOnlyList<string> Load()
    {
        HashSet<string> schemas = [];
        foreach (string folder in new[] { Path.Combine("bfcl", "questions"), "acebench" })
        {
            if (TestPaths.Shared("benchmarks", folder) is { } path)
            {
                foreach (string line in Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal).SelectMany(File.ReadLines))
                {
                    foreach (JsonNode? function in Functions(JsonNode.Parse(line)!["function"]))
                    {
                        Add((function!["parameters"] ?? function["arguments"])?.DeepClone());
                    }
                }
            }
        }

        if (TestPaths.Shared("benchmarks", "api-bank", "api-descriptions.json") is { } apis)
        {
            foreach (JsonNode? api in JsonNode.Parse(File.ReadAllText(apis))!.AsArray())
            {
                JsonObject properties = api!["input_parameters"]!.DeepClone().AsObject();
                Add(new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = properties,
                    ["required"] = new JsonArray([.. properties.Select(property => JsonValue.Create(property.Key))]),
                });
            }
        }

        return [.. schemas];

        void Add(JsonNode? parameters)
        {
            if (parameters is JsonObject)
            {
                UseSchemaTypes(parameters);
                schemas.Add(parameters.ToJsonString());
            }
        }
    }

    private static IEnumerable<JsonNode?> Functions(JsonNode? functions) => functions as JsonArray ?? [functions!.DeepClone()];

    private static void UseSchemaTypes(JsonNode? node)
    {
        if (node is not JsonObject schema)
        {
            return;
        }

        if (schema["type"] is JsonValue type && type.TryGetValue(out string? name))
        {
            string? mapped = name switch
            {
                "dict" or "HashMap" => "object",
                "float" or "double" => "number",
                "int" or "long" => "integer",
                "bool" or "Boolean" => "boolean",
                "tuple" or "Array" or "ArrayList" => "array",
                "any" or "" => null,
                "string" or "integer" or "number" or "boolean" or "array" or "object" or "null" => name,
                _ when name.StartsWith("list", StringComparison.Ordinal) => "array",
                _ => "string",
            };
            schema.Remove("type");
            if (mapped is not null)
            {
                schema["type"] = mapped;
            }
        }

        foreach ((string _, JsonNode? property) in (schema["properties"] as JsonObject)?.ToList() ?? [])
        {
            UseSchemaTypes(property);
        }

        UseSchemaTypes(schema["items"]);
    }
}
