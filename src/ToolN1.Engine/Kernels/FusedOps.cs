using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// What a decoder layer does between its products, each in one pass over the rows instead of half a dozen libtorch calls.
/// Only when serving (inference mode) on a CPU; each method returns null where it does not apply, and the caller then uses
/// libtorch. Arithmetic is float32 with one rounding at the end; a row's result does not depend on the other rows.
/// </summary>
internal static unsafe class FusedOps
{
    private const int Lanes = 16;

    // Fewer elements than this are done before a second thread would have woken.
    private const long ParallelElements = 1 << 16;

    /// <summary>x / √(mean x² + ε), rounded, times weight, over the last dimension.</summary>
    public static Tensor? RmsNorm(Tensor input, Tensor weight, double epsilon)
    {
        long width = input.shape[^1];
        if (!Applies(input, width) || weight.dtype != input.dtype)
        {
            return null;
        }

        Tensor result = empty_like(input);
        byte* x = TensorMemory.Address(input);
        byte* w = TensorMemory.Address(weight);
        byte* y = TensorMemory.Address(result);
        long rows = input.numel() / width;
        int size = input.dtype == ScalarType.Float32 ? Float32Element.Size : BFloat16Element.Size;
        if (size == Float32Element.Size)
        {
            ForRows(rows, width, row => NormRow<Float32Element>(x + (row * width * size), w, y + (row * width * size), width, epsilon));
        }
        else
        {
            ForRows(rows, width, row => NormRow<BFloat16Element>(x + (row * width * size), w, y + (row * width * size), width, epsilon));
        }

        GC.KeepAlive(input);
        return result;
    }

    /// <summary>Rotates pairs (i, i + headDim / 2) of every head.</summary>
    /// <param name="states">[tokens, heads, headDim].</param>
    /// <param name="cosine">[tokens, 1, headDim / 2], same dtype.</param>
    /// <param name="sine">[tokens, 1, headDim / 2], same dtype.</param>
    public static Tensor? Rotate(Tensor states, Tensor cosine, Tensor sine)
    {
        int heads = (int)states.shape[1];
        int half = (int)states.shape[2] / 2;
        if (!Applies(states, half) || cosine.dtype != states.dtype)
        {
            return null;
        }

        Tensor result = empty_like(states);
        byte* x = TensorMemory.Address(states);
        byte* c = TensorMemory.Address(cosine);
        byte* s = TensorMemory.Address(sine);
        byte* y = TensorMemory.Address(result);
        if (states.dtype == ScalarType.Float32)
        {
            ForRows(states.shape[0], 2L * heads * half, token => RotateToken<Float32Element>(x, c, s, y, token, heads, half));
        }
        else
        {
            ForRows(states.shape[0], 2L * heads * half, token => RotateToken<BFloat16Element>(x, c, s, y, token, heads, half));
        }

        GC.KeepAlive(states);
        return result;
    }

    /// <summary>silu(gate) · up.</summary>
    /// <param name="gate">[tokens, width].</param>
    /// <param name="up">[tokens, width], same dtype.</param>
    public static Tensor? SwiGlu(Tensor gate, Tensor up)
    {
        long width = gate.shape[^1];
        if (!Applies(gate, width) || !Applies(up, width))
        {
            return null;
        }

        Tensor result = empty_like(gate);
        byte* g = TensorMemory.Address(gate);
        byte* u = TensorMemory.Address(up);
        byte* y = TensorMemory.Address(result);
        if (gate.dtype == ScalarType.Float32)
        {
            ForRows(gate.shape[0], width, row => GateRow<Float32Element>(g, u, y, row * width * Float32Element.Size, width));
        }
        else
        {
            ForRows(gate.shape[0], width, row => GateRow<BFloat16Element>(g, u, y, row * width * BFloat16Element.Size, width));
        }

        GC.KeepAlive(gate);
        GC.KeepAlive(up);
        return result;
    }

    private static bool Applies(Tensor tensor, long width) =>
        is_inference_mode_enabled() && width % Lanes == 0 && tensor.device_type == TorchSharp.DeviceType.CPU
        && tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16 && tensor.is_contiguous();

    private static void ForRows(long rows, long width, Action<long> body)
    {
        if (rows == 1 || rows * width < ParallelElements)
        {
            for (long row = 0; row < rows; row++)
            {
                body(row);
            }
        }
        else
        {
            Parallel.For(0, rows, body);
        }
    }

    private static void NormRow<T>(byte* x, byte* weight, byte* y, long width, double epsilon)
        where T : struct, IElement
    {
        Vector512<float> squares = Vector512<float>.Zero;
        for (long i = 0; i < width; i += Lanes)
        {
            Vector512<float> value = T.Load(x + (i * T.Size));
            squares = Vector512.FusedMultiplyAdd(value, value, squares);
        }

        Vector512<float> scale = Vector512.Create((float)(1 / Math.Sqrt((Vector512.Sum(squares) / width) + epsilon)));
        for (long i = 0; i < width; i += Lanes)
        {
            // Rounded to the dtype before the weight, as transformers does.
            T.Store(T.Load(x + (i * T.Size)) * scale, y + (i * T.Size));
            T.Store(T.Load(y + (i * T.Size)) * T.Load(weight + (i * T.Size)), y + (i * T.Size));
        }
    }

    private static void RotateToken<T>(byte* x, byte* cosine, byte* sine, byte* y, long token, int heads, int half)
        where T : struct, IElement
    {
        byte* c = cosine + (token * half * T.Size);
        byte* s = sine + (token * half * T.Size);
        for (int head = 0; head < heads; head++)
        {
            long offset = ((token * heads) + head) * 2 * half * T.Size;
            for (int i = 0; i < half; i += Lanes)
            {
                long first = offset + ((long)i * T.Size);
                long second = first + ((long)half * T.Size);
                Vector512<float> a = T.Load(x + first);
                Vector512<float> b = T.Load(x + second);
                Vector512<float> cos = T.Load(c + ((long)i * T.Size));
                Vector512<float> sin = T.Load(s + ((long)i * T.Size));
                T.Store((a * cos) - (b * sin), y + first);
                T.Store((b * cos) + (a * sin), y + second);
            }
        }
    }

    private static void GateRow<T>(byte* gate, byte* up, byte* y, long offset, long width)
        where T : struct, IElement
    {
        for (long i = offset; i < offset + (width * T.Size); i += Lanes * T.Size)
        {
            Vector512<float> value = T.Load(gate + i);
            T.Store(VectorMath.Silu(value) * T.Load(up + i), y + i);
        }
    }
}
