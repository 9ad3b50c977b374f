using System.Text.Json;

namespace ToolN1.Training.Jobs;

/// <summary>A job as it is asked for.</summary>
public sealed record JobRequest
{
    /// <summary>The model to start from; the served name is whichever version of it is live.</summary>
    public required string Model { get; init; }

    /// <summary>Id of the training file.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of the held-out file; null for none.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>The method's own object; undefined when absent. Read before the call returns.</summary>
    public JsonElement Settings { get; init; }

    /// <summary>Seeds all chance; null draws one.</summary>
    public int? Seed { get; init; }

    /// <summary>Ends the models' names.</summary>
    public string? Suffix { get; init; }

    /// <summary>The caller's own pairs, as a JSON object.</summary>
    public string Metadata { get; init; } = "{}";
}
