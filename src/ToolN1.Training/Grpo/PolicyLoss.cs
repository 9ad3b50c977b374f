using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>The clipped surrogate with a KL term, as a function of response tokens' log-probabilities.</summary>
/// <remarks>
/// PPO, arXiv:1707.06347, eq. 7, with DeepSeekMath's KL estimator, arXiv:2402.03300, eq. 4; dual clip arXiv:1912.09729; GSPO
/// arXiv:2507.18071, eq. 5–7; CISPO arXiv:2506.13585, eq. 4–5. Log-ratios are clamped to ±20 and the KL to ±10, as newer
/// verl does, with no gradient beyond. The Tool-N1 paper's eq. 3 takes the KL to the old policy and one ratio a response;
/// its code, which is what was trained, takes the frozen initial policy and one ratio a token, and so do we.
/// </remarks>
internal sealed class PolicyLoss(PolicyLossOptions options)
{
    private const double LargestLogRatio = 20;
    private const double LargestKl = 10;

    /// <summary>Whether a token's loss depends on the other tokens of its response.</summary>
    public bool NeedsWholeResponses => options.Ratio == RatioLevel.Sequence || options.Importance == ImportanceLevel.Sequence;

    /// <summary>Low-variance KL estimate e^d − d − 1 with d = reference − policy, clamped to ±10.</summary>
    /// <param name="logProbs">[tokens], with gradient.</param>
    /// <param name="reference">[tokens].</param>
    public static Tensor LowVarianceKl(Tensor logProbs, Tensor reference)
    {
        Tensor difference = (reference - logProbs).Between(-LargestLogRatio, LargestLogRatio);
        return (difference.exp() - difference).AddNumber(-1).Between(-LargestKl, LargestKl);
    }

    /// <summary>Truncated weights π_old / π_sampled.</summary>
    /// <param name="old">[tokens]: the trainer's log-probabilities before the update.</param>
    /// <param name="tokens">The tokens; whole responses for sequence weights.</param>
    /// <returns>[tokens], or null when off.</returns>
    public Tensor? ImportanceWeights(Tensor old, PolicyTokens tokens)
    {
        if (options.Importance == ImportanceLevel.Off)
        {
            return null;
        }

        Tensor gap = old - tokens.Sampled;
        Tensor logWeights = options.Importance == ImportanceLevel.Token ? gap : ByResponse(gap, tokens.Responses).Sum;
        return logWeights.Between(-LargestLogRatio, LargestLogRatio).exp().AtMost(options.ImportanceCap);
    }

    /// <summary>The loss of some tokens.</summary>
    /// <param name="logProbs">[tokens]: the policy's, with gradient.</param>
    /// <param name="tokens">All else; whole responses where <see cref="NeedsWholeResponses"/>.</param>
    /// <param name="klCoefficient">β; may change during a run.</param>
    public PolicyLossTerms Compute(Tensor logProbs, PolicyTokens tokens, double klCoefficient)
    {
        // 1. Ratios to the old policy.
        Tensor old = tokens.Old ?? logProbs.detach();
        Tensor logRatio = logProbs - old;
        if (options.Ratio == RatioLevel.Sequence)
        {
            (Tensor sum, Tensor count) = ByResponse(logRatio, tokens.Responses);
            logRatio = sum / count;
        }

        Tensor ratio = logRatio.Between(-LargestLogRatio, LargestLogRatio).exp();

        // 2. Surrogate.
        Tensor advantages = tokens.Advantages;
        Tensor surrogate;
        if (options.Objective == PolicyObjective.Cispo)
        {
            surrogate = -(ratio.detach().AtMost(options.CispoCap) * advantages * logProbs);
        }
        else
        {
            surrogate = maximum(-(advantages * ratio), -(advantages * ratio.Between(1 - options.ClipLow, 1 + options.ClipHigh)));
            if (options.DualClip is double most)
            {
                surrogate = where(advantages.IsLess(0), minimum(surrogate, -advantages.MultiplyNumber(most)), surrogate);
            }
        }

        // 3. KL, importance weights, the weighted sum.
        Tensor? kl = tokens.Reference is null ? null : LowVarianceKl(logProbs, tokens.Reference);
        Tensor? importance = ImportanceWeights(old, tokens);
        Tensor weighted = importance is null ? surrogate : surrogate * importance;
        Tensor loss = ((kl is null || klCoefficient == 0 ? weighted : weighted.AddTensor(kl, klCoefficient)) * tokens.Weights).sum();
        return new PolicyLossTerms(loss, surrogate, ratio, kl, importance);
    }

    /// <summary>Sum over each token's response and its number of tokens, back at every token.</summary>
    private static (Tensor Sum, Tensor Count) ByResponse(Tensor values, Tensor responses)
    {
        long count = responses.max().item<long>() + 1;
        Tensor sums = zeros([count], values.dtype, values.device).AddRows(responses, values);
        Tensor counts = zeros([count], values.dtype, values.device).AddRows(responses, ones_like(values));
        return (sums.index_select(0, responses), counts.index_select(0, responses));
    }
}
