using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>What a pass found.</summary>
/// <param name="LogProbs">[predictions]: tempered log-probability of the wanted token.</param>
/// <param name="Entropies">[predictions]: of the tempered distribution, in nats.</param>
internal sealed record PassScores(float[] LogProbs, float[] Entropies);

/// <summary>A policy's pass over packed batches: log-probabilities, and the gradients of a loss of them.</summary>
internal abstract class PolicyPass : IDisposable
{
    /// <summary>Whether a policy's derivatives are written out: on a CPU, where all weights are trained. Adapters and GPUs go through autograd.</summary>
    public static bool IsWrittenOut(ModelConfig model, GrpoLora? lora, Device device) => lora is null && DecoderPass.Supports(model, device);

    /// <summary>The pass for a decoder.</summary>
    /// <param name="decoder">With the products' dtype in its projections; the caller owns it.</param>
    /// <param name="recomputes">Keeps layer inputs only.</param>
    /// <param name="autograd">Goes through autograd even where the derivatives could be written out.</param>
    public static PolicyPass Create(Decoder decoder, bool recomputes, bool autograd = false) =>
        !autograd && DecoderPass.Supports(decoder) ? new WrittenPolicyPass(decoder, recomputes) : new AutogradPolicyPass(decoder, recomputes);

    /// <summary>Log-probabilities of the distribution that is sampled from at a temperature.</summary>
    /// <param name="logits">[rows, vocabulary], f32 or f64.</param>
    /// <param name="temperature">Greater than 0.</param>
    public static Tensor TemperedLogProbs(Tensor logits, double temperature) =>
        nn.functional.log_softmax(temperature == 1 ? logits : logits.DivideNumber(temperature), 1);

    /// <summary>Entropies in nats.</summary>
    /// <param name="logProbs">[rows, vocabulary], without gradient.</param>
    /// <returns>[rows].</returns>
    public static Tensor Entropy(Tensor logProbs) => logProbs.exp().mul_(logProbs).sum(1).neg_();

    /// <summary>Log-probabilities and entropies, without gradients.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    public abstract PassScores Score(PackedBatch batch, double temperature);

    /// <summary>Adds the loss's gradients to those of the parameters.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    /// <param name="wholeBatch">Whether the derivative wants all log-probabilities of the batch at once, which may take the head's product twice.</param>
    /// <param name="derivative">The loss.</param>
    public abstract PassScores Accumulate(PackedBatch batch, double temperature, bool wholeBatch, LossDerivative derivative);

    /// <summary>Says that the parameters' values have changed since the last batch.</summary>
    public virtual void WeightsChanged()
    {
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}
