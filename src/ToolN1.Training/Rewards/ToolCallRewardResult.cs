namespace ToolN1.Training.Rewards;

/// <summary>The reward of one completion and, where it is 0, why.</summary>
/// <param name="Reward">0 or 1.</param>
/// <param name="Failure">
/// Null for 1; else <c>no_block</c>, <c>bad_json</c>, <c>no_think</c>, <c>bad_call</c>, <c>bad_truth</c> or <c>mismatch</c>.
/// </param>
public readonly record struct ToolCallRewardResult(int Reward, string? Failure);
