using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training;

/// <summary>Dtype of a trainer's matrix products.</summary>
internal static class ComputeDType
{
    /// <summary>Resolves an option.</summary>
    /// <param name="name"><c>float32</c>, <c>bfloat16</c>, or <c>auto</c>: bf16 on a GPU and where the CPU multiplies it faster than f32.</param>
    /// <param name="device">Where the products run.</param>
    public static ScalarType Select(string name, Device device) => name switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        _ => device.type == DeviceType.CUDA || CpuIsFasterInBFloat16() ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>
    /// Whether a CPU multiplies matrices faster in bf16 than in f32. By its make and not by a race at the start: a run that goes on after a restart must choose the same.
    /// Without the instructions libtorch emulates bf16. Intel's cores do as many multiplications a cycle by AVX512_BF16 as in f32, less the conversions, so that only AMX pays there; AMD's do twice as many (docs/performance.md).
    /// </summary>
    internal static bool IsFasterInBFloat16(bool isIntel, bool hasAvx512BFloat16, bool hasAmxBFloat16) => hasAmxBFloat16 || (hasAvx512BFloat16 && !isIntel);

    private static bool CpuIsFasterInBFloat16()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !X86Base.IsSupported)
        {
            return false;
        }

        // CPUID leaf 0: the maker's name in EBX, EDX, ECX ("Genu" "ineI" "ntel") and the highest leaf; leaf 7: EDX bit 22 of subleaf 0 is AMX_BF16, EAX bit 5 of subleaf 1 AVX512_BF16.
        (int highest, int maker, _, _) = X86Base.CpuId(0, 0);
        if (highest < 7)
        {
            return false;
        }

        (int subleaves, _, _, int features) = X86Base.CpuId(7, 0);
        return IsFasterInBFloat16(
            isIntel: maker == 0x756E6547,
            hasAvx512BFloat16: subleaves >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0,
            hasAmxBFloat16: (features & (1 << 22)) != 0);
    }
}
