namespace ToolN1.Training.Passes;

/// <summary>The heads of an attention layer, and where each lies: [keyHeads, slots, headsPerKey, width] for queries, [keyHeads, slots, width] for keys and values.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyHeads">Key heads, and as many value heads.</param>
/// <param name="Width">Elements of a head.</param>
internal readonly record struct HeadShape(int Heads, int KeyHeads, int Width)
{
    /// <summary>Query heads that share a key head.</summary>
    public int HeadsPerKey => Heads / KeyHeads;

    /// <summary>Width of queries, keys and values of a token.</summary>
    public int RowWidth => (Heads + (2 * KeyHeads)) * Width;

    /// <summary>The place of a head, counting queries, then keys, then values, as a number of heads.</summary>
    public long Place(int head, long slot, long slots) => head < Heads
        ? (((head / HeadsPerKey * slots) + slot) * HeadsPerKey) + (head % HeadsPerKey)
        : ((head - Heads) % KeyHeads * slots) + slot;
}
