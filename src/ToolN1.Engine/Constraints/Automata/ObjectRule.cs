namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// An object: declared properties in their order (optional ones may be left out), then further ones whose names match
/// key rules. A state is (slot, next property that may come, properties so far), computed, so that a thousand optional
/// properties need no more memory than their names.
/// </summary>
internal sealed class ObjectRule : Rule
{
    private const int Open = 0;
    private const int Done = 1;
    private const int FirstSpace = 2;
    private const int First = 3;
    private const int AfterSpace = 4;
    private const int After = 5;
    private const int CommaSpace = 6;
    private const int Key = 7;
    private const int Extras = 8;

    // Of each kind of further property: its colon is due, its space, its value.
    private const int ExtraColon = 0;
    private const int ExtraSpace = 1;
    private const int ExtraValue = 2;
    private const int ExtraSlots = 3;

    // Properties with a common beginning that are compared for the shortest end.
    private const int MaxTried = 32;
    private readonly JsonStyle _style;
    private readonly ObjectProperty[] _properties;
    private readonly (Rule Key, Rule Value)[] _extras;
    private readonly int _min;
    private readonly int _max;
    private readonly int _cap;
    private readonly ByteTrie _names;
    private readonly int[][] _under;
    private readonly int[] _depth;
    private readonly int[] _lastOpen;
    private readonly int[] _requiredFrom;
    private readonly int[] _requiredBytes;

    // Bytes of the cheapest further properties from each one on: [next][how many].
    private readonly int[][] _cheapest;
    private readonly int _nodes;
    private readonly int _values;
    private readonly int _slots;

    /// <summary>Creates the rule; the values' minima may still change (recursion).</summary>
    /// <param name="style">White space.</param>
    /// <param name="properties">Declared properties in order.</param>
    /// <param name="extras">Key and value rules of further properties.</param>
    /// <param name="min">Fewest properties.</param>
    /// <param name="max">Most properties.</param>
    /// <exception cref="ConstraintException">The combination needs more states than can be numbered.</exception>
    public ObjectRule(JsonStyle style, IReadOnlyList<ObjectProperty> properties, IReadOnlyList<(Rule Key, Rule Value)> extras, int min, int max)
    {
        _style = style;
        _properties = [.. properties];
        _extras = [.. extras];
        int count = _properties.Length;
        int required = _properties.Count(property => property.IsRequired);

        // Counting is only needed where the bounds say more than the properties do.
        bool counts = min > required || max < (_extras.Length > 0 ? int.MaxValue : count);
        (_min, _max) = counts ? (min, max) : (0, int.MaxValue);
        _cap = !counts ? 0 : max == int.MaxValue ? min : max;
        _names = new ByteTrie([.. _properties.Select(property => (byte[])[.. property.Key, (byte)':'])]);
        _nodes = Extras + (ExtraSlots * _extras.Length);
        _values = _nodes + _names.Count;
        _slots = _values + count;
        if ((long)_slots * (count + 1) * (_cap + 1L) > int.MaxValue)
        {
            throw new ConstraintException("", $"an object with {count} properties and bounds {min} and {max} needs too many states");
        }

        (_under, _depth) = IndexNames();
        _lastOpen = new int[count + 1];
        _requiredFrom = new int[count + 1];
        _requiredBytes = new int[count + 1];
        int missing = Math.Max(1, _min - required);
        if ((long)(count + 1) * (missing + 1) > 4_000_000)
        {
            throw new ConstraintException("", $"an object with {count} properties and at least {min} needs too many states");
        }

        _cheapest = new int[count + 1][];
        for (int i = 0; i <= count; i++)
        {
            _cheapest[i] = new int[missing + 1];
        }

        _lastOpen[count] = count - 1;
        for (int i = count - 1; i >= 0; i--)
        {
            _lastOpen[i] = _properties[i].IsRequired ? i : _lastOpen[i + 1];
            _requiredFrom[i] = _requiredFrom[i + 1] + (_properties[i].IsRequired ? 1 : 0);
        }

        UpdateMinima();
    }

