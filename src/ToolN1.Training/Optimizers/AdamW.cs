using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Training.Optimizers;

/// <summary>Adam with decoupled weight decay.</summary>
/// <remarks>Loshchilov and Hutter, arXiv:1711.05101; update order and ε placement as in PyTorch's AdamW.</remarks>
public sealed class AdamW : IOptimizer
{
    private readonly IReadOnlyList<(string Name, Tensor Parameter)> _parameters;
    private readonly Tensor[] _first;
    private readonly Tensor[] _second;

    /// <summary>Prepares moments of zeros, in the parameters' dtype (masters are f32).</summary>
    /// <param name="parameters">Leaves; the caller owns them.</param>
    /// <param name="learningRate">Before the schedule.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    /// <param name="weightDecay">Applied to parameters of two dimensions or more; norms and biases do not decay.</param>
    public AdamW(
        IReadOnlyList<(string Name, Tensor Parameter)> parameters,
        double learningRate,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0.01)
    {
        _parameters = parameters;
        LearningRate = learningRate;
        Beta1 = beta1;
        Beta2 = beta2;
        Epsilon = epsilon;
        WeightDecay = weightDecay;
        using IDisposable noGrad = no_grad();
        _first = [.. parameters.Select(item => zeros_like(item.Parameter).DetachFromDisposeScope())];
        _second = [.. parameters.Select(item => zeros_like(item.Parameter).DetachFromDisposeScope())];
    }

    /// <summary>Before the schedule.</summary>
    public double LearningRate { get; }

    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; }

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; }

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; }

    /// <summary>Decoupled decay.</summary>
    public double WeightDecay { get; }

    /// <inheritdoc/>
    public long Updates { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Tensor)> State =>
    [
        .. _parameters.Select((item, i) => ("adam.first." + item.Name, _first[i])),
        .. _parameters.Select((item, i) => ("adam.second." + item.Name, _second[i])),
    ];

    /// <inheritdoc/>
    public void Step(double scheduleFactor)
    {
        Updates++;
        double rate = LearningRate * scheduleFactor;
        double correction1 = 1 - Math.Pow(Beta1, Updates);
        double correction2 = Math.Sqrt(1 - Math.Pow(Beta2, Updates));
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < _parameters.Count; i++)
        {
            using IDisposable scope = NewDisposeScope();
            Tensor parameter = _parameters[i].Parameter;
            if (parameter.grad is not Tensor gradient)
            {
                continue;
            }

            if (WeightDecay != 0 && parameter.dim() >= 2)
            {
                parameter.MultiplyNumber_(1 - (rate * WeightDecay));
            }

            _first[i].MultiplyNumber_(Beta1).AddTensor_(gradient, 1 - Beta1);
            _second[i].MultiplyNumber_(Beta2).AddProduct_(gradient, gradient, 1 - Beta2);
            Tensor denominator = _second[i].sqrt().DivideNumber_(correction2).AddNumber_(Epsilon);
            parameter.AddQuotient_(_first[i], denominator, -rate / correction1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _first.Concat(_second))
        {
            tensor.Dispose();
        }
    }
}
