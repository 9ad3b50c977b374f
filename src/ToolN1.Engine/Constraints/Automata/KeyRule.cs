namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// A leaf: a quoted property name that is none of the given ones. Only necessary escapes are allowed, so that a name has
/// one spelling and cannot come a second time in disguise.
/// </summary>
internal sealed class KeyRule : Rule
{
    private const int Done = 1;
    private const int Content = 2;
    private readonly ByteTrie _excluded;

    /// <summary>Creates the rule.</summary>
    /// <param name="excluded">Names in canonical JSON spelling, without quotes.</param>
    public KeyRule(IReadOnlyList<byte[]> excluded)
    {
        _excluded = new ByteTrie(excluded);
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override RuleShape Shape => RuleShape.String;

    /// <inheritdoc/>
    public override int MaxGrowth => JsonStringTable.MaxGrowth;

    /// <inheritdoc/>
    public override int StoredStates => _excluded.Count;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room)
    {
        if (state < Content)
        {
            return state == 0 && value == '"' ? Content + JsonStringTable.States : -1;
        }

        // node 0 is "no longer the beginning of an excluded name", node k + 1 is the tree's node k.
        (int node, int sub) = Math.DivRem(state - Content, JsonStringTable.States);
        if (sub == 0 && value == '"')
        {
            return node > 0 && _excluded.EntryAt[node - 1] >= 0 ? -1 : Done;
        }

        int next = JsonStringTable.Canonical[(sub * 256) + value];
        return next < 0 ? -1 : Content + next + (JsonStringTable.States * (node == 0 ? 0 : _excluded.Child(node - 1, value) + 1));
    }

    /// <inheritdoc/>
    public override bool HasBytes(int state) => state != Done;

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == Done;

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        if (state < Content)
        {
            return state == Done ? 0 : 3;
        }

        (int node, int sub) = Math.DivRem(state - Content, JsonStringTable.States);
        return JsonStringTable.Distance[sub] + (node > 0 && _excluded.EntryAt[node - 1] >= 0 ? 2 : 1);
    }

    /// <inheritdoc/>
    public override StringPlace? StringPlace(int state) =>
        state < Content ? null : new StringPlace((state - Content) % JsonStringTable.States, int.MaxValue, IsCanonical: true);

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => 0;
}
