using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training;

/// <summary>Dtype of a trainer's matrix products.</summary>
internal static class ComputeDType
{
    /// <summary>Resolves an option.</summary>
    /// <param name="name"><c>float32</c>, <c>bfloat16</c>, or <c>auto</c>: bf16 on a GPU and where the CPU multiplies it natively, since libtorch otherwise emulates it and is slower than in f32.</param>
    /// <param name="device">Where the products run.</param>
    public static ScalarType Select(string name, Device device) => name switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        _ => device.type == DeviceType.CUDA || HasBFloat16Products() ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    private static bool HasBFloat16Products()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !X86Base.IsSupported)
        {
            return false;
        }

        // CPUID leaf 7, subleaf 1: EAX bit 5 is AVX512_BF16.
        return X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
    }
}
