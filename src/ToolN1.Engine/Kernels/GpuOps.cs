using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// libtorch's own fused operators that TorchSharp has no binding for. On a GPU the launches of a layer's many small steps cost
/// more than their work; each method here is one launch.
/// </summary>
internal static class GpuOps
{
    // Compiled once a process and never changed.
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile(
        """
        def rms_norm(x: Tensor, weight: Tensor, epsilon: float):
            return torch.rms_norm(x, weight.size(), weight, epsilon)

        """));

    /// <summary>Whether a tensor is on a GPU and being served.</summary>
    public static bool Applies(Tensor tensor) => tensor.device_type == TorchSharp.DeviceType.CUDA && is_inference_mode_enabled();

    /// <summary>x / √(mean x² + ε) · weight over the last dimension, in f32 with one rounding at the end.</summary>
    /// <param name="input">[…, width].</param>
    /// <param name="weight">[width], same dtype.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <returns>Same shape and dtype, in the current dispose scope.</returns>
    public static Tensor RmsNorm(Tensor input, Tensor weight, double epsilon)
    {
        // Held until the call is over, for the reason that NumberOps gives.
        using TorchSharp.Scalar number = epsilon;
        return Script.Value.invoke<Tensor>("rms_norm", input, weight, number);
    }
}
