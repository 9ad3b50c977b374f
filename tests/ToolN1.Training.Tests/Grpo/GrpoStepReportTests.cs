using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;
using ToolN1.Training.Rollouts;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>What is learnt from a step's responses, what is written down of them, and what wants a look.</summary>
public sealed class GrpoStepReportTests
{
    private static readonly GrpoConfig Config = new() { Output = "-", Model = "-", Data = ["-"] };

    [Fact]
    public void Alarms_TooManyResponsesCutOff_Warn()
    {
        Assert.DoesNotContain(Alarms(Report(cutOff: 1)), alarm => alarm.Kind == "clipped_responses");
        Assert.Single(Alarms(Report(cutOff: 2)), alarm => alarm is { Kind: "clipped_responses", EndsRun: false });
    }

    [Fact]
    public void Alarms_SamplerAndTrainerApart_Warn()
    {
        // The reference numbers' gap is 0.104 on average.
        GrpoStepResult result = Report(meter: PolicyMeterTests.Measure(new PolicyLossOptions()));
        Assert.Single(Alarms(result), alarm => alarm is { Kind: "log_prob_gap", EndsRun: false });
        Assert.DoesNotContain(Alarms(result, Config with { Alarms = new GrpoAlarms { LogProbGap = 0.105 } }), alarm => alarm.Kind == "log_prob_gap");
    }

    [Theory]
    [InlineData(1000L, 1140L, 0)]
    [InlineData(1000L, 1160L, 1)]
    [InlineData(null, 1160L, 0)]
    public void Alarms_MoreMemoryThanPlanned_Warn(long? planned, long found, int warnings) =>
        Assert.Equal(warnings, Alarms(Report() with { MemoryBytes = found }, planned: planned).Count(alarm => alarm is { Kind: "memory", EndsRun: false }));

    [Fact]
    public void Create_RewardComponents_HaveMeanAndDeviation()
    {
        GrpoStepResult result = Report();
        Assert.Equal(0.4, result.RewardComponents["exact"], 1e-9);
        Assert.Equal(0.516398, result.RewardComponentStds["exact"], 1e-6);
        Assert.Equal((1.0, 0.0), (result.RewardComponents["format"], result.RewardComponentStds["format"]));
        Assert.Equal(result.RewardStd!.Value, result.RewardComponentStds["exact"], 1e-12);
    }

    [Fact]
    public void Groups_MaskTruncated_LeavesThemOutButCountsThemInTheAdvantages()
    {
        RolloutGroup group = Group(cutOff: 3, responses: 5);
        IReadOnlyList<TrainedResponse> all = Assert.Single(GrpoStepPlan.Groups(new PolicyLossOptions(), [group])).Responses;
        IReadOnlyList<TrainedResponse> ended = Assert.Single(GrpoStepPlan.Groups(new PolicyLossOptions { MaskTruncated = true }, [group])).Responses;
        Assert.Equal((5, 2), (all.Count, ended.Count));
        Assert.Equal(all.Skip(3).Select(response => response.Advantage), ended.Select(response => response.Advantage));
        Assert.Empty(GrpoStepPlan.Groups(new PolicyLossOptions { MaskTruncated = true }, [Group(cutOff: 5, responses: 5)]));
    }

    private static GrpoAlarm[] Alarms(GrpoStepResult result, GrpoConfig? config = null, long? planned = null) =>
        [.. GrpoStepReport.Alarms(config ?? Config, result, klCeiling: null, isMeasured: false, earlier: null, planned)];

    private static GrpoStepResult Report(int cutOff = 0, PolicyMeter? meter = null) => GrpoStepReport.Create(
        Config, new GrpoState { Step = 1 }, 0, "v", [Group(cutOff, responses: 10)], trained: 1, refills: 0, meter ?? new PolicyMeter(), 0, 0, new GrpoPhaseSeconds(1, 0, 0, 1, 0, 2));

    /// <summary>Responses of which the first are cut off, and of each five the first and fourth are right.</summary>
    private static RolloutGroup Group(int cutOff, int responses)
    {
        TrainingRow row = new() { Tools = [], Messages = [new ChatMessage { Role = ChatRole.User, Content = "hi" }], Answer = [] };
        return new RolloutGroup(new PromptRow(0, row, [1]), [.. Enumerable.Range(0, responses).Select(i =>
        {
            double reward = i % 5 is 0 or 3 ? 1 : 0;
            return new Rollout([2, 3], [-1, -1], i < cutOff, "v", "", new RewardOutcome(new RewardScore(reward, [new RewardComponent("format", 1), new RewardComponent("exact", reward)]), null, 0));
        })]);
    }
}
