using ToolN1.Training.Rollouts;

namespace ToolN1.Training.Grpo;

/// <summary>What a step learns from its rollouts.</summary>
internal static class GrpoStepPlan
{
    /// <summary>Whether a group is left out of the step, so that another may take its place.</summary>
    public static bool IsDropped(PolicyLossOptions loss, RolloutGroup group) => group.Scored.Count < 2 || (loss.DropUniformGroups && group.IsUniform);

    /// <summary>Groups with advantages. Unscored responses are left out; truncated ones too where that is wanted, but they count in the advantages.</summary>
    /// <param name="loss">What is left out, and how rewards are scaled.</param>
    /// <param name="rollouts">The step's groups.</param>
    public static List<ResponseGroup> Groups(PolicyLossOptions loss, IReadOnlyList<RolloutGroup> rollouts)
    {
        RolloutGroup[] kept = [.. rollouts.Where(group => !IsDropped(loss, group))];
        double[][] advantages = Advantages.Compute(
            [.. kept.Select(group => group.Scored.Select(rollout => rollout.Outcome.Score!.Total).ToArray())], loss.AdvantageScale, loss.AdvantageEpsilon);
        return [.. kept.Zip(advantages, (group, values) => new ResponseGroup(
                group.Prompt.Prompt,
                [.. group.Scored.Zip(values)
                    .Where(pair => !(loss.MaskTruncated && pair.First.IsTruncated))
                    .Select(pair => new TrainedResponse(pair.First.Tokens, pair.First.LogProbs, pair.Second))]))
            .Where(group => group.Responses.Count > 0)];
    }

    /// <summary>The step's updates: mini-batches of so many prompts, as often as there are passes.</summary>
    public static List<ResponseGroup[]> Updates(GrpoConfig config, IReadOnlyList<ResponseGroup> groups) =>
        [.. Enumerable.Range(0, config.PassesPerStep).SelectMany(_ => groups.Chunk(config.MiniBatchPrompts ?? int.MaxValue))];

    /// <summary>Updates of a step that drops nothing.</summary>
    public static int NominalUpdates(GrpoConfig config) =>
        config.PassesPerStep * (config.MiniBatchPrompts is int prompts ? (config.PromptsPerStep + prompts - 1) / prompts : 1);
}
