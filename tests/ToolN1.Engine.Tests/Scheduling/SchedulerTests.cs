using ToolN1.Engine.Cache;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Tests.Scheduling;

public sealed class SchedulerTests
{
    private const int BlockSize = 4;

    /// <summary>A sequence whose prompt counts up from a number of its own family, so that equal families share prefixes.</summary>
    internal static Sequence Sequence(
        int promptLength,
        int maxNewTokens,
        int family = 0,
        int blockSize = BlockSize,
        string? cacheSalt = null,
        int? promptLogProbs = null,
        RequestPriority priority = RequestPriority.Live)
    {
        GenerationRequest request = new()
        {
            RequestId = Guid.NewGuid().ToString(),
            PromptTokenIds = [.. Enumerable.Range(family * 100, promptLength)],
            MaxNewTokens = maxNewTokens,
            CacheSalt = cacheSalt,
            PromptLogProbs = promptLogProbs,
            Priority = priority,
        };
        return new Sequence(request, new SamplerState(request.Sampling, request.PromptTokenIds, [], seed: 1), blockSize);
    }

    private static Scheduler Create(int blocks, int maxSequences, int budget, out BlockAllocator allocator, bool prefixCaching = false)
    {
        allocator = new BlockAllocator(blocks);
        PrefixCache? cache = prefixCaching ? new PrefixCache(blocks) : null;
        return new Scheduler(new SchedulerLimits(maxSequences, budget), allocator, cache);
    }

    private static ScheduledBatch Step(Scheduler scheduler)
    {
        ScheduledBatch batch = scheduler.Schedule();
        scheduler.Complete(batch);
        foreach (ScheduledSequence item in batch.Items)
        {
            if (item.ReachesEnd)
            {
                item.Sequence.Append(3);
            }
        }

        return batch;
    }

    [Fact]
    public void Schedule_PromptBeyondBudget_IsChunkedAndMixedWithDecodes()
    {
        Scheduler scheduler = Create(blocks: 50, maxSequences: 4, budget: 8, out _);
        Sequence first = Sequence(3, 20);
        Sequence second = Sequence(20, 20, family: 1);
        scheduler.Add(first);
        Step(scheduler);
        scheduler.Add(second);

        ScheduledBatch batch = Step(scheduler);

        Assert.Equal([new ScheduledSequence(first, 3, 1), new ScheduledSequence(second, 0, 7)], batch.Items);
        Assert.Equal([new ScheduledSequence(first, 4, 1), new ScheduledSequence(second, 7, 7)], Step(scheduler).Items);
    }

    [Fact]
    public void Schedule_NoFreeBlocks_PreemptsNewestSequence()
    {
        Scheduler scheduler = Create(blocks: 5, maxSequences: 4, budget: 64, out _);
        Sequence oldest = Sequence(7, 9);
        Sequence newest = Sequence(7, 9, family: 1);
        scheduler.Add(oldest);
        Step(scheduler);
        scheduler.Add(newest);
        Step(scheduler);

        // The fifth block goes to the oldest; when the newest needs a third one too, it finds none and steps back.
        Step(scheduler);
        Assert.Equal(0, scheduler.Preemptions);
        Step(scheduler);
        Assert.Equal(1, scheduler.Preemptions);
        Assert.Equal(0, newest.ComputedCount);
        Assert.Equal(9, newest.TokenCount);
        Assert.Equal(0, newest.Blocks.Capacity);
        scheduler.CheckIntegrity();

        while (oldest.GeneratedCount < 9)
        {
            Assert.Equal(oldest, Assert.Single(Step(scheduler).Items).Sequence);
        }

        scheduler.Remove(oldest);
        Assert.Equal([new ScheduledSequence(newest, 0, 9)], Step(scheduler).Items);
    }

    [Fact]
    public void Schedule_PreemptedSequence_RunsBeforeLaterArrivals()
    {
        Scheduler scheduler = Create(blocks: 5, maxSequences: 4, budget: 64, out _);
        Sequence[] sequences = [Sequence(7, 9), Sequence(7, 9, family: 1), Sequence(3, 1, family: 2)];
        scheduler.Add(sequences[0]);
        Step(scheduler);
        scheduler.Add(sequences[1]);
        Step(scheduler);
        scheduler.Add(sequences[2]);
        Step(scheduler);
        Step(scheduler);

        Assert.Equal(1, scheduler.Preemptions);
        Assert.Equal(sequences, scheduler.Sequences);
    }

    private static Sequence Background(int promptLength, int maxNewTokens, int family) =>
        Sequence(promptLength, maxNewTokens, family, priority: RequestPriority.Background);

