using System.Runtime.Intrinsics;
using ToolN1.Engine.Kernels;

namespace ToolN1.Training.Passes;

/// <summary>
/// What lies between the products of a layer, forward and back, each in one pass over memory. Arithmetic is float32;
/// <typeparamref name="T"/> is the dtype of the products. Widths are multiples of sixteen. Sums over rows are taken part by part
/// in a fixed order, so that a run with the same number of threads repeats bit by bit.
/// </summary>
internal static unsafe class PassKernels<T>
    where T : struct, IElement
{
    private const int Lanes = 16;

    // Many processors take a hundred times as long over a denormal number (below 2^-126), in products above all, and a sharp
    // softmax and its gradient are full of them. Shares below e^-45, which no sum in float32 notices beside the greatest, are 0,
    // and so are scores' gradients below 2^-100: what is left does not become denormal when it is multiplied once more.
    private const float LeastExponent = -45;
    private const float LeastGradient = 7.8886090522e-31f;

    /// <summary>sum = x + added (where given); y = sum / √(mean sum² + ε) · weight.</summary>
    public static void AddNorm(RowParts parts, float* x, byte* added, float* sum, float* weight, byte* y, float* scales, long rows, int width, double epsilon) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                float* input = x + (row * width);
                if (added != null)
                {
                    float* total = sum + (row * width);
                    byte* more = added + (row * width * T.Size);
                    for (int i = 0; i < width; i += Lanes)
                    {
                        (Vector512.Load(input + i) + T.Load(more + ((long)i * T.Size))).Store(total + i);
                    }

                    input = total;
                }

                Vector512<float> squares = Vector512<float>.Zero;
                for (int i = 0; i < width; i += Lanes)
                {
                    Vector512<float> value = Vector512.Load(input + i);
                    squares = Vector512.FusedMultiplyAdd(value, value, squares);
                }

                float scale = (float)(1 / Math.Sqrt((Vector512.Sum(squares) / width) + epsilon));
                scales[row] = scale;
                byte* output = y + (row * width * T.Size);
                for (int i = 0; i < width; i += Lanes)
                {
                    T.Store(Vector512.Load(input + i) * scale * Vector512.Load(weight + i), output + ((long)i * T.Size));
                }
            }
        });

    /// <summary>Adds the norm's input gradient to the residual's, and the weight's to <paramref name="weightGradient"/>.</summary>
    public static void NormBack(RowParts parts, byte* outer, float* x, float* scales, float* weight, float* residual, float* weightGradient, long rows, int width) =>
        parts.RunAndSum(rows, width, weightGradient, (sums, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                byte* gradient = outer + (row * width * T.Size);
                float* input = x + (row * width);
                float* target = residual + (row * width);
                float scale = scales[row];
                Vector512<float> dots = Vector512<float>.Zero;
                for (int i = 0; i < width; i += Lanes)
                {
                    Vector512<float> g = T.Load(gradient + ((long)i * T.Size));
                    Vector512<float> product = g * (Vector512.Load(input + i) * scale);
                    (Vector512.Load(sums + i) + product).Store(sums + i);
                    dots = Vector512.FusedMultiplyAdd(product, Vector512.Load(weight + i), dots);
                }

                float mean = Vector512.Sum(dots) / width * scale;
                for (int i = 0; i < width; i += Lanes)
                {
                    Vector512<float> g = T.Load(gradient + ((long)i * T.Size)) * Vector512.Load(weight + i);
                    (Vector512.Load(target + i) + ((g - (Vector512.Load(input + i) * mean)) * scale)).Store(target + i);
                }
            }
        });

    /// <summary>silu(gate) · up, both in one row of <paramref name="gateUp"/>.</summary>
    public static void SwiGlu(RowParts parts, byte* gateUp, byte* y, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                byte* gate = gateUp + (row * 2 * width * T.Size);
                byte* up = gate + ((long)width * T.Size);
                byte* output = y + (row * width * T.Size);
                for (long i = 0; i < (long)width * T.Size; i += Lanes * T.Size)
                {
                    Vector512<float> g = T.Load(gate + i);
                    T.Store(g / (Vector512<float>.One + VectorMath.Exp(-g)) * T.Load(up + i), output + i);
                }
            }
        });

    /// <summary>The gradients of gate and up, written over them.</summary>
    public static void SwiGluBack(RowParts parts, byte* outer, byte* gateUp, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                byte* gate = gateUp + (row * 2 * width * T.Size);
                byte* up = gate + ((long)width * T.Size);
                byte* gradient = outer + (row * width * T.Size);
                for (long i = 0; i < (long)width * T.Size; i += Lanes * T.Size)
                {
                    Vector512<float> g = T.Load(gate + i);
                    Vector512<float> d = T.Load(gradient + i);
                    Vector512<float> sigmoid = Vector512<float>.One / (Vector512<float>.One + VectorMath.Exp(-g));
                    Vector512<float> silu = g * sigmoid;
                    Vector512<float> slope = sigmoid + (silu * (Vector512<float>.One - sigmoid));
                    T.Store(d * T.Load(up + i) * slope, gate + i);
                    T.Store(d * silu, up + i);
                }
            }
        });

    /// <summary>Adds biases, rotates queries and keys, scales queries by 1 / √headDim, and lays all out by key head and slot.</summary>
    public static void Split(RowParts parts, HeadShape shape, byte* qkv, float* bias, float* cosine, float* sine, int[] slots, long slotCount, byte* query, byte* key, byte* value) =>
        parts.Run(slots.Length, (_, from, to) =>
        {
            int half = shape.Width / 2;
            float scale = (float)(1 / Math.Sqrt(shape.Width));
            for (long token = from; token < to; token++)
            {
                long slot = slots[token];
                byte* source = qkv + (token * shape.RowWidth * T.Size);
                float* c = cosine + (token * half);
                float* s = sine + (token * half);
                for (int head = 0; head < shape.Heads + (2 * shape.KeyHeads); head++)
                {
                    byte* input = source + ((long)head * shape.Width * T.Size);
                    float* b = bias == null ? null : bias + ((long)head * shape.Width);
                    byte* output = (head < shape.Heads ? query : head < shape.Heads + shape.KeyHeads ? key : value) + (shape.Place(head, slot, slotCount) * shape.Width * T.Size);
                    bool rotates = head < shape.Heads + shape.KeyHeads;
                    float factor = head < shape.Heads ? scale : 1;
                    for (int i = 0; i < half; i += Lanes)
                    {
                        Vector512<float> first = T.Load(input + ((long)i * T.Size));
                        Vector512<float> second = T.Load(input + ((long)(half + i) * T.Size));
                        if (b != null)
                        {
                            first += Vector512.Load(b + i);
                            second += Vector512.Load(b + half + i);
                        }

                        if (rotates)
                        {
                            Vector512<float> cos = Vector512.Load(c + i) * factor;
                            Vector512<float> sin = Vector512.Load(s + i) * factor;
                            (first, second) = ((first * cos) - (second * sin), (second * cos) + (first * sin));
                        }

                        T.Store(first, output + ((long)i * T.Size));
                        T.Store(second, output + ((long)(half + i) * T.Size));
                    }
                }
            }
        });

    /// <summary>The way back of <see cref="Split"/>; sums the biases' gradients.</summary>
    public static void SplitBack(RowParts parts, HeadShape shape, byte* qkv, float* biasGradient, float* cosine, float* sine, int[] slots, long slotCount, byte* query, byte* key, byte* value) =>
        parts.RunAndSum(slots.Length, shape.RowWidth, biasGradient, (sums, from, to) =>
        {
            int half = shape.Width / 2;
            float scale = (float)(1 / Math.Sqrt(shape.Width));
            for (long token = from; token < to; token++)
            {
                long slot = slots[token];
                byte* target = qkv + (token * shape.RowWidth * T.Size);
                float* c = cosine + (token * half);
                float* s = sine + (token * half);
                for (int head = 0; head < shape.Heads + (2 * shape.KeyHeads); head++)
                {
                    byte* output = target + ((long)head * shape.Width * T.Size);
                    float* sum = sums + ((long)head * shape.Width);
                    byte* input = (head < shape.Heads ? query : head < shape.Heads + shape.KeyHeads ? key : value) + (shape.Place(head, slot, slotCount) * shape.Width * T.Size);
                    bool rotates = head < shape.Heads + shape.KeyHeads;
                    float factor = head < shape.Heads ? scale : 1;
                    for (int i = 0; i < half; i += Lanes)
                    {
                        Vector512<float> first = T.Load(input + ((long)i * T.Size));
                        Vector512<float> second = T.Load(input + ((long)(half + i) * T.Size));
                        if (rotates)
                        {
                            Vector512<float> cos = Vector512.Load(c + i) * factor;
                            Vector512<float> sin = Vector512.Load(s + i) * factor;
                            (first, second) = ((first * cos) + (second * sin), (second * cos) - (first * sin));
                        }

                        T.Store(first, output + ((long)i * T.Size));
                        T.Store(second, output + ((long)(half + i) * T.Size));
                        (Vector512.Load(sum + i) + first).Store(sum + i);
                        (Vector512.Load(sum + half + i) + second).Store(sum + half + i);
                    }
                }
            }
        });

    /// <summary>Heads by slot → [tokens, heads × width].</summary>
    public static void Merge(RowParts parts, HeadShape shape, byte* byHead, byte* byToken, int[] slots, long slotCount)
    {
        int bytes = shape.Width * T.Size;
        parts.Run(slots.Length, (_, from, to) =>
        {
            for (long token = from; token < to; token++)
            {
                for (int head = 0; head < shape.Heads; head++)
                {
                    Buffer.MemoryCopy(byHead + (shape.Place(head, slots[token], slotCount) * bytes), byToken + (((token * shape.Heads) + head) * bytes), bytes, bytes);
                }
            }
        });
    }

    /// <summary>The way back of <see cref="Merge"/>, and the dot product of each head's output with its gradient.</summary>
    public static void MergeBack(RowParts parts, HeadShape shape, byte* byToken, byte* mixed, byte* byHead, float* dots, int[] slots, long slotCount)
    {
        int bytes = shape.Width * T.Size;
        parts.Run(slots.Length, (_, from, to) =>
        {
            for (long token = from; token < to; token++)
            {
                for (int head = 0; head < shape.Heads; head++)
                {
                    long place = shape.Place(head, slots[token], slotCount);
                    byte* gradient = byToken + (((token * shape.Heads) + head) * bytes);
                    Vector512<float> sum = Vector512<float>.Zero;
                    for (int i = 0; i < bytes; i += Lanes * T.Size)
                    {
                        sum = Vector512.FusedMultiplyAdd(T.Load(gradient + i), T.Load(mixed + (place * bytes) + i), sum);
                    }

                    dots[place] = Vector512.Sum(sum);
                    Buffer.MemoryCopy(gradient, byHead + (place * bytes), bytes, bytes);
                }
            }
        });
    }

    /// <summary>
    /// Scores → probabilities in place, over prefix (<paramref name="context"/>, [queries × heads, ContextSlots], or null) and
    /// near keys (<paramref name="near"/>, [queries × heads, Keys]) together; zeros for what is not seen.
    /// </summary>
    public static void Softmax(RowParts parts, AttentionPiece piece, SlotSight[] sights, int headsPerKey, byte* context, byte* near) =>
        parts.Run((long)piece.Queries * headsPerKey, (_, from, to) =>
        {
            Vector512<float> lane = Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            float[] scratch = System.Buffers.ArrayPool<float>.Shared.Rent(piece.ContextSlots + piece.Keys);
            fixed (float* scores = scratch)
            {
                for (long row = from; row < to; row++)
                {
                    SlotSight sight = sights[piece.QuerySlot + (row / headsPerKey)];
                    int first = sight.From - piece.KeySlot;
                    int last = sight.To - piece.KeySlot;
                    byte* nearRow = near + (row * piece.Keys * T.Size);
                    byte* contextRow = context + (row * piece.ContextSlots * T.Size);
                    if (sight.To == 0)
                    {
                        new Span<byte>(nearRow, piece.Keys * T.Size).Clear();
                        new Span<byte>(contextRow, piece.ContextSlots * T.Size).Clear();
                        continue;
                    }

                    // 1. Widen and find the greatest.
                    Vector512<float> maxima = Vector512.Create(float.NegativeInfinity);
                    maxima = Widen(contextRow, scores, 0, piece.Context, piece.ContextSlots, lane, maxima);
                    maxima = Widen(nearRow, scores + piece.ContextSlots, first, last, piece.Keys, lane, maxima);
                    Vector512<float> max = Vector512.Create(Greatest(maxima));

                    // 2. Exponentials and their sum.
                    Vector512<float> sums = Vector512<float>.Zero;
                    sums = Exponentiate(scores, 0, piece.Context, max, sums);
                    sums = Exponentiate(scores + piece.ContextSlots, first, last, max, sums);

                    // 3. Shares.
                    float scale = 1 / Vector512.Sum(sums);
                    Narrow(scores, contextRow, 0, piece.Context, piece.ContextSlots, scale);
                    Narrow(scores + piece.ContextSlots, nearRow, first, last, piece.Keys, scale);
                }
            }

            System.Buffers.ArrayPool<float>.Shared.Return(scratch);
        });

    /// <summary>The scores' gradient P ∘ (dP − rowsum(dO ∘ O)), written over dP.</summary>
    public static void SoftmaxBack(RowParts parts, long rows, long keys, byte* probabilities, byte* gradient, float* dots) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                Vector512<float> dot = Vector512.Create(dots[row]);
                byte* p = probabilities + (row * keys * T.Size);
                byte* d = gradient + (row * keys * T.Size);
                for (long i = 0; i < keys * T.Size; i += Lanes * T.Size)
                {
                    Vector512<float> value = T.Load(p + i) * (T.Load(d + i) - dot);
                    T.Store(Vector512.AndNot(value, Vector512.LessThan(Vector512.Abs(value), Vector512.Create(LeastGradient))), d + i);
                }
            }
        });

    /// <summary>
    /// Log-probability of each row's target under softmax(logits · <paramref name="inverseTemperature"/>), the entropy, and whether
    /// the target is the first greatest; on wish the log-probability's derivative by the tempered logits, onehot − softmax, written over
    /// the logits. The arrays go on where <paramref name="firstRow"/> says.
    /// </summary>
    public static void LogProbs(
        RowParts parts, byte* logits, long[] targets, float inverseTemperature, bool derives, float[] logProbs, float[] entropies, bool[] hits, long firstRow, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            int padded = (width + Lanes - 1) / Lanes * Lanes;
            byte* tail = stackalloc byte[Lanes * sizeof(float)];
            float[] scratch = System.Buffers.ArrayPool<float>.Shared.Rent(padded);
            fixed (float* values = scratch)
            {
                for (long row = from; row < to; row++)
                {
                    byte* line = logits + (row * width * T.Size);
                    int target = (int)targets[firstRow + row];
                    Vector512<float> maxima = Vector512.Create(float.NegativeInfinity);
                    for (int i = 0; i < padded; i += Lanes)
                    {
                        Vector512<float> value;
                        if (i + Lanes <= width)
                        {
                            value = T.Load(line + ((long)i * T.Size)) * inverseTemperature;
                        }
                        else
                        {
                            Buffer.MemoryCopy(line + ((long)i * T.Size), tail, Lanes * T.Size, (long)(width - i) * T.Size);
                            value = T.Load(tail) * inverseTemperature;
                            for (int j = width - i; j < Lanes; j++)
                            {
                                value = value.WithElement(j, float.NegativeInfinity);
                            }
                        }

                        value.Store(values + i);
                        maxima = Vector512.Max(maxima, value);
                    }

                    float max = Greatest(maxima);
                    float wanted = values[target];
                    hits[firstRow + row] = wanted == max && new ReadOnlySpan<float>(values, width).IndexOf(max) == target;

                    // What is far below the greatest is nothing; the bound keeps 0 · ∞ out of the entropy.
                    Vector512<float> sums = Vector512<float>.Zero;
                    Vector512<float> products = Vector512<float>.Zero;
                    for (int i = 0; i < padded; i += Lanes)
                    {
                        Vector512<float> below = Vector512.Max(Vector512.Load(values + i) - Vector512.Create(max), Vector512.Create(-1e4f));
                        Vector512<float> value = VectorMath.Exp(below);
                        value.Store(values + i);
                        sums += value;
                        products = Vector512.FusedMultiplyAdd(value, below, products);
                    }

                    float sum = Vector512.Sum(sums);
                    float logSum = MathF.Log(sum);
                    logProbs[firstRow + row] = wanted - max - logSum;
                    entropies[firstRow + row] = logSum - (Vector512.Sum(products) / sum);
                    if (!derives)
                    {
                        continue;
                    }

                    float scale = -1 / sum;
                    values[target] -= sum;
                    for (int i = 0; i < padded; i += Lanes)
                    {
                        Vector512<float> value = Vector512.Load(values + i) * scale;
                        if (i + Lanes <= width)
                        {
                            T.Store(value, line + ((long)i * T.Size));
                        }
                        else
                        {
                            T.Store(value, tail);
                            Buffer.MemoryCopy(tail, line + ((long)i * T.Size), (long)(width - i) * T.Size, (long)(width - i) * T.Size);
                        }
                    }
                }
            }

            System.Buffers.ArrayPool<float>.Shared.Return(scratch);
        });

    /// <summary>Multiplies each row by its factor.</summary>
    public static void Scale(RowParts parts, float[] factors, byte* x, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                for (long i = row * width * T.Size; i < (row + 1) * width * T.Size; i += Lanes * T.Size)
                {
                    T.Store(T.Load(x + i) * factors[row], x + i);
                }
            }
        });

    /// <summary>x += y.</summary>
    public static void Add(RowParts parts, float* x, byte* y, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long i = from * width; i < to * width; i += Lanes)
            {
                (Vector512.Load(x + i) + T.Load(y + (i * T.Size))).Store(x + i);
            }
        });

    /// <summary>Rounds to the products' dtype.</summary>
    public static void Round(RowParts parts, float* x, byte* y, long rows, int width) =>
        parts.Run(rows, (_, from, to) =>
        {
            for (long i = from * width; i < to * width; i += Lanes)
            {
                T.Store(Vector512.Load(x + i), y + (i * T.Size));
            }
        });

    private static float Greatest(Vector512<float> values)
    {
        Vector256<float> eight = Vector256.Max(values.GetLower(), values.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    private static Vector512<float> Widen(byte* source, float* scores, int first, int last, int count, Vector512<float> lane, Vector512<float> maxima)
    {
        int end = Math.Min((last + Lanes - 1) / Lanes * Lanes, count);
        for (int i = first / Lanes * Lanes; i < end; i += Lanes)
        {
            Vector512<float> value = T.Load(source + ((long)i * T.Size));
            if (i < first || i + Lanes > last)
            {
                Vector512<float> seen = Vector512.GreaterThanOrEqual(lane, Vector512.Create((float)(first - i))) & Vector512.LessThan(lane, Vector512.Create((float)(last - i)));
                value = Vector512.ConditionalSelect(seen, value, Vector512.Create(float.NegativeInfinity));
            }

            value.Store(scores + i);
            maxima = Vector512.Max(maxima, value);
        }

        return maxima;
    }

    private static Vector512<float> Exponentiate(float* scores, int first, int last, Vector512<float> max, Vector512<float> sums)
    {
        for (int i = first / Lanes * Lanes; i < last; i += Lanes)
        {
            Vector512<float> below = Vector512.Load(scores + i) - max;
            Vector512<float> value = Vector512.AndNot(VectorMath.Exp(below), Vector512.LessThan(below, Vector512.Create(LeastExponent)));
            value.Store(scores + i);
            sums += value;
        }

        return sums;
    }

    private static void Narrow(float* scores, byte* target, int first, int last, int count, float scale)
    {
        int begin = first / Lanes * Lanes;
        int end = (last + Lanes - 1) / Lanes * Lanes;
        new Span<byte>(target, begin * T.Size).Clear();
        for (int i = begin; i < end; i += Lanes)
        {
            T.Store(Vector512.Load(scores + i) * scale, target + ((long)i * T.Size));
        }

        new Span<byte>(target + ((long)end * T.Size), (count - end) * T.Size).Clear();
    }
}
