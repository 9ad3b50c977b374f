using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>Raw addresses of CPU tensors for our own kernels.</summary>
internal static unsafe partial class TensorMemory
{
    /// <summary>Address of a tensor's first element; valid while the tensor lives.</summary>
    /// <param name="tensor">Contiguous, on the CPU.</param>
    public static byte* Address(Tensor tensor)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU || !tensor.is_contiguous())
        {
            throw new ArgumentException("The tensor is not contiguous in CPU memory.", nameof(tensor));
        }

        byte* address = (byte*)Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return address;
    }

    // TorchSharp itself offers spans only, whose lengths end at 2 GiB.
    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
