using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ToolN1.Engine.Kernels;

/// <summary>What this CPU can do beyond what .NET tells.</summary>
internal static class CpuFeatures
{
    /// <summary>
    /// AVX512-BF16: libtorch then multiplies bf16 matrices several times faster than any float32 arithmetic could. Without
    /// it libtorch emulates, and our own kernel is faster.
    /// </summary>
    public static bool HasBFloat16Products
    {
        get
        {
            if (!X86Base.IsSupported || X86Base.CpuId(7, 0).Eax < 1)
            {
                return false;
            }

            return ((X86Base.CpuId(7, 1).Eax >> 5) & 1) == 1;
        }
    }

    /// <summary>Whether <see cref="PackedLinear"/> beats libtorch's bf16 product here.</summary>
    public static bool PrefersPackedBFloat16 => Vector256.IsHardwareAccelerated && Fma.IsSupported && !HasBFloat16Products;
}
