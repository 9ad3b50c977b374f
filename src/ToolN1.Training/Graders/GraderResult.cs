namespace ToolN1.Training.Graders;

/// <summary>What a grader says of one sample.</summary>
/// <param name="Reward">Usually 0 to 1; a formula may leave that range.</param>
/// <param name="Errors">What went wrong, or none.</param>
public sealed record GraderResult(double Reward, GraderErrors Errors = GraderErrors.None)
{
    /// <summary>Of a multi grader: the rewards of its parts by their names; else empty.</summary>
    public IReadOnlyDictionary<string, double> SubRewards { get; init; } = new Dictionary<string, double>();

    /// <summary>Of a tool-call grader with reward 0: why (<see cref="Rewards.ToolCallRewardResult.Failure"/>); else null.</summary>
    public string? Failure { get; init; }

    internal static GraderResult Failed(GraderErrors error) => new(0, error);
}
