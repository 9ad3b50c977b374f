namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Rules one after another. State k is before part k.</summary>
internal sealed class SequenceRule : Rule
{
    private readonly Rule[] _parts;

    /// <summary>Creates the sequence.</summary>
    public SequenceRule(params IEnumerable<Rule> parts)
    {
        _parts = [.. parts];
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override IEnumerable<Rule> Callees => _parts;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) => -1;

    /// <inheritdoc/>
    public override bool HasBytes(int state) => false;

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == _parts.Length;

    /// <inheritdoc/>
    public override int CallCount(int state) => state < _parts.Length ? 1 : 0;

    /// <inheritdoc/>
    public override (Rule Callee, int Return) Call(int state, int index) => (_parts[state], state + 1);

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        int sum = 0;
        for (int i = state; i < _parts.Length; i++)
        {
            sum = Add(sum, _parts[i].MinBytes);
        }

        return sum;
    }

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => _parts.Select(part => part.MinDepth).DefaultIfEmpty(0).Max();
}
