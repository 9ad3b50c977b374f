namespace ToolN1.Training.Grpo;

/// <summary>What a step came to; a line of metrics.jsonl. Values that a step has no data for are null.</summary>
public sealed record GrpoStepResult
{
    /// <summary>Step, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Passes over the data, fractions included.</summary>
    public required double Epoch { get; init; }

    /// <summary>Weights that sampled the step's responses.</summary>
    public required string WeightVersion { get; init; }

    /// <summary>Updates made in the step.</summary>
    public required int Updates { get; init; }

    /// <summary>Mean reward of the scored responses, dropped groups included.</summary>
    public required double? RewardMean { get; init; }

    /// <summary>Standard deviation of these rewards.</summary>
    public required double? RewardStd { get; init; }

    /// <summary>Mean of each component.</summary>
    public required IReadOnlyDictionary<string, double> RewardComponents { get; init; }

    /// <summary>Standard deviation of each component; empty where one response alone was scored.</summary>
    public required IReadOnlyDictionary<string, double> RewardComponentStds { get; init; }

    /// <summary>Groups sampled, refills included.</summary>
    public required int Groups { get; init; }

    /// <summary>Groups that were learnt from.</summary>
    public required int GroupsTrained { get; init; }

    /// <summary>Fraction of the groups whose rewards were all equal.</summary>
    public required double FractionUniform { get; init; }

    /// <summary>Times that more prompts were drawn.</summary>
    public required int Refills { get; init; }

    /// <summary>Responses sampled.</summary>
    public required int Responses { get; init; }

    /// <summary>Fraction of them that could not be scored.</summary>
    public required double RewardErrorRate { get; init; }

    /// <summary>Why, and how often.</summary>
    public required IReadOnlyDictionary<string, int> RewardErrors { get; init; }

    /// <summary>Mean seconds to score a response.</summary>
    public required double RewardSecondsMean { get; init; }

    /// <summary>Most seconds.</summary>
    public required double RewardSecondsMax { get; init; }

    /// <summary>Mean tokens of a response.</summary>
    public required double ResponseLengthMean { get; init; }

    /// <summary>Fewest.</summary>
    public required int ResponseLengthMin { get; init; }

    /// <summary>Most.</summary>
    public required int ResponseLengthMax { get; init; }

    /// <summary>Fraction of the responses that the token limit cut off.</summary>
    public required double ClippedRatio { get; init; }

    /// <summary>Mean tokens of the others, which ended by themselves.</summary>
    public required double? TerminatedLengthMean { get; init; }

    /// <summary>Mean loss of the updates.</summary>
    public required double? Loss { get; init; }

    /// <summary>Mean KL estimate to the frozen initial policy.</summary>
    public required double? Kl { get; init; }

    /// <summary>β of the step.</summary>
    public required double KlCoefficient { get; init; }

    /// <summary>Mean of log π_old − log π: how far the updates of the step went.</summary>
    public required double? PolicyKl { get; init; }

    /// <summary>Mean entropy of the tempered distribution at response tokens, in nats.</summary>
    public required double? Entropy { get; init; }

    /// <summary>Fraction of the tokens whose ratio was clipped from below.</summary>
    public required double? ClipFractionLow { get; init; }

    /// <summary>Fraction of the tokens whose ratio was clipped from above.</summary>
    public required double? ClipFractionHigh { get; init; }

    /// <summary>Least π / π_old.</summary>
    public required double? RatioMin { get; init; }

    /// <summary>Mean.</summary>
    public required double? RatioMean { get; init; }

    /// <summary>Greatest.</summary>
    public required double? RatioMax { get; init; }

    /// <summary>Mean gap between the sampler's and the trainer's log-probabilities.</summary>
    public required double? LogProbGapMean { get; init; }

    /// <summary>Greatest gap.</summary>
    public required double? LogProbGapMax { get; init; }

    /// <summary>Least truncated importance weight.</summary>
    public required double? ImportanceMin { get; init; }

