using ToolN1.Engine.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>What the parts of a pass share: addresses of tensors, and gradients of parameters.</summary>
internal static unsafe class PassTensors
{
    /// <summary>The first element of a contiguous f32 tensor.</summary>
    public static float* Floats(Tensor tensor) => (float*)TensorMemory.Address(tensor);

    /// <summary>The first byte of a contiguous tensor.</summary>
    public static byte* Bytes(Tensor tensor) => TensorMemory.Address(tensor);

    /// <summary>A parameter's gradient, zero at first.</summary>
    public static Tensor Gradient(Tensor parameter) => parameter.grad ??= zeros_like(parameter).DetachFromDisposeScope();

    /// <summary>Adds outerᵀ · input to the gradients of parameters that lie one below the other in the product.</summary>
    public static void AddProducts(Tensor outer, Tensor input, params ReadOnlySpan<Tensor> parameters)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor product = mm(outer.t(), input);
        long start = 0;
        foreach (Tensor parameter in parameters)
        {
            Gradient(parameter).AddTensor_(product.narrow(0, start, parameter.shape[0]));
            start += parameter.shape[0];
        }
    }
}
