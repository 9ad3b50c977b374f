using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Training.Optimizers;

/// <summary>
/// Momentum whose update is orthogonalised: each hidden matrix moves by a matrix with all singular values near one. For
/// the two-dimensional weights of hidden layers; embeddings, heads, norms and biases belong to <see cref="AdamW"/>.
/// </summary>
/// <remarks>
/// Keller Jordan's Muon (kellerjordan.github.io/posts/muon): Nesterov momentum, five Newton-Schulz steps with the
/// quintic's coefficients, update scaled by √max(1, rows / columns). Matrices of one shape are orthogonalised together.
/// </remarks>
public sealed class Muon : IOptimizer
{
    private const int NewtonSchulzSteps = 5;

    private readonly IReadOnlyList<(string Name, Tensor Parameter)> _parameters;
    private readonly Tensor[] _momenta;
    private readonly int[][] _batches;
    private readonly ScalarType _compute;

    /// <summary>Prepares momenta of zeros.</summary>
    /// <param name="parameters">Matrices; the caller owns them.</param>
    /// <param name="learningRate">Before the schedule.</param>
    /// <param name="momentum">Decay of the momentum.</param>
    /// <param name="weightDecay">Decoupled decay.</param>
    /// <param name="compute">Dtype of the orthogonalisation's products. bfloat16, as in the reference, moves singular values by some percent.</param>
    public Muon(IReadOnlyList<(string Name, Tensor Parameter)> parameters, double learningRate, double momentum = 0.95, double weightDecay = 0, ScalarType compute = ScalarType.Float32)
    {
        if (parameters.Any(item => item.Parameter.dim() != 2))
        {
            throw new ArgumentException("Muon takes matrices only.", nameof(parameters));
        }

        _parameters = parameters;
        LearningRate = learningRate;
        Momentum = momentum;
        WeightDecay = weightDecay;
        _compute = compute;
        using IDisposable noGrad = no_grad();
        _momenta = [.. parameters.Select(item => zeros_like(item.Parameter).DetachFromDisposeScope())];
        _batches = [.. Enumerable.Range(0, parameters.Count)
            .GroupBy(i => (Math.Min(Rows(i), Columns(i)), Math.Max(Rows(i), Columns(i))))
            .Select(group => group.ToArray())];
    }

    /// <summary>Before the schedule.</summary>
    public double LearningRate { get; }

    /// <summary>Decay of the momentum.</summary>
    public double Momentum { get; }

    /// <summary>Decoupled decay.</summary>
    public double WeightDecay { get; }

    /// <inheritdoc/>
    public long Updates { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Tensor)> State =>
        [.. _parameters.Select((item, i) => ("muon.momentum." + item.Name, _momenta[i]))];

    /// <summary>The nearest (semi-)orthogonal matrices, roughly: singular values between about 0.7 and 1.2.</summary>
    /// <param name="matrices">[n, rows, columns] with rows ≤ columns.</param>
    /// <param name="compute">Dtype of the products.</param>
    /// <returns>[n, rows, columns] in that dtype, in the current dispose scope.</returns>
    public static Tensor Orthogonalize(Tensor matrices, ScalarType compute = ScalarType.Float32)
    {
        Tensor x = (matrices / matrices.square().sum([1, 2], keepdim: true).sqrt_().AddNumber_(1e-7)).to_type(compute);
        for (int step = 0; step < NewtonSchulzSteps; step++)
        {
            using Tensor gram = bmm(x, x.transpose(1, 2));

            // TorchSharp's a.baddbmm(b, c) is β·c + α·a·b, unlike PyTorch's, where the receiver is what is added.
            using Tensor polynomial = gram.baddbmm(gram, gram, beta: -4.7750f, alpha: 2.0315f);
            Tensor next = polynomial.baddbmm(x, x, beta: 3.4445f, alpha: 1);
            x.Dispose();
            x = next;
        }

        return x;
    }

    /// <inheritdoc/>
    public void Step(double scheduleFactor)
    {
        Updates++;
        double rate = LearningRate * scheduleFactor;
        using IDisposable noGrad = no_grad();
        foreach (int[] batch in _batches)
        {
            using IDisposable scope = NewDisposeScope();
            int[] moving = [.. batch.Where(i => _parameters[i].Parameter.grad is not null)];
            if (moving.Length == 0)
            {
                continue;
            }

            Tensor updates = Orthogonalize(stack(moving.Select(Nesterov), 0), _compute);
            for (int position = 0; position < moving.Length; position++)
            {
                int i = moving[position];
                Tensor parameter = _parameters[i].Parameter;
                if (WeightDecay != 0)
                {
                    parameter.MultiplyNumber_(1 - (rate * WeightDecay));
                }

                double scale = Math.Sqrt(Math.Max(1, (double)Rows(i) / Columns(i)));
                Tensor update = updates[position];
                parameter.AddTensor_(Rows(i) > Columns(i) ? update.t() : update, -rate * scale);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _momenta)
        {
            tensor.Dispose();
        }
    }

    private Tensor Nesterov(int i)
    {
        Tensor gradient = _parameters[i].Parameter.grad!;
        _momenta[i].MultiplyNumber_(Momentum).AddTensor_(gradient);
        Tensor direction = gradient.AddTensor(_momenta[i], Momentum);
        return Rows(i) > Columns(i) ? direction.t() : direction;
    }

    private long Rows(int i) => _parameters[i].Parameter.shape[0];

    private long Columns(int i) => _parameters[i].Parameter.shape[1];
}
