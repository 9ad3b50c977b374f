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
