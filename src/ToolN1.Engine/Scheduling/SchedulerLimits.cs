namespace ToolN1.Engine.Scheduling;

/// <summary>Limits of one engine step.</summary>
internal sealed record SchedulerLimits
{
    /// <summary>Creates the limits.</summary>
    /// <param name="maxSequences">Sequences that run at once.</param>
    /// <param name="maxBatchedTokens">Tokens computed in a step; at least <paramref name="maxSequences"/>, so that every running sequence can decode in every step.</param>
    public SchedulerLimits(int maxSequences, int maxBatchedTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBatchedTokens, maxSequences);
        MaxSequences = maxSequences;
        MaxBatchedTokens = maxBatchedTokens;
    }

    /// <summary>Sequences that run at once.</summary>
    public int MaxSequences { get; }

    /// <summary>Tokens computed in a step.</summary>
    public int MaxBatchedTokens { get; }
}
