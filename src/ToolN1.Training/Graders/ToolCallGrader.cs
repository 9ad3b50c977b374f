using ToolN1.Training.Rewards;

namespace ToolN1.Training.Graders;

/// <summary>
/// Ours: Tool-N1's binary reward (<see cref="ToolCallReward"/>), the same that training and evaluation use. The reference is
/// the JSON list of true calls.
/// </summary>
internal sealed class ToolCallGrader(string name, GraderTemplate input, GraderTemplate reference, bool lenientNumbers) : Grader("tool_call", name)
{
    /// <summary>Where the output stands when the definition does not say.</summary>
    public const string DefaultInput = "{{sample.output_text}}";

    /// <inheritdoc/>
    internal override IEnumerable<GraderTemplate> Templates => [input, reference];

    /// <inheritdoc/>
    public override GraderResult Run(GraderSample sample)
    {
        GraderErrors errors = input.Fill(sample, out string completion) | reference.Fill(sample, out string truth);
        if (errors != GraderErrors.None)
        {
            return GraderResult.Failed(errors);
        }

        ToolCallRewardResult result = ToolCallReward.Score(completion, truth, lenientNumbers);
        return new GraderResult(result.Reward, result.Failure == "bad_truth" ? GraderErrors.Other : GraderErrors.None) { Failure = result.Failure };
    }
}
