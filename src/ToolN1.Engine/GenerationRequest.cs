using ToolN1.Engine.Constraints;
using ToolN1.Engine.Sampling;

namespace ToolN1.Engine;

/// <summary>One sequence to generate: token ids in. Immutable; may be shared between threads.</summary>
public sealed record GenerationRequest
{
    /// <summary>Caller's id, for logs and metrics; unique among requests in flight.</summary>
    public required string RequestId { get; init; }

    /// <summary>Prompt ids, at least one, each within the vocabulary.</summary>
    public required IReadOnlyList<int> PromptTokenIds { get; init; }

    /// <summary>Most tokens to generate; with zero the prompt is only evaluated (see <see cref="PromptLogProbs"/>).</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>How the next token is chosen.</summary>
    public SamplingParameters Sampling { get; init; } = SamplingParameters.Greedy;

    /// <summary>What the answer is kept to, compiled for the engine's own vocabulary; null for nothing.</summary>
    public AnswerConstraint? Constraint { get; init; }

    /// <summary>When set, log-probabilities of every prompt token (but the first) with this many alternatives are returned in the first update.</summary>
    public int? PromptLogProbs { get; init; }

    /// <summary>Version of the weights to run on (see <see cref="Execution.IModelHost.Versions"/>); null is whichever is live when the sequence starts.</summary>
    public string? WeightVersion { get; init; }

    /// <summary>Live requests start before background ones and may take their places.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>Only requests with the same salt share prefix-cache blocks: give each tenant its own. Null is a salt like any other.</summary>
    public string? CacheSalt { get; init; }
}
