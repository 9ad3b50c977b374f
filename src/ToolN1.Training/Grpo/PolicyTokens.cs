using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>What the loss knows of response tokens beside the policy's own log-probabilities. All [tokens], one dtype; no gradients.</summary>
/// <param name="Advantages">Of the token's response.</param>
/// <param name="Weights">In the mini-batch's sum (see <see cref="TokenWeights"/>).</param>
/// <param name="Old">Log-probabilities under the policy before the rollout's first update; null: the present ones are the old ones.</param>
/// <param name="Reference">Under the frozen initial policy; null where no KL is wanted.</param>
/// <param name="Sampled">As the sampling engine gave them, tempered.</param>
/// <param name="Responses">int64: index of the token's response, rising from 0.</param>
internal sealed record PolicyTokens(Tensor Advantages, Tensor Weights, Tensor? Old, Tensor? Reference, Tensor Sampled, Tensor Responses)
{
    /// <summary>Some neighbouring tokens, in the current dispose scope. Responses are then incomplete.</summary>
    public PolicyTokens Slice(long start, long count) => new(
        Advantages.narrow(0, start, count), Weights.narrow(0, start, count), Old?.narrow(0, start, count),
        Reference?.narrow(0, start, count), Sampled.narrow(0, start, count), Responses.narrow(0, start, count));
}

/// <summary>The loss of some tokens and what it was made of, all in the dispose scope of the call.</summary>
/// <param name="Loss">Weighted sum over the tokens, with gradient.</param>
/// <param name="Surrogate">[tokens]: policy-gradient loss before weights.</param>
/// <param name="Ratio">[tokens]: π / π_old, of token or sequence.</param>
/// <param name="Kl">[tokens]: clamped low-variance KL to the reference; null without one.</param>
/// <param name="Importance">[tokens]: truncated importance weights; null when off.</param>
internal sealed record PolicyLossTerms(Tensor Loss, Tensor Surrogate, Tensor Ratio, Tensor? Kl, Tensor? Importance);
