using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ToolN1.Engine.Kernels;

/// <summary>What this CPU can do, beyond what .NET tells too.</summary>
internal static partial class CpuFeatures
{
    private const long ArchPrctl = 158;
    private const int RequestPermission = 0x1023;
    private const int TileData = 18;

    // CPUID leaf 7, EDX: AMX-BF16 and AMX-TILE.
    private const int TileBits = (1 << 22) | (1 << 24);

    /// <summary>AMX with bf16, of which .NET knows nothing either, where the system lends this process the tiles' eight kilobytes a thread.</summary>
    public static bool HasTiles { get; } =
        HasBFloat16Instructions && (X86Base.CpuId(7, 0).Edx & TileBits) == TileBits && OperatingSystem.IsLinux() && SystemCall(ArchPrctl, RequestPermission, TileData) == 0;

    /// <summary>AVX512-BF16, of which .NET knows nothing: products of bf16 at twice the rate of float32.</summary>
    public static bool HasBFloat16Instructions =>
        Vector512.IsHardwareAccelerated && X86Base.IsSupported && X86Base.CpuId(7, 0).Eax >= 1 && ((X86Base.CpuId(7, 1).Eax >> 5) & 1) == 1;

    /// <summary>
    /// 512-bit vectors: our float32 products are then as fast as libtorch's, and independent of the batch.
    /// </summary>
    public static bool HasWideVectors => Vector512.IsHardwareAccelerated;

    /// <summary>Fused multiply-adds, with which our bf16 products are faster than libtorch where it has to emulate them.</summary>
    public static bool HasFusedMultiplyAdd => Vector256.IsHardwareAccelerated && Fma.IsSupported;

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, long first, long second);
}
