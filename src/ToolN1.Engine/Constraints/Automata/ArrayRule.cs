namespace ToolN1.Engine.Constraints.Automata;

/// <summary>An array: given leading items, then items of one kind, within bounds of length. Counts are computed, not stored.</summary>
internal sealed class ArrayRule : Rule
{
    private const int Open = 0;
    private const int Done = 1;
    private const int FirstSpace = 2;
    private const int First = 3;
    private const int Item = 4;
    private const int AfterSpace = 5;
    private const int After = 6;
    private const int CommaSpace = 7;
    private const int Slots = 8;
    private readonly JsonStyle _style;
    private readonly Rule[] _prefix;
    private readonly Rule? _rest;
    private readonly int _min;
    private readonly int _max;
    private readonly int _cap;

    /// <summary>Creates the rule; the items' minima may still change (recursion).</summary>
    /// <param name="style">White space.</param>
    /// <param name="prefix">Rules of the first items.</param>
    /// <param name="rest">Rule of the items after them; null when there are none.</param>
    /// <param name="min">Fewest items.</param>
    /// <param name="max">Most items; <see cref="int.MaxValue"/> is unlimited.</param>
    public ArrayRule(JsonStyle style, Rule[] prefix, Rule? rest, int min, int max)
    {
        _style = style;
        _prefix = prefix;
        _rest = rest;
        _min = min;
        _max = rest is null ? Math.Min(max, prefix.Length) : max;
        _cap = _max == int.MaxValue ? Math.Max(min, prefix.Length) : _max;
        UpdateMinima();
    }

    /// <summary>Largest count that is kept exactly.</summary>
    public static int MaxCount => 100_000_000;

    /// <inheritdoc/>
    public override bool IsContainer => true;

    /// <inheritdoc/>
    public override IEnumerable<Rule> Callees => [.. _prefix, .. _rest is null ? (Rule[])[] : [_rest], .. _style.AfterOpen is null ? (Rule[])[] : [_style.AfterOpen]];

    /// <inheritdoc/>
    public override int MaxGrowth => 2 + _prefix.Append(_rest).Where(rule => rule is { MinBytes: < Never }).Select(rule => rule!.MinBytes).DefaultIfEmpty(0).Max();

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room)
    {
        (int count, int slot) = Math.DivRem(state, Slots);
        return (slot, value) switch
        {
            (Open, (byte)'[') => _style.AfterOpen is not null && IsOpen(0, room) ? FirstSpace : First,
            (First, (byte)']') => _min == 0 ? Done : -1,
            (After, (byte)']') => count >= _min ? Done : -1,
            (After, (byte)',') => IsOpen(count, room) ? At(count, _style.AfterComma is null ? Item : CommaSpace) : -1,
            _ => -1,
        };
    }

    /// <inheritdoc/>
    public override bool HasBytes(int state) => state % Slots is Open or After || (state % Slots == First && _min == 0);

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == Done;

    /// <inheritdoc/>
    public override int CallCount(int state) => (state % Slots) switch
    {
        FirstSpace or AfterSpace or CommaSpace => 1,
        First => ItemAt(0) is null ? 0 : 1,
        Item => 1,
        _ => 0,
    };

    /// <inheritdoc/>
    public override (Rule Callee, int Return) Call(int state, int index)
    {
        (int count, int slot) = Math.DivRem(state, Slots);
        return slot switch
        {
            FirstSpace => (_style.AfterOpen!, First),
            AfterSpace => (_style.BeforeClose!, At(count, After)),
            CommaSpace => (_style.AfterComma!, At(count, Item)),
            _ => (ItemAt(count)!, At(Math.Min(count + 1, _cap), _style.BeforeClose is null ? After : AfterSpace)),
        };
    }

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        (int count, int slot) = Math.DivRem(state, Slots);
        if (state == Done)
        {
            return 0;
        }

        if (_min > _max)
        {
            return Never;
        }

        // 1. The closing bracket, and the item that is due at once, if one is.
        int bytes = slot == Open ? 2 : 1;
        bool isDue = slot is Item or CommaSpace;
        int next = count;
        if (isDue)
        {
            bytes = Add(bytes, (ItemAt(count)?.MinBytes ?? Never) + (slot == CommaSpace ? _style.AfterComma!.MinBytes : 0));
            next++;
        }

        // 2. Items up to the minimum, each with its comma but the very first.
        int comma = 1 + (_style.AfterComma?.MinBytes ?? 0);
        for (; next < _min && next < _prefix.Length; next++)
        {
            bytes = Add(bytes, Add(_prefix[next].MinBytes, next == 0 ? 0 : comma));
        }

        if (next < _min)
        {
            long rest = (long)(_min - next) * Add(_rest?.MinBytes ?? Never, comma);
            bytes = (int)Math.Min(Never, bytes + rest - (next == 0 ? comma : 0));
        }

        return bytes;
    }

    /// <inheritdoc/>
    protected override int ComputeMinDepth()
    {
        if (_min > _max)
        {
            return Never;
        }

        int depth = _min > _prefix.Length ? _rest!.MinDepth : 0;
        for (int i = 0; i < Math.Min(_min, _prefix.Length); i++)
        {
            depth = Math.Max(depth, _prefix[i].MinDepth);
        }

        return Add(1, depth);
    }

    private static int At(int count, int slot) => slot + (Slots * count);

    private Rule? ItemAt(int count) => count >= _max ? null : count < _prefix.Length ? _prefix[count] : _rest;

    private bool IsOpen(int count, int room) => ItemAt(count) is { } item && item.MinDepth <= room;
}
