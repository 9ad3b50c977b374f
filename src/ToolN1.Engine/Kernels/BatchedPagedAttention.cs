using ToolN1.Engine.Cache;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// Attention by libtorch for a GPU, where the number of launches counts: all sequences that decode are gathered and attended
/// together, padded to the longest; prompt chunks one sequence at a time. Works on any device.
/// </summary>
internal sealed class BatchedPagedAttention : IAttentionBackend
{
    // Padded contexts are whole multiples of this: attention's mask wants aligned rows, the allocator few different sizes.
    private const int Granularity = 64;

    // Sequences share a batch while no more than this many times their own positions are gathered.
    private const int MostPadding = 2;

    /// <inheritdoc/>
    public IAttention Begin(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots) => new Step(pool, segments, slots);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing.
    }

    /// <summary>Divides decoding sequences into batches that are padded little.</summary>
    /// <param name="segments">One row each.</param>
    /// <returns>Batches in row order where one suffices, by length where it does not.</returns>
    internal static List<AttentionSegment[]> Batches(IReadOnlyList<AttentionSegment> segments)
    {
        List<AttentionSegment[]> batches = [];
        List<AttentionSegment> batch = [];
        long own = 0;
        foreach (AttentionSegment segment in segments.OrderByDescending(segment => segment.ContextLength))
        {
            int longest = batch.Count == 0 ? segment.ContextLength : batch[0].ContextLength;
            if ((long)Padded(longest) * (batch.Count + 1) > (MostPadding * (own + segment.ContextLength)) + Granularity)
            {
                batches.Add([.. batch]);
                batch.Clear();
                own = 0;
            }

            batch.Add(segment);
            own += segment.ContextLength;
        }

        if (batch.Count > 0)
        {
            batches.Add([.. batch]);
        }

        return batches.Count == 1 ? [[.. segments]] : batches;
    }

    private static int Padded(int length) => (length + Granularity - 1) / Granularity * Granularity;

    /// <summary>Sequences of one row each, attended together.</summary>
    internal sealed class DecodeBatch
    {
        private readonly int _count;
        private readonly int _context;

        public DecodeBatch(AttentionSegment[] segments, int blockSize, ScalarType dtype, Device device)
        {
            _count = segments.Length;
            _context = Padded(segments.Max(segment => segment.ContextLength));
            Rows = tensor(segments.Select(segment => (long)segment.FirstRow).ToArray(), device: device);

            // What lies behind a sequence's end reads its own last position, so that nothing of others, nor memory that was
            // never written, meets the mask.
            int blocks = segments.Max(segment => segment.Blocks.Length);
            int[] table = new int[_count * blocks];
            for (int i = 0; i < _count; i++)
            {
                segments[i].Blocks.CopyTo(table, i * blocks);
            }

            Tensor positions = NumberOps.Range(0, _context, device).unsqueeze(0);
            Tensor last = tensor(segments.Select(segment => segment.ContextLength - 1L).ToArray(), device: device).unsqueeze(1);
            Tensor read = minimum(positions, last);
            Tensor block = tensor(table, device: device).view(_count, blocks).to_type(ScalarType.Int64).gather(1, read.DivideWhole(blockSize));
            Slots = block.MultiplyWhole_(blockSize).AddTensor_(read.Remainder(blockSize)).view(-1);
            Mask = zeros([_count, _context], dtype, device).Fill_(positions > last, double.NegativeInfinity).view(_count, 1, 1, _context);
        }

        /// <summary>int64 [count]: its rows in the step.</summary>
        public Tensor Rows { get; }

        /// <summary>int64 [count × context]: the cache slots that it reads.</summary>
        public Tensor Slots { get; }

        /// <summary>[count, 1, 1, context]: 0, or −∞ behind a sequence's end.</summary>
        public Tensor Mask { get; }

        /// <summary>[count, heads × headDim].</summary>
        /// <param name="query">[count, heads, headDim].</param>
        /// <param name="keys">[slots, kvHeads, headDim].</param>
        /// <param name="values">[slots, kvHeads, headDim].</param>
        public Tensor Attend(Tensor query, Tensor keys, Tensor values)
        {
            long width = query.shape[2];
            long keyHeads = keys.shape[1];

            // Heads of one group are rows that meet the same keys, so keys and values are never repeated.
            Tensor mixed = nn.functional.scaled_dot_product_attention(
                query.reshape(_count, keyHeads, -1, width), Gather(keys), Gather(values), attn_mask: Mask);
            return mixed.reshape(_count, -1);

            Tensor Gather(Tensor cache) => cache.index_select(0, Slots).view(_count, _context, keyHeads, width).transpose(1, 2);
        }
    }

    /// <summary>A prompt chunk.</summary>
    /// <param name="Rows">int64 [rows]: its rows in the step.</param>
    /// <param name="Slots">int64 [context]: the cache slots that it reads.</param>
    /// <param name="Mask">[rows, context]: 0 where a row sees a position, −∞ elsewhere.</param>
    internal sealed record PromptChunk(Tensor Rows, Tensor Slots, Tensor Mask)
    {
        /// <summary>[rows, heads × headDim].</summary>
        /// <param name="query">[rows, heads, headDim].</param>
        /// <param name="keys">[slots, kvHeads, headDim].</param>
        /// <param name="values">[slots, kvHeads, headDim].</param>
        public Tensor Attend(Tensor query, Tensor keys, Tensor values)
        {
            long group = query.shape[1] / keys.shape[1];
            Tensor Gather(Tensor cache) => cache.index_select(0, Slots).transpose(0, 1).repeat_interleave(group, 0).unsqueeze(0);
            Tensor mixed = nn.functional.scaled_dot_product_attention(query.transpose(0, 1).unsqueeze(0), Gather(keys), Gather(values), attn_mask: Mask);
            return mixed.squeeze(0).transpose(0, 1).reshape(query.shape[0], -1);
        }
    }

    /// <summary>One step: what its sequences read and write, on the device.</summary>
    internal sealed class Step : IAttention
    {
        public Step(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots)
        {
            Device device = pool.Keys(0).device;
            ScalarType dtype = pool.Keys(0).dtype;
            Pool = pool;
            Written = tensor(slots, device: device);
            Decodes = [.. Batches([.. segments.Where(segment => segment.Count == 1)]).Select(batch => new DecodeBatch(batch, pool.BlockSize, dtype, device))];
            Prompts = [.. segments.Where(segment => segment.Count > 1).Select(segment => new PromptChunk(
                NumberOps.Range(segment.FirstRow, segment.Count, device), Slots(segment), Mask(segment, dtype, device)))];
            IsOneBatch = Decodes.Count == 1 && Prompts.Count == 0 && segments.Select((segment, index) => segment.FirstRow == index).All(isNext => isNext);

            Tensor Slots(AttentionSegment segment)
            {
                Tensor first = tensor(segment.Blocks, device: device).to_type(ScalarType.Int64).MultiplyWhole_(pool.BlockSize).unsqueeze(1);
                return first.AddTensor(NumberOps.Range(0, pool.BlockSize, device)).view(-1).narrow(0, 0, segment.ContextLength);
            }
        }

        /// <summary>The cache.</summary>
        public KvCachePool Pool { get; }

        /// <summary>int64 [rows]: the cache slot of each row.</summary>
        public Tensor Written { get; }

        /// <summary>The sequences that decode.</summary>
        public IReadOnlyList<DecodeBatch> Decodes { get; }

        /// <summary>The others.</summary>
        public IReadOnlyList<PromptChunk> Prompts { get; }

        /// <summary>Whether the step is one decode batch, in row order.</summary>
        public bool IsOneBatch { get; }

        public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
        {
            Tensor keys = Pool.Keys(layer).view(-1, key.shape[1], key.shape[2]);
            Tensor values = Pool.Values(layer).view(-1, key.shape[1], key.shape[2]);
            keys.index_copy_(0, Written, key);
            values.index_copy_(0, Written, value);
            if (IsOneBatch)
            {
                return Decodes[0].Attend(query, keys, values);
            }

            Tensor result = empty([query.shape[0], query.shape[1] * query.shape[2]], query.dtype, query.device);
            foreach (DecodeBatch batch in Decodes)
            {
                result.index_copy_(0, batch.Rows, batch.Attend(query.index_select(0, batch.Rows), keys, values));
            }

            foreach (PromptChunk prompt in Prompts)
            {
                result.index_copy_(0, prompt.Rows, prompt.Attend(query.index_select(0, prompt.Rows), keys, values));
            }

            return result;
        }

        // Row r stands at position context − rows + r and sees itself and all before it. Rows of the mask in memory are padded,
        // since attention wants them aligned.
        private static Tensor Mask(AttentionSegment segment, ScalarType dtype, Device device) =>
            NumberOps.Filled([segment.Count, Padded(segment.ContextLength)], double.NegativeInfinity, dtype, device)
                .triu_(segment.ContextLength - segment.Count + 1).narrow(1, 0, segment.ContextLength);
    }
}
