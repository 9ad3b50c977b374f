using static TorchSharp.torch;

namespace ToolN1.Training.Optimizers;

/// <summary>Updates parameters in place from their gradients. Owns its state, not the parameters.</summary>
public interface IOptimizer : IDisposable
{
    /// <summary>One update from the parameters' present gradients; a parameter without one is left alone.</summary>
    /// <param name="scheduleFactor">Multiplies the optimizer's own learning rate.</param>
    void Step(double scheduleFactor);

    /// <summary>Everything that the next update depends on beside parameters and gradients, by name; for checkpoints to save and fill.</summary>
    IReadOnlyList<(string Name, Tensor Tensor)> State { get; }

    /// <summary>Updates made so far; restored with the state.</summary>
    long Updates { get; set; }
}
