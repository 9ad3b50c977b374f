using System.Text.Json;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Steps that an engine took for a run.</summary>
/// <param name="Total">All of them.</param>
/// <param name="Full">Those that had no room for more: every place taken, or the step's token budget spent.</param>
public sealed record EngineSteps(long Total, long Full)
{
    /// <summary>Share of full steps; null without a step.</summary>
    public double? FullShare => Total == 0 ? null : Full / (double)Total;

    /// <summary>What a run's earlier parts left in summary.json; none where there is no such file.</summary>
    /// <param name="file">The run's summary.json.</param>
    internal static EngineSteps Read(string file)
    {
        if (!File.Exists(file))
        {
            return new EngineSteps(0, 0);
        }

        try
        {
            using JsonDocument summary = JsonDocument.Parse(File.ReadAllBytes(file));
            return new EngineSteps(Count(summary.RootElement, "engine_steps"), Count(summary.RootElement, "full_engine_steps"));
        }
        catch (JsonException)
        {
            // Somebody's own file: it is about to be replaced.
            return new EngineSteps(0, 0);
        }
    }

    private static long Count(JsonElement summary, string name) =>
        summary.ValueKind == JsonValueKind.Object && summary.TryGetProperty(name, out JsonElement value) && value.TryGetInt64(out long count) ? count : 0;
}
