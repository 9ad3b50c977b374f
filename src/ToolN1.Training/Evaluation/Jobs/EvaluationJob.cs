using System.Text.Json.Serialization;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>One evaluation; a snapshot (job.json in its folder).</summary>
public sealed record EvaluationJob
{
    /// <summary><c>eval_</c> and 24 hexadecimal digits; the name of its folder.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<EvaluationStatus>))]
    public required EvaluationStatus Status { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first question was asked; null before.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, by whatever reason; null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The served model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The weights it asks: those that were live when it was asked for.</summary>
    public required string WeightVersion { get; init; }

    /// <summary>What it runs.</summary>
    public required EvaluationSpec Spec { get; init; }

    /// <summary>Answered and correct questions so far.</summary>
    public EvaluationProgress Progress { get; init; }

    /// <summary>The benchmark's figures by name, in 0..1; empty until it has succeeded.</summary>
    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();

    /// <summary>Why it failed; null otherwise.</summary>
    public string? Error { get; init; }

    /// <summary>Whether nothing more will happen.</summary>
    [JsonIgnore]
    public bool HasEnded => Status is EvaluationStatus.Succeeded or EvaluationStatus.Failed or EvaluationStatus.Cancelled;
}
