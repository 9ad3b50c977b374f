using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Training.Optimizers;

/// <summary>Clipping by the global norm.</summary>
public static class GradientClipping
{
    /// <summary>Scales all gradients by max / norm where their common L2 norm exceeds the maximum.</summary>
    /// <param name="parameters">Parameters; those without gradient are skipped.</param>
    /// <param name="maximum">Greatest norm allowed, or null to measure only.</param>
    /// <returns>The norm before clipping; NaN or infinity when a gradient is not finite, and then nothing is scaled.</returns>
    public static double Clip(IEnumerable<Tensor> parameters, double? maximum)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor[] gradients = [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
        if (gradients.Length == 0)
        {
            return 0;
        }

        double norm = Math.Sqrt(stack(gradients.Select(SquareSum)).to_type(ScalarType.Float64).sum().item<double>());
        if (maximum is double limit && double.IsFinite(norm) && norm > limit)
        {
            foreach (Tensor gradient in gradients)
            {
                gradient.MultiplyNumber_(limit / norm);
            }
        }

        return norm;
    }

    /// <summary>The squares of one gradient at a time: all at once would take as much as the gradients.</summary>
    private static Tensor SquareSum(Tensor gradient)
    {
        using Tensor squares = gradient.square();
        return squares.sum();
    }
}
