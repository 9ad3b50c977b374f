using System.Runtime.Intrinsics;

namespace ToolN1.Engine.Kernels;

/// <summary>Where sixteen keys and values of a key head are.</summary>
internal readonly unsafe struct SixteenKeys(byte* keys, int keyStride, byte* values, int valueStride)
{
    /// <summary>Dimension 0 of sixteen keys side by side.</summary>
    public byte* Keys { get; } = keys;

    /// <summary>Bytes to the next dimension.</summary>
    public int KeyStride { get; } = keyStride;

    /// <summary>The first value's dimensions side by side.</summary>
    public byte* Values { get; } = values;

    /// <summary>Bytes to the next value.</summary>
    public int ValueStride { get; } = valueStride;
}

/// <summary>
/// Query rows of one key head and their online softmax, in memory of the caller's: scaled queries, greatest scores, sums of weights and weighted values so far.
/// A row's sums run in the same order however many rows are taken together, and from whatever dtype keys and values come.
/// </summary>
/// <param name="count">Rows.</param>
/// <param name="width">Width of a head, a multiple of sixteen.</param>
/// <param name="memory">64-byte aligned, <see cref="Length"/> floats.</param>
internal readonly unsafe struct AttentionRows(int count, int width, float* memory)
{
    /// <summary>Keys taken together.</summary>
    public const int Lanes = 16;

    /// <summary>[count, width]: queries times 1/√width.</summary>
    public float* Query { get; } = memory;

    /// <summary>[count, width]: weighted values so far.</summary>
    public float* Mixed { get; } = memory + (count * width);

    /// <summary>[count]: greatest scores so far.</summary>
    public float* Maxima { get; } = memory + (2 * count * width);

    /// <summary>[count]: weights so far.</summary>
    public float* Sums { get; } = memory + (2 * count * width) + Padded(count);

    /// <summary>Floats that rows need.</summary>
    public static nuint Length(int count, int width) => (nuint)((2 * count * width) + (2 * Padded(count)));

    /// <summary>Lets rows see sixteen keys.</summary>
    /// <typeparam name="T">Dtype of keys and values.</typeparam>
    /// <param name="keys">The keys and their values, which are finite.</param>
    /// <param name="from">First row.</param>
    /// <param name="to">Row after the last.</param>
    /// <param name="visible">Keys that all these rows see, at least one.</param>
    public void Accumulate<T>(SixteenKeys keys, int from, int to, int visible)
        where T : struct, IElement
    {
        // Rows taken together read keys and values once. Each number of rows is written out, since only named sums stay in registers.
        int row = from;
        for (; row <= to - 4; row += 4)
        {
            AccumulateFour<T>(keys, row, visible);
        }

        if (row <= to - 2)
        {
            AccumulateTwo<T>(keys, row, visible);
            row += 2;
        }

        if (row < to)
        {
            AccumulateOne<T>(keys, row, visible);
        }
    }

    private static int Padded(int count) => (count + Lanes - 1) / Lanes * Lanes;

    private void AccumulateFour<T>(SixteenKeys keys, int row, int visible)
        where T : struct, IElement
    {
        float* a = Query + (row * width);
        float* b = a + width;
        float* c = b + width;
        float* d = c + width;

        // 1. Scores.
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, a2 = a0, a3 = a0;
        Vector512<float> b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        Vector512<float> c0 = a0, c1 = a0, c2 = a0, c3 = a0;
        Vector512<float> d0 = a0, d1 = a0, d2 = a0, d3 = a0;
        byte* source = keys.Keys;
        for (int i = 0; i < width; i += 4)
        {
            Vector512<float> key = T.Load(source);
            source += keys.KeyStride;
            a0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i]), key, a0);
            b0 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i]), key, b0);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i]), key, c0);
            d0 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i]), key, d0);
            key = T.Load(source);
            source += keys.KeyStride;
            a1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 1]), key, a1);
            b1 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 1]), key, b1);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 1]), key, c1);
            d1 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 1]), key, d1);
            key = T.Load(source);
            source += keys.KeyStride;
            a2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 2]), key, a2);
            b2 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 2]), key, b2);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 2]), key, c2);
            d2 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 2]), key, d2);
            key = T.Load(source);
            source += keys.KeyStride;
            a3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 3]), key, a3);
            b3 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 3]), key, b3);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(c[i + 3]), key, c3);
            d3 = Vector512.FusedMultiplyAdd(Vector512.Create(d[i + 3]), key, d3);
        }

        // 2. Their weights, and weighted values.
        float* weights = stackalloc float[4 * Lanes];
        float rescaleA = Weigh(row, a0 + a1 + (a2 + a3), visible, weights);
        float rescaleB = Weigh(row + 1, b0 + b1 + (b2 + b3), visible, weights + Lanes);
        float rescaleC = Weigh(row + 2, c0 + c1 + (c2 + c3), visible, weights + (2 * Lanes));
        float rescaleD = Weigh(row + 3, d0 + d1 + (d2 + d3), visible, weights + (3 * Lanes));
        float* mixed = Mixed + (row * width);
        for (int i = 0; i < width; i += Lanes)
        {
            source = keys.Values + (i * T.Size);
            a0 = Vector512.LoadAligned(mixed + i) * rescaleA;
            b0 = Vector512.LoadAligned(mixed + width + i) * rescaleB;
            c0 = Vector512.LoadAligned(mixed + (2 * width) + i) * rescaleC;
            d0 = Vector512.LoadAligned(mixed + (3 * width) + i) * rescaleD;
            a1 = b1 = c1 = d1 = Vector512<float>.Zero;
            for (int lane = 0; lane < Lanes; lane += 2)
            {
                float* weight = weights + lane;
                Vector512<float> value = T.Load(source);
                source += keys.ValueStride;
                a0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), value, a0);
                b0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Lanes]), value, b0);
                c0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[2 * Lanes]), value, c0);
                d0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[3 * Lanes]), value, d0);
                value = T.Load(source);
                source += keys.ValueStride;
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

    private void AccumulateTwo<T>(SixteenKeys keys, int row, int visible)
        where T : struct, IElement
    {
        float* a = Query + (row * width);
        float* b = a + width;

        // 1. Scores.
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, a2 = a0, a3 = a0;
        Vector512<float> b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        byte* source = keys.Keys;
        for (int i = 0; i < width; i += 4)
        {
            Vector512<float> key = T.Load(source);
            source += keys.KeyStride;
            a0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i]), key, a0);
            b0 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i]), key, b0);
            key = T.Load(source);
            source += keys.KeyStride;
            a1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 1]), key, a1);
            b1 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 1]), key, b1);
            key = T.Load(source);
            source += keys.KeyStride;
            a2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 2]), key, a2);
            b2 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 2]), key, b2);
            key = T.Load(source);
            source += keys.KeyStride;
            a3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 3]), key, a3);
            b3 = Vector512.FusedMultiplyAdd(Vector512.Create(b[i + 3]), key, b3);
        }

        // 2. Their weights, and weighted values.
        float* weights = stackalloc float[2 * Lanes];
        float rescaleA = Weigh(row, a0 + a1 + (a2 + a3), visible, weights);
        float rescaleB = Weigh(row + 1, b0 + b1 + (b2 + b3), visible, weights + Lanes);
        float* mixed = Mixed + (row * width);
        for (int i = 0; i < width; i += Lanes)
        {
            source = keys.Values + (i * T.Size);
            a0 = Vector512.LoadAligned(mixed + i) * rescaleA;
            b0 = Vector512.LoadAligned(mixed + width + i) * rescaleB;
            a1 = b1 = Vector512<float>.Zero;
            for (int lane = 0; lane < Lanes; lane += 2)
            {
                float* weight = weights + lane;
                Vector512<float> value = T.Load(source);
                source += keys.ValueStride;
                a0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), value, a0);
                b0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Lanes]), value, b0);
                value = T.Load(source);
                source += keys.ValueStride;
                a1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[1]), value, a1);
                b1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Lanes + 1]), value, b1);
            }

            (a0 + a1).StoreAligned(mixed + i);
            (b0 + b1).StoreAligned(mixed + width + i);
        }
    }

    private void AccumulateOne<T>(SixteenKeys keys, int row, int visible)
        where T : struct, IElement
    {
        float* a = Query + (row * width);

        // 1. Scores; four partial sums a row hide the latency of the multiplications.
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, a2 = a0, a3 = a0;
        byte* source = keys.Keys;
        for (int i = 0; i < width; i += 4)
        {
            Vector512<float> key = T.Load(source);
            source += keys.KeyStride;
            a0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i]), key, a0);
            key = T.Load(source);
            source += keys.KeyStride;
            a1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 1]), key, a1);
            key = T.Load(source);
            source += keys.KeyStride;
            a2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 2]), key, a2);
            key = T.Load(source);
            source += keys.KeyStride;
            a3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i + 3]), key, a3);
        }

        // 2. Their weights, and weighted values.
        float* weights = stackalloc float[Lanes];
        float rescaleA = Weigh(row, a0 + a1 + (a2 + a3), visible, weights);
        float* mixed = Mixed + (row * width);
        for (int i = 0; i < width; i += Lanes)
        {
            source = keys.Values + (i * T.Size);
            a0 = Vector512.LoadAligned(mixed + i) * rescaleA;
            a1 = Vector512<float>.Zero;
            for (int lane = 0; lane < Lanes; lane += 2)
            {
                float* weight = weights + lane;
                Vector512<float> value = T.Load(source);
                source += keys.ValueStride;
                a0 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), value, a0);
                value = T.Load(source);
                source += keys.ValueStride;
                a1 = Vector512.FusedMultiplyAdd(Vector512.Create(weight[1]), value, a1);
            }

            (a0 + a1).StoreAligned(mixed + i);
        }
    }

    // A row's weights of sixteen keys from their scores, relative to its greatest score so far; returns the factor on what was summed before.
    private float Weigh(int row, Vector512<float> scores, int visible, float* weights)
    {
        if (visible < Lanes)
        {
            Vector512<int> seen = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(visible));
            scores = Vector512.ConditionalSelect(seen.AsSingle(), scores, Vector512.Create(float.NegativeInfinity));
        }

        float before = Maxima[row];
        float largest = MathF.Max(before, Largest(scores));
        Vector512<float> weight = VectorMath.Exp(scores - Vector512.Create(largest));
        weight.Store(weights);

        // Mostly the greatest score stays, and the factor is one.
        float rescale = before == largest ? 1 : VectorMath.Exp(Vector512.Create(before - largest)).ToScalar();
        Maxima[row] = largest;
        Sums[row] = (Sums[row] * rescale) + Vector512.Sum(weight);
        return rescale;
    }

    private static float Largest(Vector512<float> values)
    {
        Vector256<float> half = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        Vector128<float> quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        Vector128<float> pair = Vector128.MaxNative(quarter, Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(pair[0], pair[1]);
    }
}
