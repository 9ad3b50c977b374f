namespace ToolN1.Engine.Constraints.Masks;

/// <summary>What tokens do from one state of a leaf, whatever the stack below.</summary>
/// <param name="Within">Bit k: token k ends within the leaf or exactly at its end.</param>
/// <param name="Beyond">The rests of tokens that go on after the leaf's end; null when there are none.</param>
internal sealed record LeafMask(ulong[] Within, TokenTrie? Beyond)
{
    /// <summary>Memory in bytes, about.</summary>
    public long Bytes => (Within.Length * 8L) + (Beyond is null ? 0 : (Beyond.Count * 10L) + (Beyond.Tokens.Length * 4L)) + 200;
}
