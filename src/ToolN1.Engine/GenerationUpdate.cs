using ToolN1.Engine.Sampling;

namespace ToolN1.Engine;

/// <summary>What one engine step added to a sequence. The last update carries <see cref="FinishReason"/>.</summary>
public sealed record GenerationUpdate
{
    /// <summary>New ids, usually one, several where a constraint left no choice; includes a sampled end-of-sequence or stop id (readers drop it by id).</summary>
    public required IReadOnlyList<int> TokenIds { get; init; }

    /// <summary>One entry for each of <see cref="TokenIds"/>, when asked for; else null.</summary>
    public IReadOnlyList<TokenLogProb>? LogProbs { get; init; }

    /// <summary>On the first update only, when asked for: one entry a prompt token, null for the first token.</summary>
    public IReadOnlyList<TokenLogProb?>? PromptLogProbs { get; init; }

    /// <summary>Set on the last update.</summary>
    public FinishReason? FinishReason { get; init; }

    /// <summary>The id that ended the sequence (it is the last of <see cref="TokenIds"/>), when an id did.</summary>
    public int? StopTokenId { get; init; }

    /// <summary>Version of the weights that computed the sequence, from beginning to end; null where the engine tells none.</summary>
    public string? WeightVersion { get; init; }

    /// <summary>Prompt tokens whose keys and values came from the prefix cache.</summary>
    public int CachedPromptTokens { get; init; }
}
