using ToolN1.Engine.Cache;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>The reference: gathers each sequence's blocks and hands them to libtorch's attention. Works on any device.</summary>
internal sealed class SdpaPagedAttention : IAttentionBackend
{
    /// <inheritdoc/>
    public IAttention Begin(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots) =>
        new Step(pool, segments, slots);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing.
    }

    private sealed class Step : IAttention
    {
        private readonly KvCachePool _pool;
        private readonly IReadOnlyList<AttentionSegment> _segments;
        private readonly Tensor _slots;
        private readonly Tensor[] _blocks;
        private readonly Tensor?[] _masks;

        public Step(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots)
        {
            Device device = pool.Keys(0).device;
            ScalarType dtype = pool.Keys(0).dtype;
            _pool = pool;
            _segments = segments;
            _slots = tensor(slots, device: device);
            _blocks = [.. segments.Select(segment => tensor(segment.Blocks, device: device))];
            _masks = [.. segments.Select(segment => Mask(segment, dtype, device))];
        }

        public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
        {
            long keyHeads = key.shape[1];
            long width = key.shape[2];
            long group = query.shape[1] / keyHeads;
            _pool.Keys(layer).view(-1, keyHeads, width).index_copy_(0, _slots, key);
            _pool.Values(layer).view(-1, keyHeads, width).index_copy_(0, _slots, value);

            Tensor[] results = new Tensor[_segments.Count];
            for (int i = 0; i < results.Length; i++)
            {
                AttentionSegment segment = _segments[i];
                Tensor queries = query.narrow(0, segment.FirstRow, segment.Count).transpose(0, 1).unsqueeze(0);
                Tensor keys = Gather(_pool.Keys(layer), i).repeat_interleave(group, 0).unsqueeze(0);
                Tensor values = Gather(_pool.Values(layer), i).repeat_interleave(group, 0).unsqueeze(0);
                Tensor mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask: _masks[i]);
                results[i] = mixed.squeeze(0).transpose(0, 1).reshape(segment.Count, -1);
            }

            return results.Length == 1 ? results[0] : cat(results, 0);
        }

        // [kvHeads, context, headDim]
        private Tensor Gather(Tensor cache, int segment) =>
            cache.index_select(0, _blocks[segment]).flatten(0, 1).narrow(0, 0, _segments[segment].ContextLength).transpose(0, 1);

        // [rows, context]: row r stands at position context − rows + r and sees itself and all before it.
        private static Tensor? Mask(AttentionSegment segment, ScalarType dtype, Device device) => segment.Count == 1
            ? null
            : NumberOps.Filled([segment.Count, segment.ContextLength], double.NegativeInfinity, dtype, device)
                .triu_(segment.ContextLength - segment.Count + 1);
    }
}
