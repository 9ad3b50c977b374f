using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>JsonSchema.Net, with formats asserted: it shares no code with the compiler under test.</summary>
internal static class JsonSchemaValidator
{
    private static readonly EvaluationOptions Options = new() { RequireFormatValidation = true };
    private static readonly ConcurrentDictionary<string, JsonSchema> Schemas = new();

    /// <summary>Whether a value fulfils a schema.</summary>
    public static bool IsValid(string schema, string value)
    {
        using JsonDocument document = JsonDocument.Parse(value, new JsonDocumentOptions { MaxDepth = 200 });
        return Schemas.GetOrAdd(schema, Build).Evaluate(document.RootElement, Options).IsValid;
    }

    private static JsonSchema Build(string schema)
    {
        JsonNode node = JsonNode.Parse(schema, documentOptions: new JsonDocumentOptions { MaxDepth = 200 })!;
        WriteInJsonSchema(node);

        // A registry of its own, or the schemas of all tests would be kept together.
        return JsonSchema.FromText(node.ToJsonString(new JsonSerializerOptions { MaxDepth = 200 }), new BuildOptions { SchemaRegistry = new SchemaRegistry() });
    }

    // OpenAPI's "nullable" is not a keyword of JSON Schema; it says that the type may also be null. Nor is "optional", which
    // some benchmark's tools have; the validator accepts no unknown keyword.
    private static void WriteInJsonSchema(JsonNode? node)
    {
        if (node is JsonObject schema)
        {
            if (schema["nullable"] is JsonValue flag && flag.GetValueKind() == JsonValueKind.True && schema["type"] is { } type)
            {
                schema["type"] = new JsonArray([.. (type as JsonArray ?? [type.DeepClone()]).Select(item => item!.DeepClone()), JsonValue.Create("null")]);
            }

            foreach (string keyword in new[] { "nullable", "optional" })
            {
                if (schema[keyword] is JsonValue or JsonArray)
                {
                    schema.Remove(keyword);
                }
            }

            foreach ((string _, JsonNode? child) in schema.ToList())
            {
                WriteInJsonSchema(child);
            }
        }
        else if (node is JsonArray array)
        {
            foreach (JsonNode? child in array)
            {
                WriteInJsonSchema(child);
            }
        }
    }
}
