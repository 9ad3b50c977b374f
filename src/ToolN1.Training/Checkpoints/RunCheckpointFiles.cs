namespace ToolN1.Training.Checkpoints;

/// <summary>Names of files in a run's checkpoint that others than <see cref="RunCheckpoints{TState}"/> read or make.</summary>
internal static class RunCheckpointFiles
{
    /// <summary>What is trained, in f32: whole weights, or an adapter's.</summary>
    public const string Weights = "masters.safetensors";

    /// <summary>A mark that keeps the checkpoint whatever its age.</summary>
    public const string Pin = "pinned";
}
