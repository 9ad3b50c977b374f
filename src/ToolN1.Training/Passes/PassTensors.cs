using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>Addresses of tensors.</summary>
internal static unsafe class PassTensors
{
    /// <summary>The first element of a contiguous f32 tensor.</summary>
    public static float* Floats(Tensor tensor) => (float*)TensorMemory.Address(tensor);

    /// <summary>The first byte of a contiguous tensor.</summary>
    public static byte* Bytes(Tensor tensor) => TensorMemory.Address(tensor);
}
