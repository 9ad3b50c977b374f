using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>y = x · weightᵀ + bias. Owns its tensors. Adapters and native kernels derive from it or stand in for it.</summary>
public class Linear : IDisposable
{
    private bool _disposed;

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="weight">[outFeatures, inFeatures].</param>
    /// <param name="bias">[outFeatures], or null.</param>
    public Linear(Tensor weight, Tensor? bias)
    {
        Weight = weight;
        Bias = bias;
    }

    /// <summary>[outFeatures, inFeatures].</summary>
    public Tensor Weight { get; }

    /// <summary>[outFeatures], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>
    /// When set, the product runs in this dtype and its result returns to the input's dtype: bf16 products over f32
    /// masters in training. Null multiplies in the weight's own dtype.
    /// </summary>
    public ScalarType? ComputeDType { get; set; }

    /// <summary>The product.</summary>
    /// <param name="input">[tokens, inFeatures].</param>
    /// <returns>[tokens, outFeatures] in the input's dtype, in the current dispose scope.</returns>
    public virtual Tensor Forward(Tensor input)
    {
        if (ComputeDType is not ScalarType dtype || dtype == input.dtype)
        {
            return nn.functional.linear(input, Weight, Bias);
        }

        return nn.functional.linear(input.to_type(dtype), Weight.to_type(dtype), Bias?.to_type(dtype)).to_type(input.dtype);
    }

    /// <summary>This product and those of other projections with the same input, which may share the work.</summary>
    /// <param name="input">[tokens, inFeatures].</param>
    /// <param name="others">Projections of as many inputs.</param>
    /// <returns>Results as from <see cref="Forward"/>, this one's first.</returns>
    public virtual Tensor[] ForwardWith(Tensor input, params Linear[] others) =>
        [Forward(input), .. others.Select(other => other.Forward(input))];

    /// <summary>silu of this product times another projection's of the same input: the gated half of a SwiGLU.</summary>
    /// <param name="input">[tokens, inFeatures].</param>
    /// <param name="up">A projection of the same shape.</param>
    /// <returns>[tokens, outFeatures] in the input's dtype, in the current dispose scope.</returns>
    public virtual Tensor ForwardGated(Tensor input, Linear up)
    {
        Tensor[] products = ForwardWith(input, up);
        return FusedOps.SwiGlu(products[0], products[1]) ?? nn.functional.silu(products[0]) * products[1];
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the tensors.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            Weight.Dispose();
            Bias?.Dispose();
            _disposed = true;
        }
    }
}
