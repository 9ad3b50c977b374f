using System.Text.Json.Nodes;

namespace ToolN1.EndToEnd.Tests;

/// <summary>A folder with a small hand-made BFCL category, simple: question n wants tide(day=n). Runs may be kept in it too.</summary>
internal sealed class TideBenchmark : IDisposable
{
    /// <param name="cases">How many questions.</param>
    public TideBenchmark(int cases)
    {
        Write("questions", Enumerable.Range(0, cases).Select(Question));
        Write("possible_answers", Enumerable.Range(0, cases).Select(Truth));
    }

    /// <summary>The benchmark's folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("tooln1-tides-").FullName;

    /// <summary>Where a run may be kept.</summary>
    public string Run => Path.Combine(Folder, "run");

    /// <summary>The answer that is right for question n.</summary>
    public static string Right(int n) => $$$"""<think>t</think><tool_call>[{"name": "tide", "arguments": {"day": {{{n}}}}}]</tool_call>""";

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Write(string part, IEnumerable<string> lines)
    {
        Directory.CreateDirectory(Path.Combine(Folder, part));
        File.WriteAllLines(Path.Combine(Folder, part, "BFCL_v3_simple.json"), lines);
    }

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
