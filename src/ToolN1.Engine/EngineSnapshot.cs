namespace ToolN1.Engine;

/// <summary>Counters and gauges of an engine at one moment.</summary>
public sealed record EngineSnapshot
{
    /// <summary>Sequences in the running batch.</summary>
    public required int RunningSequences { get; init; }

    /// <summary>Sequences accepted and waiting for blocks or a place in the batch.</summary>
    public required int WaitingSequences { get; init; }

    /// <summary>KV-cache blocks in the pool.</summary>
    public required int TotalBlocks { get; init; }

    /// <summary>Blocks held by sequences (cached blocks that nobody holds count as free).</summary>
    public required int UsedBlocks { get; init; }

    /// <summary>Engine steps since the start.</summary>
    public required long Steps { get; init; }

    /// <summary>Of these, steps that had no room left: every place was taken, or the token budget was spent.</summary>
    public long FullSteps { get; init; }

    /// <summary>Turns of leaseholders (training, merging) on the engine's thread since the start.</summary>
    public long Turns { get; init; }

    /// <summary>How long they took together.</summary>
    public TimeSpan TurnTime { get; init; }

    /// <summary>Sequences that may run at once.</summary>
    public int MaxSequences { get; init; }

    /// <summary>Tokens that one step computes at most.</summary>
    public int MaxBatchedTokens { get; init; }

    /// <summary>Accepted requests that may wait for their first step; beyond, requests are refused.</summary>
    public int MaxQueuedRequests { get; init; }

    /// <summary>Prompt tokens computed (not found in the prefix cache).</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Prompt tokens found in the prefix cache.</summary>
    public required long CachedPromptTokens { get; init; }

    /// <summary>Tokens sampled.</summary>
    public required long GeneratedTokens { get; init; }

    /// <summary>Generated tokens that a constraint left no choice about: computed in chunks, not sampled.</summary>
    public long ForcedTokens { get; init; }

    /// <summary>Sequences preempted and recomputed because blocks ran out.</summary>
    public required long Preemptions { get; init; }

    /// <summary>Requests finished, by whatever reason.</summary>
    public required long FinishedRequests { get; init; }

    /// <summary>False once the engine has given up after repeated faults; it then refuses every request.</summary>
    public bool Healthy { get; init; } = true;
}
