using ToolN1.Engine.Kernels;

namespace ToolN1.Engine.Tests.Kernels;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyCalls_RunsEveryTaskOnceBeforeReturning(int threads)
    {
        using WorkerPool workers = new(threads);
        for (int call = 0; call < 2000; call++)
        {
            int count = call % 17;
            int[] runs = new int[count];
            workers.Run(count, (task, worker) =>
            {
                Assert.InRange(worker, 0, threads - 1);
                runs[task]++;
            });
            Assert.All(runs, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Run_AfterWorkersFellAsleep_StillUsesThem()
    {
        using WorkerPool workers = new(2);
        Thread.Sleep(50);
        using Barrier both = new(2);

        // Each of the two tasks waits for the other: one thread alone could not end this.
        workers.Run(2, (_, _) => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30))));
    }
}
