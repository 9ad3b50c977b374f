using System.Globalization;
using System.Text.Json;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;

namespace ToolN1.Training.Checkpoints;

/// <summary>What of a run's checkpoints others than <see cref="RunCheckpoints{TState}"/> read or make.</summary>
internal static class RunCheckpointFiles
{
    /// <summary>Where the checkpoints are, within a run's folder.</summary>
    public const string Folder = "checkpoints";

    /// <summary>Begins the name of a checkpoint's folder; the step follows.</summary>
    public const string Prefix = "step-";

    /// <summary>What is trained, in f32: whole weights, or an adapter's.</summary>
    public const string Weights = "masters.safetensors";

    /// <summary>What the next step depends on beside tensors.</summary>
    public const string State = "state.json";

    /// <summary>A mark that keeps the checkpoint whatever its age.</summary>
    public const string Pin = "pinned";

    /// <summary>Finished checkpoints in a folder, oldest first; none where there is no folder.</summary>
    public static IReadOnlyList<string> List(string folder) =>
        Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder, Prefix + "*").Where(path => !path.EndsWith(DurableStorage.TemporarySuffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Step of a checkpoint; null for a folder that is none.</summary>
    public static int? StepOf(string path) =>
        int.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : null;

    /// <summary>Version of the weights that a checkpoint's run began with; null where it does not tell.</summary>
    /// <exception cref="CheckpointException">Its state cannot be read.</exception>
    public static string? StartVersionOf(string path)
    {
        string file = Path.Combine(path, State);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            using JsonDocument state = JsonDocument.Parse(File.ReadAllBytes(file));
            return state.RootElement.TryGetProperty("start_version", out JsonElement version) ? version.GetString() : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(file, "cannot be read: " + error.Message, error);
        }
    }
}
