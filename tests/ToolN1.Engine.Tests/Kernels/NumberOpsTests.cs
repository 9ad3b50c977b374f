using ToolN1.Engine.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>A number that takes part in an operation lives as long as the operation, whatever the garbage collector does.</summary>
public sealed class NumberOpsTests
{
    [Fact]
    public async Task Operations_WhileTheCollectorRunsWithoutPause_UseTheNumbersThatWereGiven()
    {
        using CancellationTokenSource stop = new();
        Task collector = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    GC.Collect(0);
                    GC.WaitForPendingFinalizers();
                }
            },
            TestContext.Current.CancellationToken);
        (double expected, Tensor total) = (0, torch.zeros(1));

        // Small ones first, until the calls are compiled with optimization: before that, locals live to the end of their method.
        foreach ((int size, int rounds) in ((int, int)[])[(8, 20_000), (500_000, 400)])
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor ones = torch.ones(size);
            total.Dispose();
            total = torch.zeros(size);
            expected = 0;
            for (int i = 0; i < rounds; i++)
            {
                double factor = 1 + (i % 7);
                total.AddTensor_(ones, factor).AddTensor_(ones, -factor).AddNumber_(factor).AddNumber_(-factor).AddTensor_(ones);
                expected++;
            }

            total.DetachFromDisposeScope();
        }

        await stop.CancelAsync();
        await collector;
        Assert.Equal(expected, total.min().item<float>());
        Assert.Equal(expected, total.max().item<float>());
        total.Dispose();
    }

    [Fact]
    public void Operations_OnAFewNumbers_AreWhatTheirNamesSay()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = tensor(new float[] { 1, -2, 4 });
        Assert.Equal([3, -6, 12], values.MultiplyNumber(3).data<float>().ToArray());
        Assert.Equal([1.5f, -3, 6], values.AddTensor(values, 0.5).data<float>().ToArray());
        Assert.Equal([1, -1, 2], values.Between(-1, 2).data<float>().ToArray());
        Assert.Equal([2, -1, 5], values.AddNumber(1).data<float>().ToArray());
        Assert.Equal([0.5f, -1, 2], values.DivideNumber(2).data<float>().ToArray());
        Assert.Equal([1, -2, 3], values.AtMost(3).data<float>().ToArray());
        Assert.Equal([false, true, false], values.IsLess(0).data<bool>().ToArray());
        Assert.Equal([9, -2, 9], values.clone().Fill_(values.gt(zeros(1)), 9).data<float>().ToArray());
        Assert.Equal([4, 4], torch.zeros(2).Fill_(4).data<float>().ToArray());
        Tensor whole = NumberOps.Range(5, 3, CPU);
        Assert.Equal([5L, 6, 7], whole.data<long>().ToArray());
        Assert.Equal([2L, 3, 3], whole.DivideWhole(2).data<long>().ToArray());
        Assert.Equal([1L, 0, 1], whole.Remainder(2).data<long>().ToArray());
        Assert.Equal([15L, 18, 21], whole.MultiplyWhole_(3).data<long>().ToArray());
        Assert.Equal([3, 1], torch.ones(2).AddRows(tensor([0L, 0]), tensor(new float[] { 1, 1 })).data<float>().ToArray());
        Assert.Equal([7, 7], NumberOps.Filled([2], 7, ScalarType.Float32, CPU).data<float>().ToArray());
        Assert.Equal([5, 0, 1], torch.zeros(3).AddRows_(tensor([0L, 0, 2, 1]), tensor(new float[] { 2, 3, 1, 0 })).data<float>().ToArray());
    }
}
