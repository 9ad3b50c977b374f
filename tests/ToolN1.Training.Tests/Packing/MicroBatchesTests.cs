using ToolN1.Training.Packing;

namespace ToolN1.Training.Tests.Packing;

public sealed class MicroBatchesTests
{
    [Fact]
    public void Split_AnyGroups_KeepsTheirOrder_FillsWholeRoundsOfLanes_AndExceedsTheLimitOnlyAlone()
    {
        Random random = new(5);
        for (int trial = 0; trial < 2000; trial++)
        {
            RowGroup[] groups = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => Group(random.Next(2, 400)))];
            int most = random.Next(1, 2000);
            int lanes = random.Next(1, 5);
            IReadOnlyList<IReadOnlyList<RowGroup>> parts = MicroBatches.Split(groups, most, lanes);
            Assert.Equal(groups, parts.SelectMany(part => part));
            Assert.All(parts, part => Assert.NotEmpty(part));
            Assert.All(parts, part => Assert.True(part.Count == 1 || part.Sum(group => group.TokenCount) <= most));
            Assert.True(parts.Count % lanes == 0 || parts.Count == groups.Length, $"{parts.Count} parts of {groups.Length} groups in {lanes} lanes");
        }
    }

    [Fact]
    public void Split_EqualGroups_AreSharedEquallyAmongTheLanes() =>
        Assert.Equal([4, 4], MicroBatches.Split([.. Enumerable.Range(0, 8).Select(_ => Group(100))], 4096, 2).Select(part => part.Count));

    private static RowGroup Group(int tokens) => RowGroup.Create([(new int[tokens - 1], new int[1])]);
}
