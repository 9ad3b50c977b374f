using System.Text;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A leaf that matches one of a set of byte strings.</summary>
internal sealed class LiteralSetRule : Rule
{
    private readonly ByteTrie _trie;

    /// <summary>Creates the rule.</summary>
    /// <param name="literals">Distinct byte strings.</param>
    public LiteralSetRule(IReadOnlyList<byte[]> literals)
    {
        _trie = new ByteTrie(literals);
        UpdateMinima();
    }

    /// <summary>Creates a rule that matches one text.</summary>
    public LiteralSetRule(string literal)
        : this([Encoding.UTF8.GetBytes(literal)])
    {
    }

    /// <inheritdoc/>
    public override int MaxGrowth => Math.Max(0, _trie.LongestEntry - MinBytes);

    /// <inheritdoc/>
    public override int StoredStates => _trie.Count;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) => _trie.Child(state, value);

    /// <inheritdoc/>
    public override bool HasBytes(int state) => _trie.HasChildren(state);

    /// <inheritdoc/>
    public override bool IsFinal(int state) => _trie.EntryAt[state] >= 0;

    /// <inheritdoc/>
    public override int MinBytesFrom(int state) => _trie.ShortestFrom[state];

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => _trie.ShortestFrom[0] < Never ? 0 : Never;
}
