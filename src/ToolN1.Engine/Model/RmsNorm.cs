using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// x / √(mean x² + ε) · weight over the last dimension, in f32, rounded to the input's dtype before the weight as transformers
/// does; where a GPU serves, only after it.
/// </summary>
public sealed class RmsNorm : IDisposable
{
    /// <summary>Takes ownership of the weight.</summary>
    /// <param name="weight">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public RmsNorm(Tensor weight, double epsilon)
    {
        Weight = weight;
        Epsilon = epsilon;
    }

    /// <summary>[width].</summary>
    public Tensor Weight { get; }

    /// <summary>Added to the mean square.</summary>
    public double Epsilon { get; }

    /// <summary>Normalises the last dimension.</summary>
    /// <param name="input">[…, width].</param>
    /// <returns>Same shape and dtype, in the current dispose scope.</returns>
    public Tensor Forward(Tensor input)
    {
        if (FusedOps.RmsNorm(input, Weight, Epsilon) is Tensor fused)
        {
            return fused;
        }

        if (GpuOps.Applies(input) && Weight.dtype == input.dtype)
        {
            return GpuOps.RmsNorm(input, Weight, Epsilon);
        }

        Tensor wide = input.to_type(ScalarType.Float32);
        Tensor scale = wide.square().mean([-1], keepdim: true).AddNumber_(Epsilon).rsqrt_();
        return (wide * scale).to_type(input.dtype).mul(Weight);
    }

    /// <inheritdoc/>
    public void Dispose() => Weight.Dispose();
}