    /// <summary>Mean.</summary>
    public required double? ImportanceMean { get; init; }

    /// <summary>Greatest.</summary>
    public required double? ImportanceMax { get; init; }

    /// <summary>Mean gradient norm before clipping.</summary>
    public required double? GradientNorm { get; init; }

    /// <summary>Learning rate of the last update; null for a step without one.</summary>
    public required double? LearningRate { get; init; }

    /// <summary>Updates skipped since the run began.</summary>
    public required int SkippedUpdates { get; init; }

    /// <summary>Tokens sampled in the step.</summary>
    public required long GeneratedTokens { get; init; }

    /// <summary>Tokens passed for gradients in the step, a group's prompt counted once.</summary>
    public required long TrainedTokens { get; init; }

    /// <summary>Tokens sampled a second of sampling.</summary>
    public required double GeneratedTokensPerSecond { get; init; }

    /// <summary>Tokens passed for gradients a second of training.</summary>
    public required double TrainedTokensPerSecond { get; init; }

    /// <summary>Where the step's time went.</summary>
    public required GrpoPhaseSeconds Seconds { get; init; }

    /// <summary>Seconds of steps since the run began, over all resumptions.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>Resident memory of the process at the end of the step.</summary>
    public required long MemoryBytes { get; init; }
}

/// <summary>Where a step's time went, in seconds.</summary>
/// <param name="Generate">Sampling; scoring goes on beside it.</param>
/// <param name="Reward">Waiting for scores after the last response had ended.</param>
/// <param name="Score">Old and reference log-probabilities.</param>
/// <param name="Train">Gradients and updates.</param>
/// <param name="Publish">Handing the new weights to the engine.</param>
/// <param name="Total">All of the step.</param>
public sealed record GrpoPhaseSeconds(double Generate, double Reward, double Score, double Train, double Publish, double Total);

/// <summary>A held-out evaluation.</summary>
/// <param name="Step">After which step; 0 is the initial policy.</param>
/// <param name="Set">Name of the rows file.</param>
/// <param name="Correct">Rows answered exactly right, greedily.</param>
/// <param name="Rows">Rows whose answers were scored.</param>
/// <param name="Unscored">Rows beside these whose answers could not be scored.</param>
/// <param name="Low">Lower end of the 95% interval (Wilson); null where no answer was scored.</param>
/// <param name="High">Upper end; null likewise.</param>
public sealed record GrpoEvaluation(int Step, string Set, int Correct, int Rows, int Unscored, double? Low, double? High)
{
    /// <summary>Fraction answered right, of those scored; null where none was.</summary>
    public double? Rate => Rows == 0 ? null : (double)Correct / Rows;
}

/// <summary>A sampled response with its reward; a line of samples.jsonl.</summary>
/// <param name="Step">The step.</param>
/// <param name="Row">The row's place in the data.</param>
/// <param name="Question">The last message.</param>
/// <param name="Answer">The reference calls.</param>
/// <param name="Completion">The response.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="Reward">Its reward; null when it could not be scored.</param>
/// <param name="Failure">Why not.</param>
/// <param name="GroupRewards">All rewards of its group.</param>
public sealed record GrpoSample(int Step, int Row, string Question, string Answer, string Completion, int Tokens, double? Reward, string? Failure, IReadOnlyList<double?> GroupRewards);

/// <summary>Something that wants a look.</summary>
/// <param name="Step">The step.</param>
/// <param name="Kind"><c>kl_ceiling</c>, <c>non_finite</c>, <c>clipped_responses</c>, <c>log_prob_gap</c>, <c>reward_errors</c>, <c>truncated_sampling</c> or <c>memory</c>.</param>
/// <param name="Message">What was found and what is done about it.</param>
/// <param name="EndsRun">Whether the run ends.</param>
public sealed record GrpoAlarm(int Step, string Kind, string Message, bool EndsRun);
