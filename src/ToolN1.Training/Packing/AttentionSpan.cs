namespace ToolN1.Training.Packing;

/// <summary>
/// A run of queries and what they see: the group's prefix [GroupStart, GroupStart + Context), what comes before them in
/// their own run [RunStart, RunStart + Before), and themselves causally.
/// </summary>
/// <param name="GroupStart">First token of the group.</param>
/// <param name="Context">Prefix tokens that are seen whole; 0 where the run is the prefix itself.</param>
/// <param name="RunStart">First token of the run.</param>
/// <param name="Before">Tokens of the run before these queries.</param>
/// <param name="Length">Queries.</param>
internal readonly record struct AttentionSpan(int GroupStart, int Context, int RunStart, int Before, int Length)
{
    /// <summary>Longer runs are cut into pieces of this many queries.</summary>
    public const int LongestPiece = 256;

    /// <summary>First query.</summary>
    public int QueryStart => RunStart + Before;

    /// <summary>Tokens of the run that are seen, the queries included.</summary>
    public int RunKeys => Before + Length;

    /// <summary>All keys.</summary>
    public int Keys => Context + RunKeys;

    /// <summary>Whether prefix and run are neighbours, so that the keys are one slice.</summary>
    public bool IsContiguous => Context == 0 || GroupStart + Context == RunStart;
}
