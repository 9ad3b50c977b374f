namespace ToolN1.Cli.Bench;

/// <summary>What every benchmark is told.</summary>
/// <param name="Model">A checkpoint's folder, or null for random weights.</param>
/// <param name="Preset">Shape of the random weights.</param>
/// <param name="DType">As the option of the server.</param>
/// <param name="Device">As the option of the server.</param>
/// <param name="Repeat">Repetitions after one warm-up.</param>
/// <param name="MaxSequences">Sequences that may run at once.</param>
/// <param name="MaxBatchedTokens">Tokens computed in one step; null for the engine's default.</param>
/// <param name="Json">File for the report, or null.</param>
internal sealed record BenchSettings(string? Model, string Preset, string DType, string Device, int Repeat, int MaxSequences, int? MaxBatchedTokens, string? Json)
{
    /// <summary>What the report calls the model.</summary>
    public string ModelName => Model is null ? $"{Preset}, random weights" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Model));
}
