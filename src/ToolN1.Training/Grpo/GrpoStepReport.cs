using ToolN1.Training.Rollouts;

namespace ToolN1.Training.Grpo;

/// <summary>Gathers a step into its line of metrics.</summary>
internal static class GrpoStepReport
{
    /// <summary>The step's figures.</summary>
    public static GrpoStepResult Create(
        GrpoConfig config, GrpoState state, double epoch, string version, IReadOnlyList<RolloutGroup> groups, int trained, int refills,
        PolicyMeter meter, double klCoefficient, double? learningRate, GrpoPhaseSeconds seconds)
    {
        Rollout[] rollouts = [.. groups.SelectMany(group => group.Rollouts)];
        Rollout[] scored = [.. groups.SelectMany(group => group.Scored)];
        ILookup<string, double> components = scored.SelectMany(rollout => rollout.Outcome.Score!.Components).ToLookup(part => part.Name, part => part.Value, StringComparer.Ordinal);
        double[] rewards = [.. scored.Select(rollout => rollout.Outcome.Score!.Total)];
        int[] lengths = [.. rollouts.Select(rollout => rollout.Tokens.Length)];
        Rollout[] terminated = [.. rollouts.Where(rollout => !rollout.IsTruncated)];
        long generated = lengths.Sum(length => (long)length);
        double? PerToken(long count) => meter.Tokens == 0 ? null : (double)count / meter.Tokens;
        double? PerUpdate(double sum) => meter.Updates == 0 ? null : sum / meter.Updates;
        return new GrpoStepResult
        {
            Step = state.Step,
            Epoch = epoch,
            WeightVersion = version,
            Updates = meter.Updates,
            RewardMean = rewards.Length == 0 ? null : rewards.Average(),
            RewardStd = rewards.Length < 2 ? null : Advantages.Deviation(rewards, 1),
            RewardComponents = components.ToDictionary(values => values.Key, values => values.Average(), StringComparer.Ordinal),
            RewardComponentStds = components.Where(values => values.Skip(1).Any()).ToDictionary(values => values.Key, values => Advantages.Deviation([.. values], 1), StringComparer.Ordinal),
            Groups = groups.Count,
            GroupsTrained = trained,
            FractionUniform = (double)groups.Count(group => group.IsUniform) / groups.Count,
            Refills = refills,
            Responses = rollouts.Length,
            RewardErrorRate = 1 - ((double)scored.Length / rollouts.Length),
            RewardErrors = CountErrors(rollouts.Select(rollout => rollout.Outcome.Failure)),
            RewardSecondsMean = rollouts.Average(rollout => rollout.Outcome.Seconds),
            RewardSecondsMax = rollouts.Max(rollout => rollout.Outcome.Seconds),
            ResponseLengthMean = lengths.Average(),
            ResponseLengthMin = lengths.Min(),
            ResponseLengthMax = lengths.Max(),
            ClippedRatio = 1 - ((double)terminated.Length / rollouts.Length),
            TerminatedLengthMean = terminated.Length == 0 ? null : terminated.Average(rollout => rollout.Tokens.Length),
            Loss = PerUpdate(meter.Loss),
            Kl = meter.Kl.Mean,
            KlCoefficient = klCoefficient,
            PolicyKl = meter.PolicyKl.Mean,
            Entropy = meter.Entropy.Mean,
            ClipFractionLow = PerToken(meter.ClippedLow),
            ClipFractionHigh = PerToken(meter.ClippedHigh),
            RatioMin = meter.Ratio.Least,
            RatioMean = meter.Ratio.Mean,
            RatioMax = meter.Ratio.Greatest,
            LogProbGapMean = meter.Gap.Mean,
            LogProbGapMax = meter.Gap.Greatest,
            ImportanceMin = meter.Importance.Least,
            ImportanceMean = meter.Importance.Mean,
            ImportanceMax = meter.Importance.Greatest,
            GradientNorm = PerUpdate(meter.GradientNorm),
            LearningRate = learningRate,
            SkippedUpdates = state.SkippedUpdates,
            GeneratedTokens = generated,
            TrainedTokens = meter.PassTokens,
            GeneratedTokensPerSecond = generated / Math.Max(1e-9, seconds.Generate),
            TrainedTokensPerSecond = meter.PassTokens / Math.Max(1e-9, seconds.Train),
            Seconds = seconds,
            TotalSeconds = state.Seconds,
            MemoryBytes = Environment.WorkingSet,
        };
    }

    /// <summary>Kind of the alarm about memory, which is raised once.</summary>
    public const string Memory = "memory";

    /// <summary>What a plan may be wrong by before it is said.</summary>
    private const double PlanTolerance = 1.15;

    /// <summary>What wants a look about a step.</summary>
    /// <param name="config">The run.</param>
    /// <param name="result">The step.</param>
    /// <param name="klCeiling">In force at it; null for none.</param>
    /// <param name="isMeasured">Whether there are held-out rows, by which one checkpoint is the best.</param>
    /// <param name="earlier">Step of the newest checkpoint from before; null for none.</param>
    /// <param name="plannedBytes">What the process was planned to take; null where nobody compares.</param>
    public static IEnumerable<GrpoAlarm> Alarms(GrpoConfig config, GrpoStepResult result, double? klCeiling, bool isMeasured, int? earlier, long? plannedBytes)
    {
        if (klCeiling is double ceiling && result.Kl > ceiling)
        {
            yield return new GrpoAlarm(result.Step, "kl_ceiling", $"the mean KL to the initial policy is {result.Kl:F3}, above {ceiling}; the run ends and leaves {Left(isMeasured, earlier)}", true);
        }

        if (result.ClippedRatio > config.Alarms.ClippedResponses)
        {
            yield return new GrpoAlarm(result.Step, "clipped_responses", $"{result.ClippedRatio:P0} of the responses were cut off at the token limit; raise max_response_tokens or look at samples.jsonl", false);
        }

        if (result.LogProbGapMean > config.Alarms.LogProbGap)
        {
            yield return new GrpoAlarm(result.Step, "log_prob_gap", $"the trainer's log-probabilities differ from the sampler's by {result.LogProbGapMean:F3} on average; set loss.importance or use one dtype for both", false);
        }

        if (result.RewardErrorRate > 0)
        {
            yield return RewardErrors(result.Step, $"{result.RewardErrorRate:P1} of the responses", result.RewardErrors);
        }

        if (result.MemoryBytes > plannedBytes * PlanTolerance)
        {
            yield return new GrpoAlarm(result.Step, Memory, $"the process holds {result.MemoryBytes >> 20:N0} MiB where {plannedBytes >> 20:N0} were planned; it may run out of memory", false);
        }
    }

    /// <summary>How often each reason left something unscored; nulls are scored.</summary>
    public static Dictionary<string, int> CountErrors(IEnumerable<string?> failures) =>
        failures.OfType<string>().GroupBy(failure => failure, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    /// <summary>The warning that something could not be scored.</summary>
    public static GrpoAlarm RewardErrors(int step, string what, IReadOnlyDictionary<string, int> errors) =>
        new(step, "reward_errors", $"{what} could not be scored: {string.Join("; ", errors.Select(error => $"{error.Value} × {error.Key}"))}", false);

    private static string Left(bool isMeasured, int? earlier) =>
        isMeasured ? "its best checkpoint"
        : earlier is int step ? $"its newest checkpoint from before, of step {step}"
        : "this step's policy: there is no checkpoint from before";
}
