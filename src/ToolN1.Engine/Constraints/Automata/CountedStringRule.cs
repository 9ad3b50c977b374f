namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A leaf: a JSON string with a number of characters (code points) within bounds. Counts are computed, not stored.</summary>
internal sealed class CountedStringRule : Rule
{
    private const int Done = 1;
    private const int Content = 2;

    private readonly int _min;
    private readonly int _max;
    private readonly int _cap;

    /// <summary>Creates the rule.</summary>
    /// <param name="min">Fewest characters, at most <see cref="MaxCount"/>.</param>
    /// <param name="max">Most characters; beyond <see cref="MaxCount"/> it counts as unlimited, since no answer is as long.</param>
    public CountedStringRule(int min, int max)
    {
        _min = min;
        _max = max > MaxCount ? int.MaxValue : max;
        _cap = _max == int.MaxValue ? min : _max;
        UpdateMinima();
    }

    /// <summary>Largest count that is kept exactly.</summary>
    public static int MaxCount => 10_000_000;

    /// <summary>Any JSON string.</summary>
    public static CountedStringRule Any { get; } = new(0, int.MaxValue);

    /// <inheritdoc/>
    public override RuleShape Shape => RuleShape.String;

    /// <inheritdoc/>
    public override int MaxGrowth => JsonStringTable.MaxGrowth;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room)
    {
        if (state < Content)
        {
            return state == 0 && value == '"' ? Content : -1;
        }

        (int count, int sub) = Math.DivRem(state - Content, JsonStringTable.States);
        if (sub == 0)
        {
            if (value == '"')
            {
                return count >= _min ? Done : -1;
            }

            if (count == _max)
            {
                return -1;
            }
        }

        int next = JsonStringTable.All[(sub * 256) + value];
        return next < 0 ? -1 : Content + next + (JsonStringTable.States * (next == 0 ? Math.Min(count + 1, _cap) : count));
    }

    /// <inheritdoc/>
    public override bool HasBytes(int state) => state != Done;

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == Done;

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        if (_min > _max)
        {
            return Never;
        }

        if (state < Content)
        {
            return state == Done ? 0 : _min + 2;
        }

        (int count, int sub) = Math.DivRem(state - Content, JsonStringTable.States);
        return JsonStringTable.Distance[sub] + Math.Max(0, _min - count - (sub == 0 ? 0 : 1)) + 1;
    }

    /// <inheritdoc/>
    public override StringPlace? StringPlace(int state)
    {
        if (state < Content)
        {
            return null;
        }

        (int count, int sub) = Math.DivRem(state - Content, JsonStringTable.States);
        int left = _max == int.MaxValue ? int.MaxValue : _max - count - (sub == 0 ? 0 : 1);
        return new StringPlace(sub, left, IsCanonical: false);
    }

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => _min <= _max ? 0 : Never;
}
