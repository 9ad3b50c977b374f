using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Rollouts;

/// <summary>A sampled response.</summary>
/// <param name="Tokens">Ids as the engine gave them, through the one that ended it; at least one. Never re-tokenised.</param>
/// <param name="LogProbs">Log-probability of each under the distribution that was sampled from.</param>
/// <param name="IsTruncated">Whether the token limit ended it.</param>
/// <param name="WeightVersion">The weights that sampled it, from beginning to end.</param>
/// <param name="Completion">Its text, special tokens included.</param>
/// <param name="Outcome">Its reward, or why it has none.</param>
internal sealed record Rollout(int[] Tokens, float[] LogProbs, bool IsTruncated, string WeightVersion, string Completion, RewardOutcome Outcome);

/// <summary>The responses to one prompt.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Rollouts">Its responses.</param>
internal sealed record RolloutGroup(PromptRow Prompt, IReadOnlyList<Rollout> Rollouts)
{
    /// <summary>Responses that were scored.</summary>
    public IReadOnlyList<Rollout> Scored { get; } = [.. Rollouts.Where(rollout => rollout.Outcome.Score is not null)];

    /// <summary>Whether all scored responses are worth the same, or fewer than two were scored: nothing can be compared.</summary>
    public bool IsUniform => Scored.Count < 2 || Scored.All(rollout => rollout.Outcome.Score!.Total == Scored[0].Outcome.Score!.Total);
}
