using ToolN1.Training.Optimizers;

namespace ToolN1.Training.Tests.Optimizers;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void Factor_Linear_FollowsReferenceNumbers() =>
        AssertFactors(LearningRateDecay.Linear, [.5, 1, .8875, .775, .6625, .55, .4375, .325, .2125, .1]);

    [Fact]
    public void Factor_Cosine_FollowsReferenceNumbers() =>
        AssertFactors(LearningRateDecay.Cosine, [.5, 1, .965746, .868198, .722208, .55, .377792, .231802, .134254, .1]);

    [Fact]
    public void Factor_Constant_StaysAtOneAfterWarmup() =>
        AssertFactors(LearningRateDecay.Constant, [.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]);

    [Fact]
    public void Factor_BeyondTheEnd_StaysAtTheMinimum() =>
        Assert.Equal(0.1, new LearningRateSchedule(LearningRateDecay.Cosine, 10, 2, 0.1).Factor(50), 6);

    private static void AssertFactors(LearningRateDecay decay, double[] expected)
    {
        LearningRateSchedule schedule = new(decay, TotalUpdates: 10, WarmupUpdates: 2, Minimum: 0.1);
        for (int update = 1; update <= expected.Length; update++)
        {
            Assert.Equal(expected[update - 1], schedule.Factor(update), 5e-7);
        }
    }
}
