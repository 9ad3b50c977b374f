using CsCheck;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Tests.Scheduling;

/// <summary>Random arrivals, cancellations and finishes against a scheduler driven like the engine drives it.</summary>
public sealed class SchedulerPropertyTests
{
    private const int BlockSize = 4;

    private static readonly Gen<(int Prompt, int Answer, int Family, int ArrivesAt, int CancelAfter, bool Background)> Request =
        Gen.Select(Gen.Int[1, 30], Gen.Int[0, 12], Gen.Int[0, 2], Gen.Int[0, 40], Gen.Int[0, 60], Gen.Bool);

    [Fact]
    public void Schedule_RandomWorkload_KeepsBlocksBudgetAndEndsEveryRequestOnce()
    {
        Gen.Select(Request.Array[1, 25], Gen.Int[11, 24], Gen.Int[1, 6], Gen.Int[0, 20], Gen.Bool)
            .Sample((requests, blocks, maxSequences, extraBudget, prefixCaching) =>
                Run(requests, blocks, maxSequences, maxSequences + extraBudget, prefixCaching), iter: 400);
    }

    private static void Run(
        (int Prompt, int Answer, int Family, int ArrivesAt, int CancelAfter, bool Background)[] requests, int blocks, int maxSequences, int budget, bool prefixCaching)
    {
        BlockAllocator allocator = new(blocks);
        PrefixCache? cache = prefixCaching ? new PrefixCache(blocks) : null;
        Scheduler scheduler = new(new SchedulerLimits(maxSequences, budget), allocator, cache);
        Sequence[] sequences = [.. requests.Select(request => SchedulerTests.Sequence(
            request.Prompt, request.Answer, request.Family, BlockSize, priority: request.Background ? RequestPriority.Background : RequestPriority.Live))];
        int[] ends = new int[requests.Length];

        // Content of the pool, as the model would write it: which token at which position each slot holds.
        (int Family, int Position, int Token)[] pool = new (int, int, int)[blocks * BlockSize];
        int steps = 0;
        for (; ends.Sum() < requests.Length; steps++)
        {
            Assert.True(steps < 5000, "A request starves.");
            for (int i = 0; i < requests.Length; i++)
            {
                if (requests[i].ArrivesAt == steps)
                {
                    scheduler.Add(sequences[i]);
                }

                bool cancels = requests[i].CancelAfter < 10 && steps == requests[i].ArrivesAt + requests[i].CancelAfter;
                if (cancels && ends[i] == 0)
                {
                    Assert.True(scheduler.Remove(sequences[i]));
                    ends[i]++;
                }
            }

            ScheduledBatch batch = scheduler.Schedule();
            scheduler.CheckIntegrity();
            Assert.Equal(batch.TokenCount, batch.Items.Sum(item => item.Count));
            Assert.InRange(batch.TokenCount, 0, budget);
            Assert.InRange(scheduler.RunningCount, 0, maxSequences);
            Assert.True(batch.Items.Count > 0 || scheduler.WaitingCount == 0, "Work waits and nothing runs.");
            Assert.Equal(batch.Items.Count, batch.Items.Select(item => item.Sequence).Distinct().Count());

            foreach ((Sequence sequence, int start, int count) in batch.Items)
            {
                int index = Array.IndexOf(sequences, sequence);
                Assert.Equal(0, ends[index]);
                for (int position = start; position < start + count; position++)
                {
                    pool[sequence.Blocks.Slot(position)] = (requests[index].Family, position, sequence.Tokens[position]);
                }

                for (int position = 0; position < start + count; position++)
                {
                    Assert.Equal((requests[index].Family, position, sequence.Tokens[position]), pool[sequence.Blocks.Slot(position)]);
                }
            }

            scheduler.Complete(batch);
            foreach (ScheduledSequence item in batch.Items)
            {
                if (!item.ReachesEnd)
                {
                    continue;
                }

                Sequence sequence = item.Sequence;
                // Now and then a stretch, as a constraint forces one.
                int stretch = sequence.TokenCount % 4 == 0 ? 6 : 1;
                for (int i = 0; i < stretch && sequence.GeneratedCount < sequence.Request.MaxNewTokens; i++)
                {
                    sequence.Append(sequence.TokenCount % 7);
                }

                if (sequence.GeneratedCount == sequence.Request.MaxNewTokens)
                {
                    Assert.True(scheduler.Remove(sequence));
                    ends[Array.IndexOf(sequences, sequence)]++;
                }
            }

            scheduler.CheckIntegrity();
        }

        Assert.All(ends, end => Assert.Equal(1, end));
        Assert.Equal(0, allocator.UsedBlocks);
        Assert.Equal(0, scheduler.RunningCount + scheduler.WaitingCount);
    }
}
