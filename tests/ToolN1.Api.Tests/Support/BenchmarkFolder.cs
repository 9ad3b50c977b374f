using System.Text.Json.Nodes;

namespace ToolN1.Api.Tests.Support;

/// <summary>A data directory with a small hand-made BFCL category, simple: question n wants tide(day=n).</summary>
internal sealed class BenchmarkFolder : IDisposable
{
    public const int Cases = 12;

    public BenchmarkFolder()
    {
        string folder = System.IO.Path.Combine(Path, "benchmarks", "bfcl");
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "questions"));
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "possible_answers"));
        File.WriteAllLines(System.IO.Path.Combine(folder, "questions", "BFCL_v3_simple.json"), Enumerable.Range(0, Cases).Select(Question));
        File.WriteAllLines(System.IO.Path.Combine(folder, "possible_answers", "BFCL_v3_simple.json"), Enumerable.Range(0, Cases).Select(Truth));
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("tooln1-data-").FullName;

    /// <summary>The answer that is right for question n.</summary>
    public static string Right(int n) => $$$"""<think>t</think><tool_call>[{"name": "tide", "arguments": {"day": {{{n}}}}}]</tool_call>""";

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static string Question(int n) => new JsonObject
    {
        ["id"] = $"simple_{n}",
        ["question"] = new JsonArray(new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"Tide on day {n}?" })),
        ["function"] = new JsonArray(JsonNode.Parse("""{"name": "tide", "description": "T.", "parameters": {"type": "dict", "properties": {"day": {"type": "integer", "description": "D."}}, "required": ["day"]}}""")),
    }.ToJsonString();

    private static string Truth(int n) => new JsonObject
    {
        ["id"] = $"simple_{n}",
        ["ground_truth"] = new JsonArray(new JsonObject { ["tide"] = new JsonObject { ["day"] = new JsonArray(n) } }),
    }.ToJsonString();
}
