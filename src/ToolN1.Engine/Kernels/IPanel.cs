using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ToolN1.Engine.Kernels;

/// <summary>How the weights of 32 outputs for one input lie side by side, and become two vectors of float32.</summary>
internal unsafe interface IPanel
{
    /// <summary>Bytes of one weight.</summary>
    static abstract int Size { get; }

    /// <summary>Place of an output (0 to 31) within the line, in weights.</summary>
    static abstract int PlaceOf(int output);

    /// <summary>Reads a line: outputs 0 to 15, and 16 to 31.</summary>
    static abstract void Load(byte* line, out Vector512<float> low, out Vector512<float> high);
}

/// <summary>bf16 in one cache line: output i and output i + 16 are the two halves of 32-bit lane i, so that a shift and a mask widen them.</summary>
internal readonly unsafe struct BFloat16Panel : IPanel
{
    /// <inheritdoc/>
    public static int Size => 2;

    /// <inheritdoc/>
    public static int PlaceOf(int output) => output < 16 ? 2 * output : (2 * (output - 16)) + 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* line, out Vector512<float> low, out Vector512<float> high)
    {
        Vector512<uint> pairs = Vector512.Load((uint*)line);
        low = (pairs << 16).AsSingle();
        high = (pairs & Vector512.Create(0xFFFF0000u)).AsSingle();
    }
}

/// <summary>Float32 in order.</summary>
internal readonly unsafe struct Float32Panel : IPanel
{
    /// <inheritdoc/>
    public static int Size => 4;

    /// <inheritdoc/>
    public static int PlaceOf(int output) => output;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* line, out Vector512<float> low, out Vector512<float> high)
    {
        low = Vector512.Load((float*)line);
        high = Vector512.Load((float*)line + 16);
    }
}
