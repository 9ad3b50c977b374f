namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A leaf as a dense transition table over classes of bytes.</summary>
internal sealed class TableRule : Rule
{
    private const int BroadFrom = 20;
    private readonly byte[] _classOf;
    private readonly int[] _next;
    private readonly int _classes;
    private readonly bool[] _final;
    private readonly bool[] _hasBytes;
    private readonly int[] _minBytes;
    private readonly RuleShape _shape;
    private readonly bool[] _isBroad;

    private TableRule(byte[] classOf, int[] next, int classes, bool[] final, int[] minBytes, bool[] hasBytes, bool[] isBroad, RuleShape shape)
    {
        _classOf = classOf;
        _next = next;
        _classes = classes;
        _final = final;
        _minBytes = minBytes;
        _hasBytes = hasBytes;
        _isBroad = isBroad;
        _shape = shape;
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override RuleShape Shape => _shape;

    /// <inheritdoc/>
    public override int StoredStates => _final.Length;

    /// <inheritdoc/>
    public override int MaxGrowth => _minBytes.Where(bytes => bytes < Never).DefaultIfEmpty(0).Max();

    /// <summary>Builds a rule from rows of 256 targets (-1: none); states that cannot reach an end are cut off. State 0 starts.</summary>
    public static TableRule Create(IReadOnlyList<int[]> rows, IReadOnlyList<bool> final, RuleShape shape = RuleShape.Narrow)
    {
        int count = rows.Count;
        int[] minBytes = DistancesToEnd(rows, final);

        // Bytes that every state treats alike share a class.
        byte[] classOf = new byte[256];
        List<byte> representatives = [];
        Dictionary<int, List<byte>> byHash = [];
        for (int value = 0; value < 256; value++)
        {
            HashCode hash = default;
            for (int state = 0; state < count; state++)
            {
                hash.Add(rows[state][value]);
            }

            int key = hash.ToHashCode();
            List<byte> candidates = byHash.TryGetValue(key, out List<byte>? known) ? known : byHash[key] = [];
            int found = candidates.FindIndex(other => rows.All(row => row[other] == row[value]));
            if (found < 0)
            {
                candidates.Add((byte)value);
                classOf[value] = (byte)representatives.Count;
                representatives.Add((byte)value);
            }
            else
            {
                classOf[value] = classOf[candidates[found]];
            }
        }

        int classes = representatives.Count;
        int[] next = new int[count * classes];
        bool[] hasBytes = new bool[count];
        bool[] isBroad = new bool[count];
        int[] bytesOf = [.. Enumerable.Range(0, classes).Select(c => classOf.Count(value => value == c))];
        for (int state = 0; state < count; state++)
        {
            int open = 0;
            for (int c = 0; c < classes; c++)
            {
                int target = rows[state][representatives[c]];
                bool alive = target >= 0 && minBytes[target] < Never;
                next[(state * classes) + c] = alive ? target : -1;
                hasBytes[state] |= alive;
                open += alive ? bytesOf[c] : 0;
            }

            isBroad[state] = open >= BroadFrom;
        }

        return new TableRule(classOf, next, classes, [.. final], minBytes, hasBytes, isBroad, shape);
    }

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) => _next[(state * _classes) + _classOf[value]];

    /// <inheritdoc/>
    public override bool HasBytes(int state) => _hasBytes[state];

    /// <inheritdoc/>
    public override bool IsBroad(int state) => _isBroad[state];

    /// <inheritdoc/>
    public override bool IsFinal(int state) => _final[state];

    /// <inheritdoc/>
    public override int MinBytesFrom(int state) => _minBytes[state];

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => _minBytes[0] < Never ? 0 : Never;

    private static int[] DistancesToEnd(IReadOnlyList<int[]> rows, IReadOnlyList<bool> final)
    {
        List<int>[] sources = new List<int>[rows.Count];
        for (int state = 0; state < rows.Count; state++)
        {
            foreach (int target in rows[state].Distinct())
            {
                if (target >= 0)
                {
                    (sources[target] ??= []).Add(state);
                }
            }
        }

        int[] distance = new int[rows.Count];
        Array.Fill(distance, Never);
        Queue<int> queue = new();
        for (int state = 0; state < rows.Count; state++)
        {
            if (final[state])
            {
                distance[state] = 0;
                queue.Enqueue(state);
            }
        }

        while (queue.TryDequeue(out int state))
        {
            foreach (int source in sources[state] ?? [])
            {
                if (distance[source] == Never)
                {
                    distance[source] = distance[state] + 1;
                    queue.Enqueue(source);
                }
            }
        }

        return distance;
    }
}
