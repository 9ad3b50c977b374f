using System.Text.Json;

namespace ToolN1.TestSupport;

/// <summary>A small checkpoint of tests/fixtures with its reference numbers.</summary>
public sealed record GoldenModel
{
    /// <summary>The four fixtures.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["qwen2-tiny", "qwen2-tiny-untied-sharded-bf16", "qwen3-tiny", "llama3-tiny"];

    /// <summary>The fixture's name.</summary>
    public required string Name { get; init; }

    /// <summary>The checkpoint's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Sequences of 1, 2, 7, 33 and 130 tokens.</summary>
    public required IReadOnlyList<GoldenCase> Cases { get; init; }

    /// <summary>Reads a fixture.</summary>
    public static GoldenModel Load(string name)
    {
        string folder = Path.Combine(TestPaths.Fixtures, name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        return new GoldenModel
        {
            Name = name,
            Folder = folder,
            Cases = [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(ReadCase)],
        };
    }

    private static GoldenCase ReadCase(JsonElement element) => new(
        [.. element.GetProperty("input_ids").EnumerateArray().Select(item => item.GetInt32())],
        [.. element.GetProperty("last_logits_top16").EnumerateArray().Select(pair => (pair[0].GetInt32(), pair[1].GetDouble()))],
        element.GetProperty("last_logits_mean").GetDouble(),
        element.GetProperty("last_logits_std").GetDouble(),
        [.. element.GetProperty("logprob_of_next_input").EnumerateArray().Select(item => item.GetDouble())],
        [.. element.GetProperty("greedy_next8").EnumerateArray().Select(item => item.GetInt32())]);
}