    [Fact]
    public void Schedule_LiveArrivalWithoutAPlace_TakesTheNewestBackgroundOnes()
    {
        Scheduler scheduler = Create(blocks: 50, maxSequences: 2, budget: 64, out _);
        Sequence[] background = [Background(3, 9, 0), Background(3, 9, 1), Background(3, 9, 2)];
        Array.ForEach(background, scheduler.Add);
        Step(scheduler);
        Sequence live = Sequence(3, 1, family: 3);
        scheduler.Add(live);

        ScheduledBatch batch = Step(scheduler);

        Assert.Equal([new ScheduledSequence(background[0], 3, 1), new ScheduledSequence(live, 0, 3)], batch.Items);
        Assert.True(batch.IsFull);
        Assert.Equal([live, background[0], background[1], background[2]], scheduler.Sequences);
        scheduler.CheckIntegrity();

        // Once it has ended, the background goes on where it was.
        scheduler.Remove(live);
        Assert.Equal([new ScheduledSequence(background[0], 4, 1), new ScheduledSequence(background[1], 0, 4)], Step(scheduler).Items);
    }

    [Fact]
    public void Schedule_LiveArrivalWithoutBlocks_TakesThoseOfBackgroundOnes()
    {
        Scheduler scheduler = Create(blocks: 6, maxSequences: 4, budget: 64, out _);
        Sequence first = Background(7, 1, 0);
        Sequence second = Background(7, 1, 1);
        scheduler.Add(first);
        scheduler.Add(second);
        Assert.Equal(2, Step(scheduler).Items.Count);
        Sequence live = Sequence(7, 1, family: 2);
        scheduler.Add(live);

        ScheduledBatch batch = scheduler.Schedule();

        Assert.Contains(new ScheduledSequence(live, 0, 7), batch.Items);
        Assert.DoesNotContain(batch.Items, item => item.Sequence == second);
        Assert.Equal(0, second.Blocks.Capacity);
        scheduler.CheckIntegrity();
    }

    [Fact]
    public void Schedule_NoFreeBlocks_PreemptsBackgroundBeforeNewerLiveOnes()
    {
        Scheduler scheduler = Create(blocks: 8, maxSequences: 4, budget: 64, out _);
        Sequence background = Background(7, 9, 0);
        scheduler.Add(background);
        Step(scheduler);
        Sequence[] live = [Sequence(7, 9, family: 1), Sequence(7, 9, family: 2)];
        Array.ForEach(live, scheduler.Add);
        while (scheduler.Preemptions == 0)
        {
            Step(scheduler);
        }

        Assert.Equal(0, background.Blocks.Capacity);
        Assert.All(live, sequence => Assert.NotEqual(0, sequence.Blocks.Capacity));
    }

    [Fact]
    public void Schedule_RoomForAll_BackgroundRunsBesideLive()
    {
        Scheduler scheduler = Create(blocks: 50, maxSequences: 4, budget: 64, out _);
        Sequence background = Background(3, 9, 0);
        scheduler.Add(background);
        Step(scheduler);
        Sequence live = Sequence(3, 9, family: 1);
        scheduler.Add(live);
        Step(scheduler);

        ScheduledBatch batch = Step(scheduler);

        Assert.Equal([live, background], batch.Items.Select(item => item.Sequence));
        Assert.False(batch.IsFull);
        Assert.Equal(0, scheduler.Preemptions);
    }

    [Fact]
    public void Schedule_LiveWithThePrefixOfABackgroundOne_DoesNotWaitForIt()
    {
        Scheduler scheduler = Create(blocks: 50, maxSequences: 4, budget: 5, out _, prefixCaching: true);
        scheduler.Add(Background(12, 1, 0));
        Step(scheduler);
        Sequence live = Sequence(12, 1);
        scheduler.Add(live);

        Assert.Equal(live, Step(scheduler).Items[0].Sequence);
    }

    [Fact]
    public void Add_SequenceThatCanNeverFit_IsRefused()
    {
        Scheduler scheduler = Create(blocks: 3, maxSequences: 1, budget: 8, out _);
        scheduler.Add(Sequence(4, 8));
        Assert.Throws<ArgumentException>(() => scheduler.Add(Sequence(5, 8)));
    }

    [Fact]
    public void Schedule_SamePrefix_TakesCachedBlocksButComputesTheLastToken()
    {
        Scheduler scheduler = Create(blocks: 20, maxSequences: 4, budget: 64, out _, prefixCaching: true);
        Sequence first = Sequence(12, 1);
        scheduler.Add(first);
        Step(scheduler);
        scheduler.Remove(first);

        Sequence same = Sequence(12, 1);
        scheduler.Add(same);
        Assert.Equal([new ScheduledSequence(same, 8, 4)], Step(scheduler).Items);
        Assert.Equal(8, same.CachedPromptTokens);
    }

