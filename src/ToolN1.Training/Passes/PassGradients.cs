using ToolN1.Engine.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// Where a pass adds gradients: to the parameters' own, or, so that several passes can run at once, to sums of its own that
/// <see cref="MoveToParameters"/> adds to them later.
/// </summary>
/// <param name="isApart">Whether these are sums of their own.</param>
internal sealed class PassGradients(bool isApart) : IDisposable
{
    private readonly Dictionary<Tensor, Tensor> _sums = new(ReferenceEqualityComparer.Instance);

    /// <summary>The parameters' own gradients.</summary>
    public static PassGradients OfParameters { get; } = new(isApart: false);

    /// <summary>A parameter's gradient, zero at first.</summary>
    public Tensor Of(Tensor parameter)
    {
        if (!isApart)
        {
            return parameter.grad ??= zeros_like(parameter).DetachFromDisposeScope();
        }

        if (!_sums.TryGetValue(parameter, out Tensor? sum))
        {
            sum = zeros_like(parameter).DetachFromDisposeScope();
            _sums.Add(parameter, sum);
        }

        return sum;
    }

    /// <summary>Adds outerᵀ · input to the gradients of parameters that lie one below the other in the product.</summary>
    public void AddProducts(Tensor outer, Tensor input, params ReadOnlySpan<Tensor> parameters)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor product = mm(outer.t(), input);
        long start = 0;
        foreach (Tensor parameter in parameters)
        {
            Of(parameter).AddTensor_(product.narrow(0, start, parameter.shape[0]));
            start += parameter.shape[0];
        }
    }

    /// <summary>Adds these sums to the parameters' gradients and starts again from zero.</summary>
    public void MoveToParameters()
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        foreach ((Tensor parameter, Tensor sum) in _sums)
        {
            OfParameters.Of(parameter).AddTensor_(sum);
            sum.zero_();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor sum in _sums.Values)
        {
            sum.Dispose();
        }
    }
}
