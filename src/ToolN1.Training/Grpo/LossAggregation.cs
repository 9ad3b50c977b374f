namespace ToolN1.Training.Grpo;

/// <summary>How the losses of a mini-batch's tokens become one number.</summary>
public enum LossAggregation
{
    /// <summary>Mean over all tokens of the mini-batch: long responses weigh more.</summary>
    TokenMean,

    /// <summary>Mean over responses of each one's mean: every response weighs the same.</summary>
    SequenceMean,

    /// <summary>Mean over responses of each one's sum.</summary>
    SequenceSum,

    /// <summary>Sum over all tokens divided by responses × the most tokens a response may have, a constant (Dr. GRPO).</summary>
    DrGrpo,
}

/// <summary>Weights of tokens by which a mini-batch's loss is a plain weighted sum, whatever the split into micro-batches.</summary>
internal static class TokenWeights
{
    /// <summary>The weight of each token of each response.</summary>
    /// <param name="lengths">Tokens of each response of the mini-batch.</param>
    /// <param name="aggregation">How tokens are averaged.</param>
    /// <param name="maxResponseTokens">The constant length of <see cref="LossAggregation.DrGrpo"/>.</param>
    /// <returns>One weight a response; all its tokens have it.</returns>
    public static double[] PerResponse(IReadOnlyList<int> lengths, LossAggregation aggregation, int maxResponseTokens)
    {
        double tokens = lengths.Sum(length => (double)length);
        return [.. lengths.Select(length => aggregation switch
        {
            LossAggregation.TokenMean => 1 / tokens,
            LossAggregation.SequenceMean => 1.0 / lengths.Count / length,
            LossAggregation.SequenceSum => 1.0 / lengths.Count,
            _ => 1.0 / lengths.Count / maxResponseTokens,
        })];
    }
}
