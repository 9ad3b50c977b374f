using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;

namespace ToolN1.Training.Rewards;

/// <summary>The Tool-N1 paper's reward for training: binary, or with partial credit for its ablation.</summary>
/// <param name="isPartial">0.2 for the format, 0.2 more for the right names or 0.8 more for exactly the right calls; else 1 or 0.</param>
/// <param name="requiresThink">Whether the format asks for both think tags.</param>
/// <param name="lenientNumbers">Whether 1 and 1.0 are equal in arguments.</param>
public sealed class ToolCallTraining(bool isPartial, bool requiresThink, bool lenientNumbers) : IReward
{
    /// <summary>Why it is useless under other prompts, as the end of a sentence about them.</summary>
    internal const string OtherFormat = "ask for a tag around each call and not for think tags, while the built-in reward reads one list of all calls behind think tags: it would be 0 for the right answers too";

    /// <summary>Whether a format's prompts ask for what the reward reads.</summary>
    internal static bool CanBeEarned(IChatFormat format) => format.Markup == AnswerMarkup.List;

    /// <inheritdoc/>
    public RewardScore Score(RewardSample sample, CancellationToken cancellationToken)
    {
        ToolCallVerdict verdict = ToolCallReward.Judge(sample.Completion, sample.Row.AnswerJson, lenientNumbers);
        bool hasFormat = HasFormat(verdict, requiresThink);
        return new RewardScore(Total(verdict, isPartial, requiresThink),
        [
            new RewardComponent("format", hasFormat ? 1 : 0),
            new RewardComponent("names", hasFormat && verdict.NamesMatch ? 1 : 0),
            new RewardComponent("exact", hasFormat && verdict.CallsMatch ? 1 : 0),
        ]);
    }

    /// <summary>What a verdict is worth.</summary>
    public static double Total(ToolCallVerdict verdict, bool isPartial, bool requiresThink)
    {
        if (!HasFormat(verdict, requiresThink))
        {
            return 0;
        }

        double credit = verdict.CallsMatch ? 0.8 : verdict.NamesMatch ? 0.2 : 0;
        return isPartial ? 0.2 + credit : verdict.CallsMatch ? 1 : 0;
    }

    private static bool HasFormat(ToolCallVerdict verdict, bool requiresThink) => verdict.IsReadable && (verdict.HasThink || !requiresThink);
}