    [Fact]
    public void Schedule_SamePrefixUnderWay_WaitsForItRatherThanComputingItTwice()
    {
        Scheduler scheduler = Create(blocks: 20, maxSequences: 4, budget: 64, out _, prefixCaching: true);
        Sequence first = Sequence(12, 1);
        Sequence second = Sequence(14, 1);
        scheduler.Add(first);
        scheduler.Add(second);
        Assert.Equal([new ScheduledSequence(first, 0, 12)], Step(scheduler).Items);
        Assert.Contains(new ScheduledSequence(second, 12, 2), Step(scheduler).Items);
    }

    [Fact]
    public void Schedule_PrefixOwnerCancelled_LetsTheWaitingOneCompute()
    {
        Scheduler scheduler = Create(blocks: 20, maxSequences: 4, budget: 5, out _, prefixCaching: true);
        Sequence first = Sequence(12, 1);
        Sequence second = Sequence(12, 1);
        scheduler.Add(first);
        Step(scheduler);
        scheduler.Add(second);
        scheduler.Remove(first);
        Assert.Equal([new ScheduledSequence(second, 4, 5)], Step(scheduler).Items);
    }

    [Theory]
    [InlineData("v1", "a", "v2", "a")]
    [InlineData("v1", "a", "v1", "b")]
    [InlineData("v1", null, "v1", "")]
    [InlineData("v1a", "b", "v1", "ab")]
    public void Root_OtherWeightsOrTenant_DiffersInEveryKey(string weights, string? salt, string otherWeights, string? otherSalt)
    {
        PrefixKey key = PrefixKey.Root(weights, salt);
        PrefixKey other = PrefixKey.Root(otherWeights, otherSalt);
        Assert.NotEqual(key, other);
        Assert.NotEqual(key.Next([1, 2]), other.Next([1, 2]));
    }

    [Fact]
    public void Schedule_OtherTenantsPrefix_IsNotFound()
    {
        Scheduler scheduler = Create(blocks: 20, maxSequences: 4, budget: 64, out _, prefixCaching: true);
        Sequence first = Sequence(12, 1, cacheSalt: "a");
        scheduler.Add(first);
        Step(scheduler);
        Sequence other = Sequence(12, 1, cacheSalt: "b");
        scheduler.Add(other);
        Step(scheduler);
        Assert.Equal(0, other.CachedPromptTokens);
    }

    [Fact]
    public void Schedule_PromptLogProbsWanted_ComputesEveryPosition()
    {
        Scheduler scheduler = Create(blocks: 20, maxSequences: 4, budget: 64, out _, prefixCaching: true);
        scheduler.Add(Sequence(12, 1));
        Step(scheduler);
        Sequence scored = Sequence(12, 1, promptLogProbs: 0);
        scheduler.Add(scored);
        Assert.Contains(new ScheduledSequence(scored, 0, 12), Step(scheduler).Items);
    }

    [Fact]
    public void Schedule_CachedBlocksNeeded_EvictsLeastRecentlyUsedFirst()
    {
        Scheduler scheduler = Create(blocks: 4, maxSequences: 1, budget: 64, out BlockAllocator allocator, prefixCaching: true);
        foreach (int family in (int[])[0, 1, 2])
        {
            Sequence sequence = Sequence(5, 1, family);
            scheduler.Add(sequence);
            Step(scheduler);
            scheduler.Remove(sequence);
        }

        Assert.Equal(4, allocator.FreeBlocks);

        // Four blocks held family 0's, 1's and 2's first block; a fourth prompt of two blocks pushes out family 0's.
        Sequence fourth = Sequence(8, 0, family: 3);
        scheduler.Add(fourth);
        Step(scheduler);
        scheduler.Remove(fourth);
        Assert.Equal(0, CachedTokens(scheduler, family: 0));
    }

    [Fact]
    public void CheckIntegrity_LeakedReference_Throws()
    {
        BlockAllocator allocator = new(2);
        allocator.TryAllocate(out int block, out _);
        Assert.Throws<InvalidOperationException>(() => allocator.CheckIntegrity([]));
        allocator.CheckIntegrity([[block]]);
        allocator.Release(block);
        allocator.CheckIntegrity([]);
        Assert.Throws<InvalidOperationException>(() => allocator.Release(block));
    }

    private static int? CachedTokens(Scheduler scheduler, int family)
    {
        Sequence probe = Sequence(5, 0, family);
        scheduler.Add(probe);
        Step(scheduler);
        scheduler.Remove(probe);
        return probe.CachedPromptTokens;
    }
}
