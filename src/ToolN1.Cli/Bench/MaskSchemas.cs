using System.Globalization;
using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Bench;

/// <summary>The tool lists that masks are measured with: those of BFCL's questions, and hand-written hard ones.</summary>
internal static class MaskSchemas
{
    /// <summary>Reads BFCL's questions and adds the hard schemas.</summary>
    /// <param name="folder">The benchmark's folder.</param>
    public static List<ConstrainedTool[]> Load(string folder)
    {
        List<ConstrainedTool[]> lists = [];
        HashSet<string> seen = [];
        foreach (BenchmarkCase question in BenchmarkSuite.Load("bfcl", folder, []))
        {
            if (question.Tools.Count > 0 && seen.Add(string.Join('\n', question.Tools.Select(tool => tool.FunctionJson))))
            {
                lists.Add([.. question.Tools.Select(Tool)]);
            }
        }

        lists.AddRange(Hard().Select((schema, index) => new[] { new ConstrainedTool($"hard_{index}", schema) }));
        return lists;
    }

    private static ConstrainedTool Tool(ChatTool tool)
    {
        using JsonDocument function = JsonDocument.Parse(tool.FunctionJson);
        return new ConstrainedTool(tool.Name, function.RootElement.TryGetProperty("parameters", out JsonElement parameters) ? parameters.GetRawText() : null);
    }

    private static IEnumerable<string> Hard()
    {
        static string Object(string properties) => $$$"""{"type":"object","properties":{{{{properties}}}},"required":["v"],"additionalProperties":false}""";

        // Strings: bounds, patterns that most of the vocabulary can follow, every format, properties of any name.
        yield return Object("""  "v":{"type":"string","minLength":3,"maxLength":60}  """);
        yield return Object("""  "v":{"type":"string","pattern":"^[^<>&]{1,200}$"}  """);
        yield return Object("""  "v":{"type":"string","pattern":"(cat|dog)s? and [a-z ]+"}  """);
        yield return Object("""  "v":{"type":"string","pattern":"^\\p{Lu}\\p{Ll}*( \\p{Lu}\\p{Ll}*)*$","maxLength":80}  """);
        foreach (string format in new[] { "date", "time", "date-time", "duration", "uuid", "email", "hostname", "ipv4", "ipv6", "uri" })
        {
            yield return Object($$"""  "v":{"type":"string","format":"{{format}}"}  """);
        }

        yield return """{"type":"object","properties":{"value":{"type":"integer"}},"additionalProperties":{"type":["string","number","null"]}}""";
        yield return """{"type":"object","patternProperties":{"^x-":{"type":"string"},"^y-":{"type":"array","items":{"type":"integer"}}},"additionalProperties":false}""";

        // Numbers, any JSON, recursion, alternatives.
        yield return Object("""  "v":{"type":"array","items":{"type":"number","minimum":-273.15,"exclusiveMaximum":1e6},"minItems":3,"maxItems":12}  """);
        yield return Object("""  "v":{"type":"integer","minimum":-1000000,"maximum":1000000,"multipleOf":25}  """);
        yield return Object("""  "v":{}  """);
        yield return """{"$defs":{"n":{"type":"object","properties":{"label":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/n"},"maxItems":4}},"required":["label"],"additionalProperties":false}},"type":"object","properties":{"root":{"$ref":"#/$defs/n"}},"required":["root"]}""";
        yield return Object("""  "v":{"anyOf":[{"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"]},{"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"]},{"type":"array","items":{"type":["string","integer"]}},{"type":"null"}]}  """);

        // Size.
        yield return JsonSerializer.Serialize(new
        {
            type = "object",
            properties = Enumerable.Range(0, 1000).ToDictionary(
                i => "property_" + i.ToString(CultureInfo.InvariantCulture), i => new { type = i % 3 == 0 ? "integer" : i % 3 == 1 ? "string" : "boolean" }),
            required = Enumerable.Range(0, 20).Select(i => "property_" + (i * 50).ToString(CultureInfo.InvariantCulture)),
        });
        string values = JsonSerializer.Serialize(Enumerable.Range(0, 10_000).Select(i => $"{(i * 7919L) % 1_000_003:x} street {i}"));
        yield return Object($$"""  "v":{"enum":{{values}}}  """);
    }
}
