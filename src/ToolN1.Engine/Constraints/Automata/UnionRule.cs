namespace ToolN1.Engine.Constraints.Automata;

/// <summary>One of several rules; also the place of a rule that is still being compiled (recursion).</summary>
internal sealed class UnionRule : Rule
{
    private Rule[] _alternatives = [];

    /// <summary>Creates an empty union, to be set once.</summary>
    public UnionRule()
    {
    }

    /// <summary>Creates a union.</summary>
    public UnionRule(IEnumerable<Rule> alternatives) => Set(alternatives);

    /// <inheritdoc/>
    public override IEnumerable<Rule> Callees => _alternatives;

    /// <inheritdoc/>
    public override int MaxGrowth =>
        _alternatives.Where(rule => rule.MinBytes < Never).Select(rule => rule.MinBytes - MinBytes).DefaultIfEmpty(0).Max();

    /// <summary>Sets the alternatives.</summary>
    public void Set(IEnumerable<Rule> alternatives)
    {
        _alternatives = [.. alternatives];
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) => -1;

    /// <inheritdoc/>
    public override bool HasBytes(int state) => false;

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == 1;

    /// <inheritdoc/>
    public override int CallCount(int state) => state == 0 ? _alternatives.Length : 0;

    /// <inheritdoc/>
    public override (Rule Callee, int Return) Call(int state, int index) => (_alternatives[index], 1);

    /// <inheritdoc/>
    public override int MinBytesFrom(int state) =>
        state == 1 ? 0 : _alternatives.Select(rule => rule.MinBytes).DefaultIfEmpty(Never).Min();

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => _alternatives.Select(rule => rule.MinDepth).DefaultIfEmpty(Never).Min();
}
