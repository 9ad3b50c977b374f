namespace ToolN1.Training.Graders;

/// <summary>Length of the longest common subsequence, 64 positions of the first sequence at a time.</summary>
/// <remarks>Bit-parallel algorithm: H. Hyyrö, Bit-Parallel LCS-length Computation Revisited, AWOCA 2004.</remarks>
internal static class LongestCommonSubsequence
{
    public static int Length(IReadOnlyList<int> a, IReadOnlyList<int> b)
    {
        // 1. For every symbol, the positions of a where it stands.
        int words = (a.Count + 63) / 64;
        Dictionary<int, ulong[]> positions = [];
        for (int i = 0; i < a.Count; i++)
        {
            if (!positions.TryGetValue(a[i], out ulong[]? mask))
            {
                positions[a[i]] = mask = new ulong[words];
            }

            mask[i / 64] |= 1UL << (i % 64);
        }

        // 2. A zero bit marks a position where the length grows by one.
        ulong[] row = new ulong[words];
        Array.Fill(row, ulong.MaxValue);
        foreach (int symbol in b)
        {
            if (!positions.TryGetValue(symbol, out ulong[]? mask))
            {
                continue;
            }

            ulong carry = 0;
            for (int word = 0; word < words; word++)
            {
                ulong shared = row[word] & mask[word];
                UInt128 sum = (UInt128)row[word] + shared + carry;
                carry = (ulong)(sum >> 64);
                row[word] = (ulong)sum | (row[word] & ~mask[word]);
            }
        }

        int length = 0;
        for (int i = 0; i < a.Count; i++)
        {
            length += (row[i / 64] >> (i % 64) & 1) == 0 ? 1 : 0;
        }

        return length;
    }
}
