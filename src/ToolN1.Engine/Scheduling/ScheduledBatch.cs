namespace ToolN1.Engine.Scheduling;

/// <summary>What one engine step computes: prompt chunks and single decode tokens side by side.</summary>
/// <param name="Items">The sequences and their tokens.</param>
/// <param name="TokenCount">Tokens in all, at most the token budget.</param>
/// <param name="IsFull">Whether there was no room for more: every place is taken, or the token budget is spent.</param>
internal sealed record ScheduledBatch(IReadOnlyList<ScheduledSequence> Items, int TokenCount, bool IsFull);
