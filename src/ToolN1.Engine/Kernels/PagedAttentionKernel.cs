using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ToolN1.Engine.Kernels;

/// <summary>Attention of a few query tokens with one key head over paged keys and values: online softmax in float32.</summary>
/// <remarks>FlashAttention's running maximum and sum (arXiv:2205.14135) over groups of sixteen keys, one to each lane.</remarks>
internal static unsafe class PagedAttentionKernel
{
    private const int Lanes = AttentionRows.Lanes;

    // Rows that read keys and values as the cache has them; for more of them it costs less to widen once.
    private const int RowsInPlace = 4;

    private const int CacheLine = 64;

    /// <summary>The model's query heads, and how the cache is laid out.</summary>
    internal readonly record struct Shape(int Heads, CpuCacheLayout Cache)
    {
        /// <summary>Query heads that share a key head.</summary>
        public int Group => Heads / Cache.KeyHeads;
    }

    /// <summary>Floats of scratch memory for a number of query rows (tokens × heads that share a key head).</summary>
    public static nuint ScratchLength(int rows, int headDim) => (nuint)(2 * Lanes * headDim) + AttentionRows.Length(rows, headDim);

    /// <summary>Attends.</summary>
    /// <param name="shape">Heads and the cache's layout.</param>
    /// <param name="queries">[tokens, heads, headDim].</param>
    /// <param name="keys">A layer's keys in the cache.</param>
    /// <param name="values">A layer's values in the cache.</param>
    /// <param name="output">[tokens, heads, headDim].</param>
    /// <param name="parts">Whose tokens attend.</param>
    /// <param name="shared">Positions whose slots all parts have in common and all their tokens see, a multiple of sixteen: read once for all. It changes no result.</param>
    /// <param name="keyHead">The key head, shared by heads / keyHeads query heads.</param>
    /// <param name="scratch">64-byte aligned, <see cref="ScratchLength"/> floats for the rows of all parts.</param>
    public static void Run<T>(Shape shape, byte* queries, byte* keys, byte* values, byte* output, ReadOnlySpan<AttentionPart> parts, int shared, int keyHead, float* scratch)
        where T : struct, IElement
    {
        int width = shape.Cache.HeadDim;
        int group = shape.Group;
        int tokens = 0;
        foreach (AttentionPart part in parts)
        {
            tokens += part.Tokens;
        }

        Source source = new(shape.Cache, keys, values, keyHead, scratch);
        AttentionRows rows = new(tokens * group, width, scratch + (2 * Lanes * width));

        // 1. Queries in float32, scaled; empty sums.
        Vector512<float> scale = Vector512.Create(1 / MathF.Sqrt(width));
        int row = 0;
        foreach (AttentionPart part in parts)
        {
            for (int i = 0; i < part.Tokens * group; i++, row++)
            {
                byte* query = queries + (Place(shape, part, i, keyHead) * T.Size);
                for (int d = 0; d < width; d += Lanes)
                {
                    (T.Load(query + (d * T.Size)) * scale).StoreAligned(rows.Query + (row * width) + d);
                    Vector512<float>.Zero.StoreAligned(rows.Mixed + (row * width) + d);
                }

                rows.Maxima[row] = float.NegativeInfinity;
                rows.Sums[row] = 0;
            }
        }

        // 2. Sixteen keys at a time: those that all have in common, all tokens standing behind them, then each part's own.
        Attend<T>(source, rows, new AttentionPart(0, tokens, shared, parts[0].Blocks), 0, shared, 0, group);
        int firstRow = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            if (i + 1 < parts.Length)
            {
                source.Prefetch<T>(parts[i + 1].Blocks, shared);
            }

            Attend<T>(source, rows, parts[i], shared, parts[i].FirstPosition + parts[i].Tokens, firstRow, group);
            firstRow += parts[i].Tokens * group;
        }

