using ToolN1.Engine.Execution;

namespace ToolN1.Engine.Tests.Execution;

public sealed class TurnPacerTests
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void MayBegin_NoRequests_AlwaysDoes()
    {
        TurnPacer pacer = new();
        pacer.TurnTook(Turn, 0.9);
        Assert.True(pacer.MayBegin(hasRequests: false));
        Assert.False(pacer.MayBegin(hasRequests: true));
    }

    [Theory]
    [InlineData(0.5, 100)]
    [InlineData(0.75, 300)]
    [InlineData(0.2, 25)]
    public void MayBegin_Requests_GetTheirShareFirst(double share, int owedMilliseconds)
    {
        TurnPacer pacer = new();
        pacer.TurnTook(Turn, share);
        pacer.StepTook(TimeSpan.FromMilliseconds(owedMilliseconds - 1));
        Assert.False(pacer.MayBegin(hasRequests: true));
        pacer.StepTook(TimeSpan.FromMilliseconds(2));
        Assert.True(pacer.MayBegin(hasRequests: true));
    }

    [Fact]
    public void MayBegin_NoShare_FollowsAtOnce()
    {
        TurnPacer pacer = new();
        pacer.TurnTook(Turn, 0);
        Assert.True(pacer.MayBegin(hasRequests: true));
    }
}
