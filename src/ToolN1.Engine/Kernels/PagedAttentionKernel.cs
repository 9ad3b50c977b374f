using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ToolN1.Engine.Kernels;

/// <summary>Attention of a few query tokens with one key head over paged keys and values: online softmax in float32.</summary>
/// <remarks>FlashAttention's running maximum and sum (arXiv:2205.14135) over groups of sixteen keys, one to each lane.</remarks>
internal static unsafe class PagedAttentionKernel
{
    private const int Lanes = 16;

    /// <summary>Heads and block size; lengths in elements.</summary>
    internal readonly record struct Shape(int Heads, int KeyHeads, int HeadDim, int BlockSize);

    /// <summary>Floats of scratch memory for a number of query rows (tokens × heads that share a key head).</summary>
    public static nuint ScratchLength(int rows, int headDim) =>
        (nuint)((2 * Lanes * headDim) + (2 * rows * headDim) + (2 * ((rows + Lanes - 1) / Lanes * Lanes)));

    /// <summary>Attends.</summary>
    /// <param name="shape">The model's heads.</param>
    /// <param name="queries">[tokens, heads, headDim].</param>
    /// <param name="keys">[slots, keyHeads, headDim].</param>
    /// <param name="values">[slots, keyHeads, headDim].</param>
    /// <param name="output">[tokens, heads, headDim].</param>
    /// <param name="parts">Whose tokens attend.</param>
    /// <param name="shared">Positions whose slots all parts have in common and all their tokens see, a multiple of sixteen: read once for all. It changes no result.</param>
    /// <param name="keyHead">The key head, shared by heads / keyHeads query heads.</param>
    /// <param name="scratch">64-byte aligned, <see cref="ScratchLength"/> floats for the rows of all parts.</param>
    public static void Run<T>(Shape shape, byte* queries, byte* keys, byte* values, byte* output, ReadOnlySpan<AttentionPart> parts, int shared, int keyHead, float* scratch)
        where T : struct, IElement
    {
        int width = shape.HeadDim;
        int group = shape.Heads / shape.KeyHeads;
        int tokens = 0;
        foreach (AttentionPart part in parts)
        {
            tokens += part.Tokens;
        }

        Rows rows = new(tokens * group, width, scratch);

        // 1. Queries in float32, scaled; empty sums.
        Vector512<float> scale = Vector512.Create(1 / MathF.Sqrt(width));
        int row = 0;
        foreach (AttentionPart part in parts)
        {
            for (int i = 0; i < part.Tokens * group; i++, row++)
            {
                byte* source = queries + (Place(shape, part, i, group, keyHead) * T.Size);
                for (int d = 0; d < width; d += Lanes)
                {
                    (T.Load(source + (d * T.Size)) * scale).StoreAligned(rows.Query + (row * width) + d);
                    Vector512<float>.Zero.StoreAligned(rows.Mixed + (row * width) + d);
                }

                rows.Maxima[row] = float.NegativeInfinity;
                rows.Sums[row] = 0;
            }
        }

        // 2. Sixteen keys at a time: those that all have in common, then each part's own.
        for (int start = 0; start < shared; start += Lanes)
        {
            Unpack<T>(shape, keys, values, parts[0].Blocks, start, Lanes, keyHead, rows.KeyLanes, rows.ValueRows);
            Accumulate(rows, 0, tokens * group, width, Lanes);
        }

        int firstRow = 0;
        foreach (AttentionPart part in parts)
        {
            int context = part.FirstPosition + part.Tokens;
            for (int start = shared; start < context; start += Lanes)
            {
                Unpack<T>(shape, keys, values, part.Blocks, start, Math.Min(Lanes, context - start), keyHead, rows.KeyLanes, rows.ValueRows);

                // A token skips the keys after its own position; those from the last key on see all.
                int token = Math.Max(0, start - part.FirstPosition);
                for (; token < part.Tokens && part.FirstPosition + token + 1 - start < Lanes; token++)
                {
                    Accumulate(rows, firstRow + (token * group), firstRow + ((token + 1) * group), width, part.FirstPosition + token + 1 - start);
                }

                Accumulate(rows, firstRow + (token * group), firstRow + (part.Tokens * group), width, Lanes);
            }

            firstRow += part.Tokens * group;
        }

        // 3. Normalise.
        row = 0;
        foreach (AttentionPart part in parts)
        {
            for (int i = 0; i < part.Tokens * group; i++, row++)
            {
                byte* target = output + (Place(shape, part, i, group, keyHead) * T.Size);
                Vector512<float> share = Vector512.Create(1 / rows.Sums[row]);
                for (int d = 0; d < width; d += Lanes)
                {
                    T.Store(Vector512.LoadAligned(rows.Mixed + (row * width) + d) * share, target + (d * T.Size));
                }
            }
        }
    }

