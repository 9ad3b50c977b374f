using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

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

    /// <summary>
    /// Whether <see cref="PackedLinear"/> serves this dtype here: f32 with 512-bit vectors, as fast as libtorch and
    /// independent of the batch; bf16 where libtorch would emulate it.
    /// </summary>
    public static bool PrefersPacked(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 => Vector512.IsHardwareAccelerated,
        ScalarType.BFloat16 => Vector256.IsHardwareAccelerated && Fma.IsSupported && !HasBFloat16Products,
        _ => false,
    };
}
