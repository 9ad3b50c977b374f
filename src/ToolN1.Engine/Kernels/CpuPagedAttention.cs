using System.Runtime.InteropServices;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// Attention on the CPU that reads keys and values where they lie, by the block table. Decode and prompt chunks alike; scores,
/// softmax and sums in float32 whatever the cache's dtype.
/// </summary>
internal sealed unsafe class CpuPagedAttention : IAttentionBackend
{
    // Query rows that share one pass over the keys: enough to make up for unpacking them, few enough to stay in the L1 cache.
    private const int RowsPerTask = 64;

    private readonly WorkerPool _workers;
    private readonly ModelConfig _config;
    private readonly int _tokensPerTask;
    private readonly float*[] _scratch;

    /// <summary>Creates the backend.</summary>
    /// <param name="config">A shape that is supported.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public CpuPagedAttention(ModelConfig config, WorkerPool workers)
    {
        _config = config;
        _workers = workers;
        _tokensPerTask = Math.Max(1, RowsPerTask / config.GroupSize);
        nuint floats = PagedAttentionKernel.ScratchLength(_tokensPerTask * config.GroupSize, config.HeadDim);
        _scratch = new float*[workers.Workers];
        for (int i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        }
    }

    /// <summary>Whether it can serve this shape, dtype and device.</summary>
    public static bool Supports(ModelConfig config, ScalarType dtype, Device device) =>
        device.type == TorchSharp.DeviceType.CPU && config.HeadDim % 16 == 0 && dtype is ScalarType.Float32 or ScalarType.BFloat16;

    /// <inheritdoc/>
    public IAttention Begin(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots) =>
        new Step(this, pool, segments, slots);

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < _scratch.Length; i++)
        {
            NativeMemory.AlignedFree(_scratch[i]);
            _scratch[i] = null;
        }
    }

    private sealed class Step : IAttention
    {
        private readonly CpuPagedAttention _owner;
        private readonly KvCachePool _pool;
        private readonly long[] _slots;

        // One task: tiles of sequences' rows, for one key head.
        private readonly List<(AttentionPart[] Parts, int Shared, int KeyHead)> _tasks = [];

        public Step(CpuPagedAttention owner, KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots)
        {
            _owner = owner;
            _pool = pool;
            _slots = slots;

            // Later tiles see more keys; the longest tasks first keep the threads evenly busy.
            int keyHeads = owner._config.KeyValueHeads;
            foreach (AttentionSegment segment in segments.Where(segment => segment.Count > 1))
            {
                int tile = owner._tokensPerTask;
                for (int first = (segment.Count - 1) / tile * tile; first >= 0; first -= tile)
                {
                    AttentionPart part = new(segment.FirstRow + first, Math.Min(tile, segment.Count - first), segment.ContextLength - segment.Count + first, segment.Blocks);
                    Add([part], 0);
                }
            }

            // Sequences that grow by a token and begin alike share one pass over what they have in common; enough tasks stay for all threads.
            AttentionPart[] growing = [.. segments.Where(segment => segment.Count == 1).Select(segment => new AttentionPart(segment.FirstRow, 1, segment.ContextLength - 1, segment.Blocks))];
            int most = Math.Clamp(growing.Length * keyHeads / (2 * owner._workers.Workers), 1, owner._tokensPerTask);
            foreach ((AttentionPart[] parts, int shared) in SharedPrefixes.Group(growing, pool.BlockSize, most))
            {
                Add(parts, shared);
            }

            void Add(AttentionPart[] parts, int shared)
            {
                for (int head = 0; head < keyHeads; head++)
                {
                    _tasks.Add((parts, shared, head));
                }
            }
        }

        private CpuCacheLayout Layout => new(_owner._config.KeyValueHeads, _owner._config.HeadDim, _pool.BlockSize);

        public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
        {
            Tensor result = empty([query.shape[0], query.shape[1] * query.shape[2]], query.dtype);
            byte* queries = TensorMemory.Address(query);
            byte* keys = TensorMemory.Address(_pool.Keys(layer));
            byte* values = TensorMemory.Address(_pool.Values(layer));
            byte* output = TensorMemory.Address(result);
            if (query.dtype == ScalarType.Float32)
            {
                Layout.Write((float*)TensorMemory.Address(key), (float*)TensorMemory.Address(value), _slots, (float*)keys, (float*)values);
                _owner._workers.Run(_tasks.Count, (task, worker) => Run<Float32Element>(task, worker, queries, keys, values, output));
            }
            else
            {
                Layout.Write((ushort*)TensorMemory.Address(key), (ushort*)TensorMemory.Address(value), _slots, (ushort*)keys, (ushort*)values);
                _owner._workers.Run(_tasks.Count, (task, worker) => Run<BFloat16Element>(task, worker, queries, keys, values, output));
            }

            GC.KeepAlive(query);
            GC.KeepAlive(key);
            GC.KeepAlive(value);
            GC.KeepAlive(result);
            return result;
        }

        private void Run<T>(int task, int worker, byte* queries, byte* keys, byte* values, byte* output)
            where T : struct, IElement
        {
            (AttentionPart[] parts, int shared, int keyHead) = _tasks[task];
            PagedAttentionKernel.Run<T>(
                new PagedAttentionKernel.Shape(_owner._config.Heads, Layout), queries, keys, values, output, parts, shared, keyHead, _owner._scratch[worker]);
        }
    }
}
