using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static ToolN1.Engine.Tests.Execution.EngineHarness;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>Publishing, promoting and retiring weights under requests, by libtorch alone and by our own kernels.</summary>
public sealed class ModelHostTests
{
    private const string Fixture = "qwen2-tiny";

    private static readonly int[] Prompt = [.. Enumerable.Range(0, 40).Select(i => 100 + (7 * i % 300))];
    private static readonly SamplingParameters Scored = new() { Temperature = 0, TopLogProbs = 0, IgnoreEndOfSequence = true };

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_WholeWeights_ServesThemToWhoNamesThemAndLeavesTheLiveOnes(bool reference)
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture, reference: reference);
        Generated before = await Run(engine, Request(Prompt, 12, Scored));
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        using Decoder changed = Changed();
        string version = await lease.PublishAsync([.. changed.NamedWeights()], None);

        // Prompts and keys of the two versions never meet, though they lie in one cache.
        (Generated live, Generated working) = (await Run(engine, Request(Prompt, 12, Scored)), await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = version }));
        Assert.Equal(before.Tokens, live.Tokens);
        Assert.True(live.CachedPromptTokens > 0);
        Assert.Equal(0, working.CachedPromptTokens);
        Assert.Equal(2, engine.Host.Versions.Count);

        await using InferenceEngine other = InferenceEngine.Start(Changed(), InferenceEngine.Describe(changed, "other"), new EngineOptions());
        Generated expected = await Run(other, Request(Prompt, 12, Scored));
        AssertSame(expected, working, 1e-4);
        Assert.NotEqual(live.LogProbs[0].LogProb, working.LogProbs[0].LogProb);
    }

    [Fact]
    public async Task Publish_Again_RetiresTheOneBeforeAndUpdatesAreStamped()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        using Decoder changed = Changed();
        string first = await lease.PublishAsync([.. changed.NamedWeights()], None);
        string second = await lease.PublishAsync([.. changed.NamedWeights()], None);
        Assert.NotEqual(first, second);
        Assert.Equal(second, lease.WorkingVersion);
        Assert.Equal([engine.Host.LiveVersion, second], engine.Host.Versions);
        Assert.Throws<ArgumentException>(() => engine.Generate(Request(Prompt, 2) with { WeightVersion = first }, None));
        await foreach (GenerationUpdate update in engine.Generate(Request(Prompt, 3) with { WeightVersion = second }, None))
        {
            Assert.Equal(second, update.WeightVersion);
        }
    }

    [Fact]
    public async Task Publish_UnderALeaseOfTheSameNameLater_NeverMeetsBlocksOfTheEarlierOne()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        using Decoder changed = Changed();
        using Decoder unchanged = CheckpointLoader.Load(GoldenModel.Load(Fixture).Folder, CPU, ScalarType.Float32);
        Generated expected = await Run(engine, Request(Prompt, 12, Scored));
        string first;
        await using (ModelLease lease = engine.Host.Lease("job-1", 0.5))
        {
            first = await lease.PublishAsync([.. changed.NamedWeights()], None);
            await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = first });
        }

        // A job that was paused and goes on: other weights, the same name of the lease.
        await using ModelLease later = engine.Host.Lease("job-1", 0.5);
        string second = await later.PublishAsync([.. unchanged.NamedWeights()], None);
        Generated actual = await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = second });

        Assert.NotEqual(first, second);
        Assert.Equal(0, actual.CachedPromptTokens);
        AssertSame(expected, actual, 1e-4);
    }

    [Fact]
    public async Task Promote_RequestInFlight_EndsOnTheVersionItBeganWith()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        string first = engine.Host.LiveVersion;
        Generated undisturbed = await Run(engine, Request(Prompt, 60, Scored));
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        using Decoder changed = Changed();
        string version = await lease.PublishAsync([.. changed.NamedWeights()], None);

        List<int> tokens = [];
        await foreach (GenerationUpdate update in engine.Generate(Request(Prompt, 60, Scored), None))
        {
            if (tokens.Count == 0)
            {
                await engine.Host.PromoteAsync(version, None);
                Assert.Equal(version, engine.Model.WeightVersion);
            }

            Assert.Equal(first, update.WeightVersion);
            tokens.AddRange(update.TokenIds);
        }

        Assert.Equal(undisturbed.Tokens, tokens);
        await foreach (GenerationUpdate update in engine.Generate(Request(Prompt, 2), None))
        {
            Assert.Equal(version, update.WeightVersion);
        }

        // Rolling back is the same act.
        await engine.Host.PromoteAsync(first, None);
        Assert.Equal(undisturbed.Tokens, (await Run(engine, Request(Prompt, 60, Scored))).Tokens);
    }

    [Fact]
    public async Task Retire_VersionInUse_LetsItsRequestsEnd()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        using Decoder changed = Changed();
        string version = await lease.PublishAsync([.. changed.NamedWeights()], None);
        Generated undisturbed = await Run(engine, Request(Prompt, 60, Scored) with { WeightVersion = version });
        List<int> tokens = [];
        await foreach (GenerationUpdate update in engine.Generate(Request(Prompt, 60, Scored) with { WeightVersion = version }, None))
        {
            if (tokens.Count == 0)
            {
                // Retires the version under the request.
                await lease.PublishAsync([.. changed.NamedWeights()], None);
                Assert.DoesNotContain(version, engine.Host.Versions);
            }

            tokens.AddRange(update.TokenIds);
        }

        Assert.Equal(undisturbed.Tokens, tokens);
    }

    [Fact]
    public async Task Retire_LiveVersion_IsRefused()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        await Assert.ThrowsAsync<ArgumentException>(() => engine.Host.RetireAsync(engine.Host.LiveVersion, None));
        await Assert.ThrowsAsync<ArgumentException>(() => engine.Host.PromoteAsync("unknown", None));
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        Assert.Throws<ArgumentException>(() => engine.Host.Lease("work", 0.5));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_Adapter_EqualsItsMergedWeightsInOneBatchWithTheBase(bool reference)
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture, reference: reference);
        Generated plain = await Run(engine, Request(Prompt, 12, Scored));
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        using LoraAdapter adapter = Adapter(lease.Config);
        string version = await lease.PublishAsync(adapter, None);
        Task<Generated>[] together =
        [
            Run(engine, Request(Prompt, 12, Scored)),
            Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = version }),
            Run(engine, Request(Prompt, 12, Scored)),
        ];
        await Task.WhenAll(together);
        AssertSame(plain, await together[0], 1e-6);
        AssertSame(plain, await together[2], 1e-6);

        using IDisposable scope = NewDisposeScope();
        Decoder merged = CheckpointLoader.Load(GoldenModel.Load(Fixture).Folder, CPU, ScalarType.Float32);
        foreach ((string name, Tensor tensor) in merged.NamedWeights())
        {
            if (adapter.Delta(name.Replace(".weight", string.Empty, StringComparison.Ordinal)) is Tensor delta)
            {
                tensor.add_(delta);
            }
        }

        await using InferenceEngine other = InferenceEngine.Start(merged, InferenceEngine.Describe(merged, "merged"), new EngineOptions());
        Generated expected = await Run(other, Request(Prompt, 12, Scored));
        AssertSame(expected, await together[1], 1e-3);
        Assert.NotEqual(plain.LogProbs[0].LogProb, expected.LogProbs[0].LogProb, 1e-3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Retire_OnlyAdapter_LeavesTheBaseAnsweringAsBefore(bool reference)
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture, reference: reference);
        Generated before = await Run(engine, Request(Prompt, 12, Scored));
        await using (ModelLease lease = engine.Host.Lease("work", 0.5))
        {
            using LoraAdapter adapter = Adapter(lease.Config);
            string version = await lease.PublishAsync(adapter, None);

            // The last batch has nothing in it but the adapter's request.
            await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = version });
        }

        Generated after = await Run(engine, Request(Prompt, 12, Scored));

        Assert.Equal([engine.Host.LiveVersion], engine.Host.Versions);
        AssertSame(before, after, 1e-6);
        Assert.True(engine.Snapshot().Healthy);
    }

    [Fact]
    public async Task Publish_ThatFails_TellsItsOwnCauseAndTheLeaseEndsAndPublishesAgain()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        using Decoder changed = Changed();
        await using (ModelLease lease = engine.Host.Lease("work", 0.5))
        {
            await lease.PublishAsync([.. changed.NamedWeights()], None);
            await Assert.ThrowsAsync<KeyNotFoundException>(() => lease.PublishAsync([.. changed.NamedWeights().Take(1)], None));
            Assert.Null(lease.WorkingVersion);
            await Assert.ThrowsAsync<KeyNotFoundException>(() => lease.PublishAsync([.. changed.NamedWeights().Take(1)], None));
            string version = await lease.PublishAsync([.. changed.NamedWeights()], None);
            Assert.Equal([engine.Host.LiveVersion, version], engine.Host.Versions);
            await Assert.ThrowsAsync<KeyNotFoundException>(() => lease.PublishAsync([.. changed.NamedWeights().Take(1)], None));
        }

        Assert.Equal([engine.Host.LiveVersion], engine.Host.Versions);
    }

    [Fact]
    public async Task Lease_OverANamedVersion_PublishesAdaptersOverThatAndNotOverWhatIsLive()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture, reference: true);
        string first = engine.Host.LiveVersion;
        using Decoder changed = Changed();
        await using ModelLease other = engine.Host.Lease("other", 0.5);
        await engine.Host.PromoteAsync(await other.PublishAsync([.. changed.NamedWeights()], None), None);
        Assert.Throws<ArgumentException>(() => engine.Host.Lease("work", 0.5, "unknown"));
        await using ModelLease lease = engine.Host.Lease("work", 0.5, first);
        using LoraAdapter nothing = LoraAdapter.Create(lease.Config, rank: 4, alpha: 8, LoraAdapter.ProjectionNames, seed: 3, CPU);
        string version = await lease.PublishAsync(nothing, None);

        // An adapter that adds nothing answers as what it stands on does.
        Generated expected = await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = first });
        AssertSame(expected, await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = version }), 1e-6);
        Assert.Equal((first, true), (lease.BaseVersion, lease.BaseWeights is not null));
        Assert.NotEqual(expected.LogProbs[0].LogProb, (await Run(engine, Request(Prompt, 12, Scored))).LogProbs[0].LogProb);
    }

    [Fact]
    public async Task Turn_RunsOnTheEnginesThreadBetweenStepsAndItsErrorIsItsOwn()
    {
        await using InferenceEngine engine = EngineHarness.Start(Fixture);
        await using ModelLease lease = engine.Host.Lease("work", 0);
        Task<Generated> request = Run(engine, Request(Prompt, 60, Scored));
        string? thread = await lease.TurnAsync(() => Thread.CurrentThread.Name, None);
        Assert.Equal("ToolN1 engine", thread);
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.TurnAsync(() => throw new InvalidOperationException("mine"), None));
        Assert.Equal(60, (await request).Tokens.Count);
        Assert.True(engine.Snapshot().Healthy);

        // A turn's caller may go on a moment before it is counted, but not before the one before it is.
        await lease.TurnAsync(() => { }, None);
        Assert.InRange(engine.Snapshot().Turns, 2, 3);
        Assert.True(engine.Snapshot().TurnTime > TimeSpan.Zero);
    }

    [Fact]
    public async Task Turn_CancelledOrAfterTheEnd_NeverBegins()
    {
        InferenceEngine engine = EngineHarness.Start(Fixture);
        ModelLease lease = engine.Host.Lease("work", 0.5);
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.TurnAsync(() => Assert.Fail("It began."), cancelled.Token));
        await engine.StopAsync(None);
        await Assert.ThrowsAsync<EngineOverloadedException>(() => lease.TurnAsync(() => Assert.Fail("It began."), None));
        await lease.DisposeAsync();
    }

    private static Decoder Changed()
    {
        using IDisposable noGrad = no_grad();
        using IDisposable scope = NewDisposeScope();
        Decoder decoder = CheckpointLoader.Load(GoldenModel.Load(Fixture).Folder, CPU, ScalarType.Float32);
        foreach ((_, Tensor tensor) in decoder.NamedWeights().Where(item => item.Tensor.dim() == 2))
        {
            tensor.mul_(1.1);
        }

        return decoder;
    }

    private static LoraAdapter Adapter(ModelConfig config)
    {
        using IDisposable noGrad = no_grad();
        using IDisposable scope = NewDisposeScope();
        LoraAdapter adapter = LoraAdapter.Create(config, rank: 4, alpha: 8, LoraAdapter.ProjectionNames, seed: 3, CPU);
        using Generator generator = new(9);
        foreach ((_, Tensor tensor) in adapter.NamedTensors.Where(item => item.Name.EndsWith("lora_B.weight", StringComparison.Ordinal)))
        {
            tensor.normal_(0, 0.1, generator);
        }

        return adapter;
    }

    private static void AssertSame(Generated expected, Generated actual, double tolerance)
    {
        Assert.Equal(expected.Tokens, actual.Tokens);
        for (int i = 0; i < expected.LogProbs.Count; i++)
        {
            Assert.Equal(expected.LogProbs[i].LogProb, actual.LogProbs[i].LogProb, tolerance);
        }
    }
}
