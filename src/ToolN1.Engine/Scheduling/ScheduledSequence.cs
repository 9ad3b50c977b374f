namespace ToolN1.Engine.Scheduling;

/// <summary>A sequence's part in one step: its tokens [Start, Start + Count) are computed.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Start">Position of the first token; everything before it is in the cache.</param>
/// <param name="Count">Tokens to compute, at least one.</param>
internal readonly record struct ScheduledSequence(Sequence Sequence, int Start, int Count)
{
    /// <summary>True when the step reaches the last known token, whose logits choose the next.</summary>
    public bool ReachesEnd => Start + Count == Sequence.TokenCount;

    /// <summary>True when a next token is to be chosen.</summary>
    public bool Samples => ReachesEnd && Sequence.GeneratedCount < Sequence.Request.MaxNewTokens;
}
