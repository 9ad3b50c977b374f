using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>How much memory a device has.</summary>
/// <remarks>libtorch's binding has no call for it. NVIDIA's driver has: it counts GPUs as libtorch does (<c>CUDA_VISIBLE_DEVICES</c> included), and a slice of one as what the slice has.</remarks>
public static unsafe class DeviceMemory
{
    /// <summary>All memory of a device, whoever uses it.</summary>
    /// <param name="device">A CPU: what of the machine's memory this process may have. A GPU, which this build of libtorch need not be able to use.</param>
    /// <returns>Bytes; null for a GPU that is not here, or whose driver does not tell.</returns>
    public static long? TotalBytes(Device device) => device.type == DeviceType.CUDA ? OfGpu(Math.Max(0, device.index)) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static long? OfGpu(int index)
    {
        // The driver's library stays loaded, as libtorch would have it.
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so.1", out nint driver)
            || !NativeLibrary.TryGetExport(driver, "cuInit", out nint initialize)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceGet", out nint find)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceTotalMem_v2", out nint total))
        {
            return null;
        }

        int gpu;
        nuint bytes;
        return ((delegate* unmanaged<uint, int>)initialize)(0) == 0
            && ((delegate* unmanaged<int*, int, int>)find)(&gpu, index) == 0
            && ((delegate* unmanaged<nuint*, int, int>)total)(&bytes, gpu) == 0
                ? (long)bytes : null;
    }
}
