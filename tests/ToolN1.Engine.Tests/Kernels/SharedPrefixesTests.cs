using ToolN1.Engine.Kernels;

namespace ToolN1.Engine.Tests.Kernels;

public sealed class SharedPrefixesTests
{
    [Fact]
    public void Group_TwoPromptsSamples_AreTwoGroupsOverTheirPrompts()
    {
        AttentionPart[] parts = [Part(0, 70, 1, 2, 3, 9, 20), Part(1, 68, 1, 5, 6, 7, 21), Part(2, 66, 1, 2, 3, 9, 22), Part(3, 75, 1, 5, 6, 7, 23)];
        (AttentionPart[] Parts, int Shared)[] groups = [.. SharedPrefixes.Group(parts, 16, 64)];
        Assert.Equal([[0, 2], [1, 3]], groups.Select(group => group.Parts.Select(part => part.FirstRow).Order().ToArray()));
        Assert.Equal([64, 64], groups.Select(group => group.Shared));
    }

    [Fact]
    public void Group_TokenWithinTheCommonBlocks_BoundsWhatIsShared() =>
        Assert.Equal(32, Assert.Single(SharedPrefixes.Group([Part(0, 47, 1, 2, 3), Part(1, 60, 1, 2, 3, 4)], 16, 64)).Shared);

    [Fact]
    public void Group_NothingInCommon_LeavesEachAlone() =>
        Assert.All(SharedPrefixes.Group([Part(0, 20, 1, 2), Part(1, 20, 3, 4)], 16, 64), group => Assert.Equal((1, 0), (group.Parts.Length, group.Shared)));

    [Fact]
    public void Group_AnySequences_KeepsEveryPartAndNeverSharesWhatATokenCannotSee()
    {
        Random random = new(3);
        for (int trial = 0; trial < 500; trial++)
        {
            int blockSize = 8 << random.Next(3);
            int most = random.Next(1, 9);
            AttentionPart[] parts = [.. Enumerable.Range(0, random.Next(0, 30)).Select(i =>
            {
                int[] blocks = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(2)), 100 + i];
                return new AttentionPart(i, 1, random.Next(blocks.Length * blockSize), blocks);
            })];
            (AttentionPart[] Parts, int Shared)[] groups = [.. SharedPrefixes.Group(parts, blockSize, most)];
            Assert.Equal(parts.Select(part => part.FirstRow), groups.SelectMany(group => group.Parts).Select(part => part.FirstRow).Order());
            Assert.All(groups, group =>
            {
                Assert.InRange(group.Parts.Length, 1, most);
                Assert.Equal(0, group.Shared % 16);
                Assert.All(group.Parts, part =>
                {
                    Assert.True(group.Shared <= part.FirstPosition);
                    Assert.True(group.Parts[0].Blocks.AsSpan().CommonPrefixLength(part.Blocks) * blockSize >= group.Shared);
                });
            });
        }
    }

    private static AttentionPart Part(int row, int position, params int[] blocks) => new(row, 1, position, blocks);
}
