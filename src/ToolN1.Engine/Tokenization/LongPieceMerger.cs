using System.Numerics;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// Byte-pair merging of one long piece in nearly linear time. Microsoft.ML.Tokenizers removes merged symbols one at a time,
/// which is quadratic: fine for words, minutes for a megabyte without a pre-token boundary. Same merges, same order: lowest
/// rank first, leftmost first among equals. Immutable and thread-safe.
/// </summary>
internal sealed class LongPieceMerger
{
    private const ulong Empty = ulong.MaxValue;

    // Pairs of ids to ranks, by open addressing at a load below a half.
    private readonly ulong[] _pairs;
    private readonly int[] _ranks;
    private readonly int _shift;
    private readonly int[] _merged;
    private readonly int[] _byteIds;

    /// <summary>Indexes the merges of a tokenizer.</summary>
    /// <param name="vocabulary">Ids of tokens, every byte and every merge's result among them.</param>
    /// <param name="merges">Lowest rank first.</param>
    public LongPieceMerger(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, (2 * merges.Count) + 1));
        _shift = 64 - BitOperations.Log2((uint)size);
        _pairs = new ulong[size];
        _pairs.AsSpan().Fill(Empty);
        _ranks = new int[size];
        _merged = new int[merges.Count];
        for (int rank = 0; rank < merges.Count; rank++)
        {
            (string left, string right) = merges[rank];
            int slot = Slot(Pair(vocabulary[left], vocabulary[right]));
            _pairs[slot] = Pair(vocabulary[left], vocabulary[right]);
            _ranks[slot] = rank;
            _merged[rank] = vocabulary[left + right];
        }

        _byteIds = [.. ByteLevelAlphabet.Characters.Select(character => vocabulary[character.ToString()])];
    }

    /// <summary>The id of a single byte.</summary>
    public int IdOf(byte value) => _byteIds[value];

    /// <summary>Adds the ids of these bytes.</summary>
    public void Encode(ReadOnlySpan<byte> bytes, List<int> output)
    {
        // A token's id stands at its first byte, its length at its first and at its last, so that both neighbours are found.
        int count = bytes.Length;
        int[] ids = new int[count];
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = _byteIds[bytes[i]];
            lengths[i] = 1;
        }

        MergeQueue queue = new();
        for (int i = 0; i + 1 < count; i++)
        {
            Enqueue(i);
        }

        while (queue.TryDequeue(out int rank, out int left))
        {
            // What was queued may be gone: the place lies within another token, or its neighbour has grown.
            if (ids[left] < 0 || RankAt(left) != rank)
            {
                continue;
            }

            int right = left + lengths[left];
            int end = right + lengths[right];
            ids[right] = -1;
            ids[left] = _merged[rank];
            lengths[left] = lengths[end - 1] = end - left;
            Enqueue(left);
            if (left > 0)
            {
                Enqueue(left - lengths[left - 1]);
            }
        }

        for (int i = 0; i < count; i += lengths[i])
        {
            output.Add(ids[i]);
        }

        int RankAt(int position)
        {
            int next = position + lengths[position];
            return next < count ? Find(Pair(ids[position], ids[next])) : -1;
        }

        void Enqueue(int position)
        {
            int rank = RankAt(position);
            if (rank >= 0)
            {
                queue.Enqueue(rank, position);
            }
        }
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Find(ulong pair)
    {
        int slot = Slot(pair);
        return _pairs[slot] == pair ? _ranks[slot] : -1;
    }

    // Where the pair is, or where it would go.
    private int Slot(ulong pair)
    {
        int slot = (int)((pair * 0x9E3779B97F4A7C15) >> _shift);
        while (_pairs[slot] != pair && _pairs[slot] != Empty)
        {
            slot = (slot + 1) & (_pairs.Length - 1);
        }

        return slot;
    }

    /// <summary>Places by rank, then by place. Within a rank places come in nearly ascending order, which costs nothing here.</summary>
    private sealed class MergeQueue
    {
        private readonly Dictionary<int, Places> _byRank = [];
        private readonly PriorityQueue<Places, int> _waiting = new();

        public void Enqueue(int rank, int place)
        {
            if (!_byRank.TryGetValue(rank, out Places? places))
            {
                places = new Places();
                _byRank.Add(rank, places);
            }

            if (!places.IsWaiting)
            {
                places.IsWaiting = true;
                _waiting.Enqueue(places, rank);
            }

            places.Add(place);
        }

        public bool TryDequeue(out int rank, out int place)
        {
            while (_waiting.TryPeek(out Places? places, out rank))
            {
                if (places.TryTake(out place))
                {
                    return true;
                }

                _waiting.Dequeue();
                places.IsWaiting = false;
            }

            (rank, place) = (-1, -1);
            return false;
        }
    }

    /// <summary>Places of one rank, least first: those that came in order in a ring, the others in a heap.</summary>
    private sealed class Places
    {
        private readonly Queue<int> _ascending = new();
        private readonly PriorityQueue<int, int> _late = new();
        private int _last = -1;

        public bool IsWaiting { get; set; }

        public void Add(int place)
        {
            if (_ascending.Count == 0 || place > _last)
            {
                _ascending.Enqueue(place);
                _last = place;
            }
            else
            {
                _late.Enqueue(place, place);
            }
        }

        public bool TryTake(out int place)
        {
            bool hasLate = _late.TryPeek(out int late, out _);
            if (_ascending.TryPeek(out place) && (!hasLate || place < late))
            {
                _ascending.Dequeue();
                return true;
            }

            place = late;
            return hasLate && _late.TryDequeue(out _, out _);
        }
    }
}
