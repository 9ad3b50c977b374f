namespace ToolN1.Training.Data.Synthetic;

/// <summary>A small generator (SplitMix64) whose sequence never changes with the runtime, so that a seed names the same data for ever.</summary>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A stable 64-bit hash of a text (FNV-1a, then mixed).</summary>
    public static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return Mix(hash);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>From 0 up to, not including, the bound.</summary>
    public int Below(int bound) => (int)((UInt128)Next() * (ulong)bound >> 64);

    /// <summary>Both ends included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    /// <summary>One of them.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>The first of them with this probability, else any: a usual form and its variants.</summary>
    public T PickMostly<T>(IReadOnlyList<T> items, double first) => Chance(first) ? items[0] : Pick(items);

    /// <summary>A shuffled copy.</summary>
    public T[] Shuffled<T>(IEnumerable<T> items)
    {
        T[] copy = [.. items];
        for (int i = copy.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (copy[i], copy[j]) = (copy[j], copy[i]);
        }

        return copy;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