    // Where the i-th row of a part and key head begins, in elements.
    private static long Place(Shape shape, AttentionPart part, int i, int group, int keyHead) =>
        (((long)(part.FirstRow + (i / group)) * shape.Heads) + (keyHead * group) + (i % group)) * shape.HeadDim;

    // Keys dimension-major, so that a lane is a key and no sum runs across lanes; values as they are.
    private static void Unpack<T>(
        Shape shape, byte* keys, byte* values, int[] blocks, int start, int count, int keyHead, float* keyLanes, float* valueRows)
        where T : struct, IElement
    {
        int width = shape.HeadDim;
        long* offsets = stackalloc long[Lanes];

        // Sixteen keys lie in one block where blocks are multiples of sixteen: two divisions instead of thirty-two.
        bool isOneBlock = shape.BlockSize % Lanes == 0;
        long firstSlot = Slot(shape, blocks, start);
        for (int lane = 0; lane < Lanes; lane++)
        {
            // Lanes beyond the context repeat the last key: finite, and masked afterwards.
            int place = Math.Min(lane, count - 1);
            long slot = isOneBlock ? firstSlot + place : Slot(shape, blocks, start + place);
            offsets[lane] = ((slot * shape.KeyHeads) + keyHead) * width * T.Size;
            for (int d = 0; d < width; d += Lanes)
            {
                T.Load(values + offsets[lane] + (d * T.Size)).StoreAligned(valueRows + (lane * width) + d);
            }
        }

        for (int d = 0; d < width; d += Lanes)
        {
            if (Avx512F.IsSupported)
            {
                Transpose<T>(keys + (d * T.Size), offsets, keyLanes + (d * Lanes));
            }
            else
            {
                TransposeOneByOne<T>(keys + (d * T.Size), offsets, keyLanes + (d * Lanes));
            }
        }
    }

    private static long Slot(Shape shape, int[] blocks, int position) =>
        ((long)blocks[position / shape.BlockSize] * shape.BlockSize) + (position % shape.BlockSize);

    private static void TransposeOneByOne<T>(byte* source, long* offsets, float* target)
        where T : struct, IElement
    {
        float* one = stackalloc float[Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            T.Load(source + offsets[lane]).Store(one);
            for (int i = 0; i < Lanes; i++)
            {
                target[(i * Lanes) + lane] = one[i];
            }
        }
    }

    /// <summary>Sixteen rows of sixteen, each at its offset, to sixteen columns: pairs, then pairs of pairs, then quarters of registers.</summary>
    private static void Transpose<T>(byte* source, long* offsets, float* target)
        where T : struct, IElement
    {
        // 1. Four rows at a time: column 4q + k of rows 4g … 4g + 3 to quarter q of fours[4g + k].
        Vector512<float>* fours = stackalloc Vector512<float>[Lanes];
        for (int g = 0; g < Lanes; g += 4)
        {
            Vector512<float> row0 = T.Load(source + offsets[g]);
            Vector512<float> row1 = T.Load(source + offsets[g + 1]);
            Vector512<float> row2 = T.Load(source + offsets[g + 2]);
            Vector512<float> row3 = T.Load(source + offsets[g + 3]);
            Vector512<double> low01 = Avx512F.UnpackLow(row0, row1).AsDouble();
            Vector512<double> high01 = Avx512F.UnpackHigh(row0, row1).AsDouble();
            Vector512<double> low23 = Avx512F.UnpackLow(row2, row3).AsDouble();
            Vector512<double> high23 = Avx512F.UnpackHigh(row2, row3).AsDouble();
            fours[g] = Avx512F.UnpackLow(low01, low23).AsSingle();
            fours[g + 1] = Avx512F.UnpackHigh(low01, low23).AsSingle();
            fours[g + 2] = Avx512F.UnpackLow(high01, high23).AsSingle();
            fours[g + 3] = Avx512F.UnpackHigh(high01, high23).AsSingle();
        }

        // 2. The quarters of the four groups of rows.
        for (int k = 0; k < 4; k++)
        {
            Vector512<float> even0 = Avx512F.Shuffle4x128(fours[k], fours[k + 4], 0x88);
            Vector512<float> odd0 = Avx512F.Shuffle4x128(fours[k], fours[k + 4], 0xDD);
            Vector512<float> even1 = Avx512F.Shuffle4x128(fours[k + 8], fours[k + 12], 0x88);
            Vector512<float> odd1 = Avx512F.Shuffle4x128(fours[k + 8], fours[k + 12], 0xDD);
            Avx512F.Shuffle4x128(even0, even1, 0x88).StoreAligned(target + (k * Lanes));
            Avx512F.Shuffle4x128(odd0, odd1, 0x88).StoreAligned(target + ((k + 4) * Lanes));
            Avx512F.Shuffle4x128(even0, even1, 0xDD).StoreAligned(target + ((k + 8) * Lanes));
            Avx512F.Shuffle4x128(odd0, odd1, 0xDD).StoreAligned(target + ((k + 12) * Lanes));
        }
    }

