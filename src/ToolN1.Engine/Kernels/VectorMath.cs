using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ToolN1.Engine.Kernels;

/// <summary>Vectorised float32 arithmetic over spans of logits or scores. Vector512 works everywhere; where the CPU lacks it, .NET runs it in halves.</summary>
internal static class VectorMath
{
    private const int Lanes = 16;

    // Sums run in float32 over this many elements, then in float64: 152 thousand terms keep about six digits.
    private const int SumBlock = 4096;

    /// <summary>e^x for x ≤ 88, to about 2 units in the last place; 0 below -87.</summary>
    /// <remarks>Cephes expf: x = n ln 2 + r, polynomial of degree 6 in r, exponent added as bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        Vector512<float> tooSmall = Vector512.LessThan(x, Vector512.Create(-87f));
        Vector512<float> clamped = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-87f)), Vector512.Create(88f));
        Vector512<float> n = Vector512.Round(clamped * 1.44269504088896341f);
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), clamped);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        Vector512<int> exponent = (Vector512.ConvertToInt32Native(n) + Vector512.Create(127)) << 23;
        return Vector512.AndNot(p * exponent.AsSingle(), tooSmall);
    }

    /// <summary>x / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x / (Vector512<float>.One + Exp(-x));

    /// <summary>Largest value; NaN when any value is NaN.</summary>
    public static float Max(ReadOnlySpan<float> values)
    {
        int i = 0;
        float max = float.NegativeInfinity;
        if (values.Length >= Lanes)
        {
            Vector512<float> running = Vector512.Create(values);
            for (i = Lanes; i <= values.Length - Lanes; i += Lanes)
            {
                running = Vector512.Max(running, Vector512.Create(values[i..]));
            }

            for (int lane = 0; lane < Lanes; lane++)
            {
                max = MathF.Max(max, running[lane]);
            }
        }

        for (; i < values.Length; i++)
        {
            max = MathF.Max(max, values[i]);
        }

        return max;
    }

    /// <summary>Σ exp((v − max) · scale), each term at most 1 when <paramref name="max"/> is the largest value and the scale positive.</summary>
    public static double SumExp(ReadOnlySpan<float> values, float max, float scale)
    {
        double total = 0;
        for (int start = 0; start < values.Length; start += SumBlock)
        {
            total += SumExpOfBlock(values.Slice(start, Math.Min(SumBlock, values.Length - start)), max, scale);
        }

        return total;
    }

    /// <summary>Finds the first index at which the running sum of exp((v − max) · scale) exceeds a target.</summary>
    /// <param name="values">Logits.</param>
    /// <param name="max">Largest logit.</param>
    /// <param name="scale">1 / temperature.</param>
    /// <param name="target">At least 0, less than the whole sum.</param>
    /// <returns>The index; should rounding let the sum end below the target, that of the last value with any weight.</returns>
    public static int FindCumulative(ReadOnlySpan<float> values, float max, float scale, double target)
    {
        double before = 0;
        int last = 0;
        for (int start = 0; start < values.Length; start += SumBlock)
        {
            ReadOnlySpan<float> block = values.Slice(start, Math.Min(SumBlock, values.Length - start));
            double sum = SumExpOfBlock(block, max, scale);
            if (before + sum <= target && start + SumBlock < values.Length)
            {
                before += sum;
                continue;
            }

            for (int i = 0; i < block.Length; i++)
            {
                double weight = Exp(Vector512.Create((block[i] - max) * scale))[0];
                before += weight;
                last = weight > 0 ? start + i : last;
                if (before > target)
                {
                    return start + i;
                }
            }
        }

        return last;
    }

    /// <summary>Appends the index of every value that is at least the threshold.</summary>
    public static void CollectAtLeast(ReadOnlySpan<float> values, float threshold, List<int> indices)
    {
        Vector512<float> limit = Vector512.Create(threshold);
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            ulong mask = Vector512.GreaterThanOrEqual(Vector512.Create(values[i..]), limit).ExtractMostSignificantBits();
            for (; mask != 0; mask &= mask - 1)
            {
                indices.Add(i + System.Numerics.BitOperations.TrailingZeroCount(mask));
            }
        }

        for (; i < values.Length; i++)
        {
            if (values[i] >= threshold)
            {
                indices.Add(i);
            }
        }
    }

    /// <summary>Sets every value to -∞ whose bit is not set, and those beyond the bits.</summary>
    /// <param name="values">Changed in place.</param>
    /// <param name="allowed">Bit k of word w is for value 64 w + k.</param>
    public static void KeepAllowed(Span<float> values, ReadOnlySpan<ulong> allowed)
    {
        Vector512<int> lanes = Vector512.Create(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        Vector512<float> none = Vector512.Create(float.NegativeInfinity);
        int words = Math.Min(allowed.Length, (values.Length + 63) / 64);
        for (int word = 0; word < words; word++)
        {
            ulong bits = allowed[word];
            Span<float> block = values.Slice(word * 64, Math.Min(64, values.Length - (word * 64)));
            if (bits == 0)
            {
                block.Fill(float.NegativeInfinity);
            }
            else if (bits == ulong.MaxValue)
            {
                continue;
            }
            else if (block.Length == 64)
            {
                for (int i = 0; i < 64; i += Lanes, bits >>= Lanes)
                {
                    Vector512<int> set = Vector512.Equals(Vector512.Create((int)(bits & 0xFFFF)) & lanes, lanes);
                    Vector512.ConditionalSelect(set.AsSingle(), Vector512.Create<float>(block[i..]), none).CopyTo(block[i..]);
                }
            }
            else
            {
                for (int i = 0; i < block.Length; i++)
                {
                    block[i] = ((bits >> i) & 1) != 0 ? block[i] : float.NegativeInfinity;
                }
            }
        }

        if (words * 64 < values.Length)
        {
            values[(words * 64)..].Fill(float.NegativeInfinity);
        }
    }

    private static double SumExpOfBlock(ReadOnlySpan<float> values, float max, float scale)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        Vector512<float> maxima = Vector512.Create(max);
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            sum += Exp((Vector512.Create(values[i..]) - maxima) * scale);
        }

        double total = Vector512.Sum(sum);
        for (; i < values.Length; i++)
        {
            total += Exp(Vector512.Create((values[i] - max) * scale))[0];
        }

        return total;
    }
}
