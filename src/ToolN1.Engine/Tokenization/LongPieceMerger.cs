namespace ToolN1.Engine.Tokenization;

/// <summary>
/// Byte-pair merging of one long piece in O(n log n). Microsoft.ML.Tokenizers removes merged symbols one at a time, which
/// is quadratic: fine for words, minutes for a megabyte without a pre-token boundary. Same merges, same order.
/// </summary>
internal sealed class LongPieceMerger(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
{
    private readonly Dictionary<long, (int Rank, int Merged)> _merges = merges
        .Select((merge, rank) => (Pair: Pair(vocabulary[merge.Left], vocabulary[merge.Right]), Rank: rank, Merged: vocabulary[merge.Left + merge.Right]))
        .ToDictionary(merge => merge.Pair, merge => (merge.Rank, merge.Merged));

    private readonly int[] _byteIds = [.. ByteLevelAlphabet.Characters.Select(character => vocabulary[character.ToString()])];

    /// <summary>Adds the ids of these bytes.</summary>
    public void Encode(ReadOnlySpan<byte> bytes, List<int> output)
    {
        int count = bytes.Length;
        int[] ids = new int[count], next = new int[count], previous = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = _byteIds[bytes[i]];
            next[i] = i + 1 < count ? i + 1 : -1;
            previous[i] = i - 1;
        }

        // Lowest rank first, leftmost first among equals.
        PriorityQueue<(int Position, int Merged), long> queue = new();
        for (int i = 0; i + 1 < count; i++)
        {
            Enqueue(i);
        }

        while (queue.TryDequeue(out (int Position, int Merged) top, out _))
        {
            int left = top.Position, right = ids[left] < 0 ? -1 : next[left];
            if (right < 0 || !_merges.TryGetValue(Pair(ids[left], ids[right]), out (int Rank, int Merged) merge) || merge.Merged != top.Merged)
            {
                continue;
            }

            ids[left] = top.Merged;
            ids[right] = -1;
            next[left] = next[right];
            if (next[right] >= 0)
            {
                previous[next[right]] = left;
                Enqueue(left);
            }

            if (previous[left] >= 0)
            {
                Enqueue(previous[left]);
            }
        }

        for (int i = 0; i >= 0 && i < count; i = next[i])
        {
            output.Add(ids[i]);
        }

        void Enqueue(int position)
        {
            if (_merges.TryGetValue(Pair(ids[position], ids[next[position]]), out (int Rank, int Merged) merge))
            {
                queue.Enqueue((position, merge.Merged), Pair(merge.Rank, position));
            }
        }
    }

    private static long Pair(int high, int low) => ((long)high << 32) | (uint)low;
}
