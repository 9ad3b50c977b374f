namespace ToolN1.Training.Rewards;

/// <summary>What is right about a completion's calls.</summary>
/// <param name="HasThink">Both think tags are there.</param>
/// <param name="IsReadable">The last block is JSON and holds nothing but calls.</param>
/// <param name="NamesMatch">The called names are the reference's, each as often.</param>
/// <param name="CallsMatch">So are the whole calls.</param>
/// <param name="Failure">The first thing that is wrong, as in <see cref="ToolCallRewardResult"/>; null when all is right.</param>
public readonly record struct ToolCallVerdict(bool HasThink, bool IsReadable, bool NamesMatch, bool CallsMatch, string? Failure);
