using ToolN1.Training.Evaluation;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class PromotionGateTests
{
    [Theory]
    [InlineData(50, 0, 0, false, true)]
    [InlineData(50, 0, 1, false, false)]
    [InlineData(50, 3, 1, false, true)]
    [InlineData(50, 3, 1, true, false)]
    [InlineData(50, 6, 0, true, true)]
    [InlineData(50, 0, 0, true, false)]
    [InlineData(50, 5, 5, true, false)]
    public void Decide_GainsAndLosses_FollowTheRule(int both, int gained, int lost, bool mustRise, bool passes)
    {
        bool[] before = [.. Enumerable.Repeat(true, both), .. Enumerable.Repeat(false, gained), .. Enumerable.Repeat(true, lost)];
        bool[] after = [.. Enumerable.Repeat(true, both), .. Enumerable.Repeat(true, gained), .. Enumerable.Repeat(false, lost)];
        PromotionGate gate = PromotionGate.Decide(Cases(before), Cases(after), mustRise);
        Assert.Equal(passes, gate.Passes);
        Assert.Equal((both + gained + lost, both + lost, both + gained), (gate.Cases, gate.BaseCorrect, gate.CandidateCorrect));
        Assert.Equal(gate, PromotionGate.Decide(before, after, mustRise));
    }

    [Fact]
    public void Decide_OtherCases_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => PromotionGate.Decide(Cases([true]), Cases([true, false]), mustRise: false));
        Assert.Throws<ArgumentException>(() => PromotionGate.Decide(Cases([]), Cases([]), mustRise: false));
    }

    private static List<EvaluationCase> Cases(bool[] correct) => [.. correct.Select((right, index) => new EvaluationCase("c", index, right, "q" + index, "[]", "o", 1))];
}
