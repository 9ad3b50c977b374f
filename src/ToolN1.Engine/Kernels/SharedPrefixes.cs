namespace ToolN1.Engine.Kernels;

/// <summary>
/// Finds sequences whose caches begin with the same blocks (one prompt's samples, or requests with the same tools), so that
/// attention can read those keys and values once for all of them.
/// </summary>
internal static class SharedPrefixes
{
    // The kernel's step: results do not change when the parts' own keys begin at a multiple of it.
    private const int Step = 16;

    /// <summary>Groups sequences.</summary>
    /// <param name="parts">One token of each sequence.</param>
    /// <param name="blockSize">Positions in a cache block.</param>
    /// <param name="most">Sequences in a group, at least one.</param>
    /// <returns>Every part once, with the positions that its group shares: a multiple of sixteen that all its tokens see, 0 for a group of one.</returns>
    public static IEnumerable<(AttentionPart[] Parts, int Shared)> Group(AttentionPart[] parts, int blockSize, int most)
    {
        // Sorted by their blocks, sequences with the longest common beginning are neighbours.
        AttentionPart[] sorted = [.. parts];
        Array.Sort(sorted, (left, right) => left.Blocks.AsSpan().SequenceCompareTo(right.Blocks));
        int first = 0;
        while (first < sorted.Length)
        {
            int count = 1;
            int shared = int.MaxValue;
            for (; first + count < sorted.Length && count < most; count++)
            {
                int common = Math.Min(Common(sorted[first], sorted[first + count], blockSize), shared);

                // A neighbour that shares much less begins a group of its own.
                if (common < Step || (shared != int.MaxValue && common < shared / 2))
                {
                    break;
                }

                shared = common;
            }

            yield return (sorted[first..(first + count)], count == 1 ? 0 : shared);
            first += count;
        }
    }

    private static int Common(AttentionPart left, AttentionPart right, int blockSize)
    {
        long same = (long)left.Blocks.AsSpan().CommonPrefixLength(right.Blocks) * blockSize;
        return (int)Math.Min(same, Math.Min(left.FirstPosition, right.FirstPosition)) / Step * Step;
    }
}