        // 3. Normalise.
        row = 0;
        foreach (AttentionPart part in parts)
        {
            for (int i = 0; i < part.Tokens * group; i++, row++)
            {
                byte* target = output + (Place(shape, part, i, keyHead) * T.Size);
                Vector512<float> share = Vector512.Create(1 / rows.Sums[row]);
                for (int d = 0; d < width; d += Lanes)
                {
                    T.Store(Vector512.LoadAligned(rows.Mixed + (row * width) + d) * share, target + (d * T.Size));
                }
            }
        }
    }

    // Where the i-th row of a part and key head begins, in elements.
    private static long Place(Shape shape, AttentionPart part, int i, int keyHead) =>
        (((long)(part.FirstRow + (i / shape.Group)) * shape.Heads) + (keyHead * shape.Group) + (i % shape.Group)) * shape.Cache.HeadDim;

    // A part's rows see its positions from start to end; float32 is never widened.
    private static void Attend<T>(in Source source, in AttentionRows rows, AttentionPart part, int start, int end, int firstRow, int group)
        where T : struct, IElement
    {
        bool fewRows = T.Size == sizeof(float) || part.Tokens * group <= RowsInPlace;
        for (; start < end; start += Lanes)
        {
            int count = Math.Min(Lanes, end - start);
            if (start + Lanes < end)
            {
                source.Prefetch<T>(part.Blocks, start + Lanes);
            }

            if (fewRows && count == Lanes && source.HasSixteenTogether)
            {
                Attend<T>(source.InPlace<T>(part.Blocks, start), rows, part, start, firstRow, group);
            }
            else
            {
                Attend<Float32Element>(source.Widened<T>(part.Blocks, start, count), rows, part, start, firstRow, group);
            }
        }
    }

    // A token skips the keys after its own position; those from the last key on see all.
    private static void Attend<T>(SixteenKeys keys, in AttentionRows rows, AttentionPart part, int start, int firstRow, int group)
        where T : struct, IElement
    {
        int token = Math.Max(0, start - part.FirstPosition);
        for (; token < part.Tokens && part.FirstPosition + token + 1 - start < Lanes; token++)
        {
            rows.Accumulate<T>(keys, firstRow + (token * group), firstRow + ((token + 1) * group), part.FirstPosition + token + 1 - start);
        }

        rows.Accumulate<T>(keys, firstRow + (token * group), firstRow + (part.Tokens * group), Lanes);
    }

    /// <summary>A key head's keys and values in the cache, and room for sixteen of each in float32.</summary>
    private readonly struct Source(CpuCacheLayout layout, byte* keys, byte* values, int keyHead, float* scratch)
    {
        /// <summary>Whether sixteen positions from a multiple of sixteen on lie in one block.</summary>
        public bool HasSixteenTogether => layout.BlockSize % Lanes == 0;

        /// <summary>Asks for what is attended to next: blocks lie anywhere, and waiting for them took most of the time.</summary>
        public void Prefetch<T>(int[] blocks, int position)
            where T : struct, IElement
        {
            if (!Sse.IsSupported || !HasSixteenTogether)
            {
                return;
            }

            SixteenKeys next = InPlace<T>(blocks, position);
            int dimensions = Math.Max(1, CacheLine / next.KeyStride);
            for (int d = 0; d < layout.HeadDim; d += dimensions)
            {
                Sse.Prefetch0(next.Keys + ((long)d * next.KeyStride));
            }

            for (int offset = 0; offset < Lanes * next.ValueStride; offset += CacheLine)
            {
                Sse.Prefetch0(next.Values + offset);
            }
        }

        public SixteenKeys InPlace<T>(int[] blocks, int start)
            where T : struct, IElement
        {
            long slot = Slot(blocks, start);
            return new SixteenKeys(
                keys + (layout.Key(slot, keyHead) * T.Size), layout.BlockSize * T.Size, values + (layout.Value(slot, keyHead) * T.Size), layout.HeadDim * T.Size);
        }

        /// <summary>The first of sixteen positions; what is beyond has any key, for no row sees it, and a value of zero, which then adds nothing.</summary>
        public SixteenKeys Widened<T>(int[] blocks, int start, int count)
            where T : struct, IElement
        {
            int width = layout.HeadDim;
            float* keyLanes = scratch;
            float* valueRows = scratch + (Lanes * width);
            for (int lane = 0; lane < Lanes; lane++)
            {
                byte* value = values + (layout.Value(Slot(blocks, start + Math.Min(lane, count - 1)), keyHead) * T.Size);
                for (int d = 0; d < width; d += Lanes)
                {
                    (lane < count ? T.Load(value + (d * T.Size)) : Vector512<float>.Zero).StoreAligned(valueRows + (lane * width) + d);
                }
            }

            if (HasSixteenTogether)
            {
                byte* key = keys + (layout.Key(Slot(blocks, start), keyHead) * T.Size);
                for (int d = 0; d < width; d++)
                {
                    T.Load(key + ((long)d * layout.BlockSize * T.Size)).StoreAligned(keyLanes + (d * Lanes));
                }
            }
            else
            {
                CollectKeys<T>(blocks, start, count, keyLanes);
            }

            return new SixteenKeys((byte*)keyLanes, Lanes * sizeof(float), (byte*)valueRows, width * sizeof(float));
        }

        private void CollectKeys<T>(int[] blocks, int start, int count, float* keyLanes)
            where T : struct, IElement
        {
            byte* sixteen = stackalloc byte[Lanes * T.Size];
            new Span<byte>(sixteen, Lanes * T.Size).Clear();
            for (int d = 0; d < layout.HeadDim; d++)
            {
                for (int lane = 0; lane < count; lane++)
                {
                    long element = layout.Key(Slot(blocks, start + lane), keyHead) + ((long)d * layout.BlockSize);
                    new ReadOnlySpan<byte>(keys + (element * T.Size), T.Size).CopyTo(new Span<byte>(sixteen + (lane * T.Size), T.Size));
                }

                T.Load(sixteen).StoreAligned(keyLanes + (d * Lanes));
            }
        }

        private long Slot(int[] blocks, int position) => ((long)blocks[position / layout.BlockSize] * layout.BlockSize) + (position % layout.BlockSize);
    }
}

/// <summary>Tokens of one sequence, at consecutive positions.</summary>
/// <param name="FirstRow">First token's row in queries and output.</param>
/// <param name="Tokens">Tokens; token t sees positions up to FirstPosition + t.</param>
/// <param name="FirstPosition">First token's position.</param>
/// <param name="Blocks">The sequence's block table.</param>
internal readonly record struct AttentionPart(int FirstRow, int Tokens, int FirstPosition, int[] Blocks);
