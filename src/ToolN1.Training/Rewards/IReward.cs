using ToolN1.Training.Data;

namespace ToolN1.Training.Rewards;

/// <summary>Says what responses are worth. Called from several threads at once.</summary>
public interface IReward
{
    /// <summary>The reward of a response.</summary>
    /// <param name="sample">The response and what it answers.</param>
    /// <param name="cancellationToken">Set when the time limit has passed; who heeds it frees its worker.</param>
    /// <returns>A finite total and what it is made of.</returns>
    /// <remarks>An exception, or a total that is not finite, leaves the sample unscored: it is not learnt from.</remarks>
    RewardScore Score(RewardSample sample, CancellationToken cancellationToken);
}

/// <summary>A response to be scored.</summary>
/// <param name="Completion">Its text, special tokens included.</param>
/// <param name="Row">The row that it answers.</param>
public sealed record RewardSample(string Completion, TrainingRow Row);

/// <summary>A reward.</summary>
/// <param name="Total">What the policy is to raise.</param>
/// <param name="Components">Named parts for the metrics; each reward always gives the same names.</param>
public sealed record RewardScore(double Total, IReadOnlyList<RewardComponent> Components);

/// <summary>A named part of a reward.</summary>
/// <param name="Name">snake_case.</param>
/// <param name="Value">Its value.</param>
public readonly record struct RewardComponent(string Name, double Value);

/// <summary>What became of a sample.</summary>
/// <param name="Score">The reward; null when it could not be scored.</param>
/// <param name="Failure">Why not: <c>timeout</c>, <c>not_finite</c>, or the exception's message; null when scored.</param>
/// <param name="Seconds">Time that scoring took.</param>
public sealed record RewardOutcome(RewardScore? Score, string? Failure, double Seconds);