    // All rows see as much; four at a time read keys and values once. A row's sums run in the same order either way.
    private static void Accumulate(in Rows rows, int from, int to, int width, int visible)
    {
        int row = from;
        for (; row <= to - 4; row += 4)
        {
            AccumulateFour(rows, row, width, visible);
        }

        for (; row < to; row++)
        {
            AccumulateOne(rows, row, width, visible);
        }
    }

    private static void AccumulateOne(in Rows rows, int row, int width, int visible)
    {
        float* query = rows.Query + (row * width);
        float* keyLanes = rows.KeyLanes;

        // 1. Sixteen scores; four partial sums hide the latency of the multiplications.
        Vector512<float> s0 = Vector512<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
        for (int d = 0; d < width; d += 4)
        {
            s0 = Vector512.FusedMultiplyAdd(Vector512.Create(query[d]), Vector512.LoadAligned(keyLanes + (d * Lanes)), s0);
            s1 = Vector512.FusedMultiplyAdd(Vector512.Create(query[d + 1]), Vector512.LoadAligned(keyLanes + ((d + 1) * Lanes)), s1);
            s2 = Vector512.FusedMultiplyAdd(Vector512.Create(query[d + 2]), Vector512.LoadAligned(keyLanes + ((d + 2) * Lanes)), s2);
            s3 = Vector512.FusedMultiplyAdd(Vector512.Create(query[d + 3]), Vector512.LoadAligned(keyLanes + ((d + 3) * Lanes)), s3);
        }

        // 2. Their weights, and weighted values.
        float* weight = stackalloc float[Lanes];
        float rescale = Weigh(rows, row, s0 + s1 + (s2 + s3), visible, weight);
        float* mixed = rows.Mixed + (row * width);
        for (int d = 0; d < width; d += Lanes)
        {
            float* values = rows.ValueRows + d;
            Vector512<float> m0 = Vector512.LoadAligned(mixed + d) * rescale;
            Vector512<float> m1 = Vector512<float>.Zero;
            for (int lane = 0; lane < Lanes; lane += 2)
            {
                m0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[lane]), Vector512.LoadAligned(values + (lane * width)), m0);
                m1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[lane + 1]), Vector512.LoadAligned(values + ((lane + 1) * width)), m1);
            }

            (m0 + m1).StoreAligned(mixed + d);
        }
    }

    private static void AccumulateFour(in Rows rows, int row, int width, int visible)
    {
        float* a = rows.Query + (row * width);
        float* b = a + width;
        float* c = b + width;
        float* d = c + width;
        float* keyLanes = rows.KeyLanes;

        // 1. Scores.
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        Vector512<float> c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
        for (int i = 0; i < width; i += 4)
        {
            Vector512<float> key = Vector512.LoadAligned(keyLanes + (i * Lanes));
            a0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i]), key, a0);
            b0 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i]), key, b0);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i]), key, c0);
            d0 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i]), key, d0);
            key = Vector512.LoadAligned(keyLanes + ((i + 1) * Lanes));
            a1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 1]), key, a1);
            b1 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 1]), key, b1);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 1]), key, c1);
            d1 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 1]), key, d1);
            key = Vector512.LoadAligned(keyLanes + ((i + 2) * Lanes));
            a2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 2]), key, a2);
            b2 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 2]), key, b2);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 2]), key, c2);
            d2 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 2]), key, d2);
            key = Vector512.LoadAligned(keyLanes + ((i + 3) * Lanes));
            a3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 3]), key, a3);
            b3 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 3]), key, b3);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 3]), key, c3);
            d3 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 3]), key, d3);
        }

        // 2. Their weights, and weighted values.
        float* weights = stackalloc float[4 * Lanes];
        float rescaleA = Weigh(rows, row, a0 + a1 + (a2 + a3), visible, weights);
        float rescaleB = Weigh(rows, row + 1, b0 + b1 + (b2 + b3), visible, weights + Lanes);
        float rescaleC = Weigh(rows, row + 2, c0 + c1 + (c2 + c3), visible, weights + (2 * Lanes));
        float rescaleD = Weigh(rows, row + 3, d0 + d1 + (d2 + d3), visible, weights + (3 * Lanes));
        float* mixed = rows.Mixed + (row * width);
        for (int i = 0; i < width; i += Lanes)
        {
            float* values = rows.ValueRows + i;
            a0 = Vector512.LoadAligned(mixed + i) * rescaleA;
            b0 = Vector512.LoadAligned(mixed + width + i) * rescaleB;
            c0 = Vector512.LoadAligned(mixed + (2 * width) + i) * rescaleC;
            d0 = Vector512.LoadAligned(mixed + (3 * width) + i) * rescaleD;
            a1 = b1 = c1 = d1 = Vector512<float>.Zero;
            for (int lane = 0; lane < Lanes; lane += 2)
            {
                float* weight = weights + lane;
                Vector512<float> value = Vector512.LoadAligned(values + (lane * width));
                a0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), value, a0);
                b0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Lanes]), value, b0);
                c0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[2 * Lanes]), value, c0);
                d0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[3 * Lanes]), value, d0);
                value = Vector512.LoadAligned(values + ((lane + 1) * width));
                a1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[1]), value, a1);
                b1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Lanes + 1]), value, b1);
                c1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[(2 * Lanes) + 1]), value, c1);
                d1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[(3 * Lanes) + 1]), value, d1);
            }

            (a0 + a1).StoreAligned(mixed + i);
            (b0 + b1).StoreAligned(mixed + width + i);
            (c0 + c1).StoreAligned(mixed + (2 * width) + i);
            (d0 + d1).StoreAligned(mixed + (3 * width) + i);
        }
    }

    // A row's weights of sixteen keys from their scores, relative to its greatest score so far; returns the factor on what was summed before.
    private static float Weigh(in Rows rows, int row, Vector512<float> scores, int visible, float* weights)
    {
        if (visible < Lanes)
        {
            Vector512<int> seen = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(visible));
            scores = Vector512.ConditionalSelect(seen.AsSingle(), scores, Vector512.Create(float.NegativeInfinity));
        }

        float before = rows.Maxima[row];
        float largest = MathF.Max(before, Largest(scores));
        Vector512<float> weight = VectorMath.Exp(scores - Vector512.Create(largest));
        weight.Store(weights);

        // Mostly the greatest score stays, and the factor is one.
        float rescale = before == largest ? 1 : VectorMath.Exp(Vector512.Create(before - largest)).ToScalar();
        rows.Maxima[row] = largest;
        rows.Sums[row] = (rows.Sums[row] * rescale) + Vector512.Sum(weight);
        return rescale;
    }

    private static float Largest(Vector512<float> values)
    {
        Vector256<float> half = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        Vector128<float> quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        Vector128<float> pair = Vector128.MaxNative(quarter, Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(pair[0], pair[1]);
    }

    /// <summary>Scratch memory: sixteen keys and values, and the state of the query rows.</summary>
    private readonly struct Rows(int count, int width, float* scratch)
    {
        /// <summary>[width, 16].</summary>
        public float* KeyLanes { get; } = scratch;

        /// <summary>[16, width].</summary>
        public float* ValueRows { get; } = scratch + (Lanes * width);

        /// <summary>[count, width].</summary>
        public float* Query { get; } = scratch + (2 * Lanes * width);

        /// <summary>[count, width]: weighted values so far.</summary>
        public float* Mixed { get; } = scratch + (2 * Lanes * width) + (count * width);

        /// <summary>[count]: greatest scores so far.</summary>
        public float* Maxima { get; } = scratch + (2 * Lanes * width) + (2 * count * width);

        /// <summary>[count]: weights so far.</summary>
        public float* Sums { get; } = scratch + (2 * Lanes * width) + (2 * count * width) + ((count + Lanes - 1) / Lanes * Lanes);
    }
}

/// <summary>Tokens of one sequence, at consecutive positions.</summary>
/// <param name="FirstRow">First token's row in queries and output.</param>
/// <param name="Tokens">Tokens; token t sees positions up to FirstPosition + t.</param>
/// <param name="FirstPosition">First token's position.</param>
/// <param name="Blocks">The sequence's block table.</param>
internal readonly record struct AttentionPart(int FirstRow, int Tokens, int FirstPosition, int[] Blocks);
