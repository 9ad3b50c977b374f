using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ToolN1.Engine.Kernels;

/// <summary>How sixteen elements of a tensor's dtype become float32 in registers and back.</summary>
internal unsafe interface IElement
{
    /// <summary>Bytes of one element.</summary>
    static abstract int Size { get; }

    /// <summary>Reads sixteen elements.</summary>
    static abstract Vector512<float> Load(byte* source);

    /// <summary>The nearest values that sixteen elements can hold, ties to even.</summary>
    static abstract Vector512<float> Round(Vector512<float> values);

    /// <summary>Writes sixteen elements, rounding to nearest even.</summary>
    static abstract void Store(Vector512<float> values, byte* target);
}

/// <summary>Float32 as it is.</summary>
internal readonly unsafe struct Float32Element : IElement
{
    /// <inheritdoc/>
    public static int Size => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Vector512.Load((float*)source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values) => values;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* target) => values.Store((float*)target);
}

/// <summary>bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Element : IElement
{
    /// <inheritdoc/>
    public static int Size => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Widen(Vector256.Load((ushort*)source));

    /// <summary>Sixteen bf16 values as float32; exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> values)
    {
        if (Avx512F.IsSupported)
        {
            return (Avx512F.ConvertToVector512Int32(values) << 16).AsSingle();
        }

        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(values);
        return Vector512.Create((lower << 16).AsSingle(), (upper << 16).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values) => (UpperHalf(values) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* target)
    {
        Vector512<uint> rounded = UpperHalf(values);
        Vector256<ushort> narrow = Avx512F.IsSupported
            ? Avx512F.ConvertToVector256UInt16(rounded)
            : Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        narrow.Store((ushort*)target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> UpperHalf(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        return (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
    }
}
