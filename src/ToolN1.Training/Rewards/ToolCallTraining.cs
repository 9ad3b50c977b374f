namespace ToolN1.Training.Rewards;

/// <summary>The Tool-N1 paper's reward for training: binary, or with partial credit for its ablation.</summary>
/// <param name="isPartial">0.2 for the format, 0.2 more for the right names or 0.8 more for exactly the right calls; else 1 or 0.</param>
/// <param name="requiresThink">Whether the format asks for both think tags.</param>
/// <param name="lenientNumbers">Whether 1 and 1.0 are equal in arguments.</param>
public sealed class ToolCallTraining(bool isPartial, bool requiresThink, bool lenientNumbers) : IReward
{
    /// <inheritdoc/>
    public RewardScore Score(RewardSample sample, CancellationToken cancellationToken)
    {
        ToolCallVerdict verdict = ToolCallReward.Judge(sample.Completion, sample.Row.AnswerJson, lenientNumbers);
        bool hasFormat = verdict.IsReadable && (verdict.HasThink || !requiresThink);
        bool isRight = hasFormat && verdict.CallsMatch;
        double credit = verdict.CallsMatch ? 0.8 : verdict.NamesMatch ? 0.2 : 0;
        double total = isPartial ? (hasFormat ? 0.2 + credit : 0) : isRight ? 1 : 0;
        return new RewardScore(total,
        [
            new RewardComponent("format", hasFormat ? 1 : 0),
            new RewardComponent("names", hasFormat && verdict.NamesMatch ? 1 : 0),
            new RewardComponent("exact", isRight ? 1 : 0),
        ]);
    }
}
