using ToolN1.Training.Packing;

namespace ToolN1.Training.Tests.Packing;

public sealed class MicroBatchesTests
{
    [Fact]
    public void Split_AnyGroups_GivesEachToOnePart_InOrderWithinALane_AndExceedsTheLimitOnlyAlone()
    {
        Random random = new(5);
        for (int trial = 0; trial < 2000; trial++)
        {
            (int Tokens, int Place)[] groups = [.. Enumerable.Range(0, random.Next(1, 30)).Select(i => (random.Next(2, 400), i))];
            int most = random.Next(1, 2000);
            int lanes = random.Next(1, 5);
            IReadOnlyList<IReadOnlyList<IReadOnlyList<(int Tokens, int Place)>>> split = MicroBatches.Split(groups, group => group.Tokens, most, lanes);
            Assert.Equal(Math.Min(lanes, groups.Length), split.Count);
            Assert.Equal(groups, split.SelectMany(lane => lane).SelectMany(part => part).OrderBy(group => group.Place));
            Assert.All(split, lane => Assert.Equal(lane.SelectMany(part => part), lane.SelectMany(part => part).OrderBy(group => group.Place)));
            Assert.All(split.SelectMany(lane => lane), part => Assert.NotEmpty(part));
            Assert.All(split.SelectMany(lane => lane), part => Assert.True(part.Count == 1 || part.Sum(group => group.Tokens) <= most));

            // Lanes differ by no more than one group: the last that the fullest got was given it when it had least.
            int[] loads = [.. split.Select(lane => lane.Sum(part => part.Sum(group => group.Tokens)))];
            Assert.True(loads.Max() - loads.Min() <= groups.Max(group => group.Tokens));
        }
    }

    [Fact]
    public void Split_EqualGroups_AreSharedEqually_AmongTheLanesAndTheirParts()
    {
        IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>> split = MicroBatches.Split([.. Enumerable.Repeat(100, 16)], tokens => tokens, 400, 2);
        Assert.Equal([[4, 4], [4, 4]], split.Select(lane => lane.Select(part => part.Count)));
    }

    [Fact]
    public void Split_UnequalGroups_LeavesNoLaneWaitingForOneThatGotTheGreatest()
    {
        IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>> split = MicroBatches.Split([500, 500, 900, 100, 300, 300, 200], tokens => tokens, 4096, 2);
        Assert.Equal([1400, 1400], split.Select(lane => lane.Sum(part => part.Sum())));
    }
}