    /// <inheritdoc/>
    public override bool IsContainer => true;

    /// <inheritdoc/>
    public override int StoredStates => _names.Count;

    /// <inheritdoc/>
    public override IEnumerable<Rule> Callees
    {
        get
        {
            IEnumerable<Rule?> rules = _properties.Select(property => property.Value)
                .Concat(_extras.SelectMany(extra => new[] { extra.Key, extra.Value }))
                .Append(_style.AfterColon);
            return rules.Where(rule => rule is not null).Select(rule => rule!);
        }
    }

    /// <inheritdoc/>
    public override int MaxGrowth =>
        4 + Math.Max(
            _properties.Where(property => !property.IsRequired && property.Value.MinBytes < Never)
                .Select(property => property.Key.Length + property.Value.MinBytes).DefaultIfEmpty(0).Max(),
            _extras.Where(extra => extra.Value.MinBytes < Never).Select(extra => 3 + extra.Value.MinBytes).DefaultIfEmpty(0).Max());

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room)
    {
        (int slot, int next, int count) = Decode(state);
        switch (slot)
        {
            case Open:
                return value == '{' ? At(_style.AfterOpen is not null && CanContinue(0, 0, room) ? FirstSpace : First, 0, 0) : -1;
            case First when value == '}':
            case After when value == '}':
                return CanEnd(next, count) ? At(Done, 0, 0) : -1;
            case After:
                return value == ',' && CanContinue(next, count, room) ? At(_style.AfterComma is null ? Key : CommaSpace, next, count) : -1;
            case First or Key:
                return NextInName(0, value, next, count, room);
        }

        if (slot >= _nodes)
        {
            return slot < _values ? NextInName(slot - _nodes, value, next, count, room) : -1;
        }

        return slot >= Extras && (slot - Extras) % ExtraSlots == ExtraColon && value == ':'
            ? At(slot + (_style.AfterColon is null ? ExtraValue : ExtraSpace), next, count)
            : -1;
    }

    /// <inheritdoc/>
    public override bool HasBytes(int state)
    {
        int slot = state % _slots;
        return slot switch
        {
            Open or First or After => true,
            Key => _properties.Length > 0,
            >= Extras when slot < _nodes => (slot - Extras) % ExtraSlots == ExtraColon,
            >= Extras when slot < _values => _names.HasChildren(slot - _nodes),
            _ => false,
        };
    }

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == Done;

    /// <inheritdoc/>
    public override int CallCount(int state)
    {
        (int slot, int next, int count) = Decode(state);
        return slot switch
        {
            FirstSpace or AfterSpace or CommaSpace => 1,
            First or Key => ExtrasOpen(next, count) ? _extras.Length : 0,
            >= Extras when slot < _nodes => (slot - Extras) % ExtraSlots == ExtraColon ? 0 : 1,
            >= Extras when slot < _values => _names.EntryAt[slot - _nodes] >= 0 ? 1 : 0,
            >= Extras => 1,
            _ => 0,
        };
    }

    /// <inheritdoc/>
    public override int DepthAfterCall(int state, int index) =>
        state % _slots is First or Key ? _extras[index].Value.MinDepth : 0;

    /// <inheritdoc/>
    public override (Rule Callee, int Return) Call(int state, int index)
    {
        (int slot, int next, int count) = Decode(state);
        switch (slot)
        {
            case FirstSpace:
                return (_style.AfterOpen!, At(First, next, count));
            case AfterSpace:
                return (_style.BeforeClose!, At(After, next, count));
            case CommaSpace:
                return (_style.AfterComma!, At(Key, next, count));
            case First or Key:
                return (_extras[index].Key, At(Extras + (ExtraSlots * index) + ExtraColon, _properties.Length, count));
        }

        int afterValue = _style.BeforeClose is null ? After : AfterSpace;
        int more = Math.Min(count + 1, _cap);
        if (slot < _nodes)
        {
            (int kind, int part) = Math.DivRem(slot - Extras, ExtraSlots);
            return part == ExtraSpace
                ? (_style.AfterColon!, At(slot - ExtraSpace + ExtraValue, next, count))
                : (_extras[kind].Value, At(afterValue, next, more));
        }

        if (slot < _values && _style.AfterColon is not null)
        {
            return (_style.AfterColon, At(_values + _names.EntryAt[slot - _nodes], next, count));
        }

        int property = slot < _values ? _names.EntryAt[slot - _nodes] : slot - _values;
        return (_properties[property].Value, At(afterValue, property + 1, more));
    }

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        (int slot, int next, int count) = Decode(state);
        int colonSpace = _style.AfterColon?.MinBytes ?? 0;
        switch (slot)
        {
            case Done:
                return 0;
            case Open:
                return Add(1, ToEnd(0, 0, true));
            case FirstSpace or First:
                return ToEnd(0, 0, true);
            case AfterSpace or After:
                return ToEnd(next, count, false);
            case CommaSpace or Key:
                // The comma is written, so one property is due, whether or not one is required.
                int space = slot == CommaSpace ? _style.AfterComma!.MinBytes : 0;
                return Add(space, _requiredFrom[next] > 0 || count < _min ? ToEnd(next, count, true) : Add(1 - CommaBytes, _cheapest[next][1]));
        }

        int more = Math.Min(count + 1, _cap);
        if (slot < _nodes)
        {
            (int kind, int part) = Math.DivRem(slot - Extras, ExtraSlots);
            return Add(Add(_extras[kind].Value.MinBytes, ToEnd(next, more, false)), part == ExtraColon ? 1 + colonSpace : 0);
        }

        if (slot >= _values)
        {
            return Add(_properties[slot - _values].Value.MinBytes, ToEnd(slot - _values + 1, more, false));
        }

        int node = slot - _nodes;
        int fewest = Never;
        int tried = 0;
        for (int property = FirstOpen(node, next, count, Never - 1); property >= 0 && tried < MaxTried; tried++)
        {
            int head = _properties[property].Key.Length + 1 - _depth[node] + colonSpace;
            fewest = Math.Min(fewest, Add(Add(head, _properties[property].Value.MinBytes), ToEnd(property + 1, more, false)));
            property = FirstOpen(node, property + 1, count, Never - 1, _lastOpen[next]);
        }

        return fewest;
    }

    /// <inheritdoc/>
    protected override int ComputeMinDepth()
    {
        int perProperty = CommaBytes + 1 + (_style.AfterColon?.MinBytes ?? 0);
        int depth = 0;
        List<int> costs = [];
        foreach ((Rule key, Rule value) in _extras)
        {
            // Further properties may repeat.
            costs.AddRange(Enumerable.Repeat(Add(perProperty, Add(key.MinBytes, value.MinBytes)), _cheapest[0].Length - 1));
        }

        FillCheapest(_properties.Length, costs);
        for (int i = _properties.Length - 1; i >= 0; i--)
        {
            ObjectProperty property = _properties[i];
            _requiredBytes[i] = _requiredBytes[i + 1];
            if (property.IsRequired)
            {
                _requiredBytes[i] = Add(_requiredBytes[i], Add(property.Key.Length + perProperty, property.Value.MinBytes));
                depth = Math.Max(depth, property.Value.MinDepth);
            }
            else
            {
                costs.Add(Add(property.Key.Length + perProperty, property.Value.MinBytes));
            }

            FillCheapest(i, costs);
        }

        int missing = _min - _requiredFrom[0];
        if (_requiredFrom[0] > _max)
        {
            return Never;
        }

        if (missing > 0)
        {
            // Where more are needed than are required, the shallowest of the others will do.
            List<int> optional = [.. _properties.Where(property => !property.IsRequired).Select(property => property.Value.MinDepth).Order()];
            int extra = _extras.Select(kind => Math.Max(kind.Key.MinDepth, kind.Value.MinDepth)).DefaultIfEmpty(Never).Min();
            depth = Math.Max(depth, optional.Count >= missing ? Math.Min(optional[missing - 1], extra) : extra);
        }

        return Add(1, depth);
    }

    private int CommaBytes => 1 + (_style.AfterComma?.MinBytes ?? 0);

    private int ToEnd(int next, int count, bool isFirst)
    {
        int missing = Math.Max(0, _min - count - _requiredFrom[next]);
        int[] cheapest = _cheapest[next];
        int further = missing < cheapest.Length ? cheapest[missing] : Never;
        return Add(1, Add(_requiredBytes[next], further)) - (isFirst && _requiredFrom[next] + missing > 0 ? CommaBytes : 0);
    }

    private void FillCheapest(int next, List<int> costs)
    {
        costs.Sort();
        int[] sums = _cheapest[next];
        if (costs.Count >= sums.Length)
        {
            costs.RemoveRange(sums.Length - 1, costs.Count - sums.Length + 1);
        }

        for (int i = 1; i < sums.Length; i++)
        {
            sums[i] = i <= costs.Count ? Add(sums[i - 1], costs[i - 1]) : Never;
        }
    }

    private (int Slot, int Next, int Count) Decode(int state)
    {
        (int rest, int slot) = Math.DivRem(state, _slots);
        (int count, int next) = Math.DivRem(rest, _properties.Length + 1);
        return (slot, next, count);
    }

    private int At(int slot, int next, int count) => slot + (_slots * (next + ((_properties.Length + 1) * count)));

    private int NextInName(int node, byte value, int next, int count, int room)
    {
        int child = _names.Child(node, value);
        return child >= 0 && FirstOpen(child, next, count, room) >= 0 ? At(_nodes + child, next, count) : -1;
    }

    private bool CanEnd(int next, int count) => _requiredFrom[next] == 0 && count >= _min;

    private bool ExtrasOpen(int next, int count) => _extras.Length > 0 && _requiredFrom[next] == 0 && (_cap == 0 || count < _max);

    private bool CanContinue(int next, int count, int room) =>
        FirstOpen(0, next, count, room) >= 0
        || (ExtrasOpen(next, count) && _extras.Any(extra => extra.Key.MinDepth <= room && extra.Value.MinDepth <= room));

    /// <summary>The first property under a node of the names that may come now, or -1.</summary>
    private int FirstOpen(int node, int next, int count, int room) => FirstOpen(node, next, count, room, _lastOpen[next]);

    private int FirstOpen(int node, int next, int count, int room, int last)
    {
        int[] under = _under[node];
        int at = Array.BinarySearch(under, next);
        for (int i = at < 0 ? ~at : at; i < under.Length && under[i] <= last; i++)
        {
            int property = under[i];
            bool fits = _cap == 0
                || (count + 1 + _requiredFrom[property + 1] <= _max
                    && (_extras.Length > 0 || count + _properties.Length - property >= _min));
            if (fits && _properties[property].Value.MinDepth <= room)
            {
                return property;
            }
        }

        return -1;
    }

    private (int[][] Under, int[] Depth) IndexNames()
    {
        List<int>[] under = new List<int>[_names.Count];
        int[] depth = new int[_names.Count];
        for (int i = 0; i < under.Length; i++)
        {
            under[i] = [];
        }

        for (int property = 0; property < _properties.Length; property++)
        {
            int node = 0;
            under[0].Add(property);
            int level = 0;
            foreach (byte value in _properties[property].Key.Append((byte)':'))
            {
                node = _names.Child(node, value);
                under[node].Add(property);
                depth[node] = ++level;
            }
        }

        return ([.. under.Select(list => list.ToArray())], depth);
    }
}
