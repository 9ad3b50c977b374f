using System.Collections;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using TorchSharp;
using static ToolN1.Engine.Tests.Execution.EngineHarness;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>Publishing, promoting and retiring weights under requests, by libtorch alone and by our own kernels; a model takes many turns.</summary>
public sealed class ModelHostTests
{
    private const string Fixture = "qwen2-tiny";

    // The fixture's tensors have 820 thousand bytes.
    private const int TurnBytes = 16 << 10;

    private static readonly int[] Prompt = [.. Enumerable.Range(0, 40).Select(i => 100 + (7 * i % 300))];
    private static readonly SamplingParameters Scored = new() { Temperature = 0, TopLogProbs = 0, IgnoreEndOfSequence = true };

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_WholeWeights_ServesThemToWhoNamesThemAndLeavesTheLiveOnes(bool reference)
    {
        await using InferenceEngine engine = Start(reference);
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
        await using InferenceEngine engine = Start();
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
        await using InferenceEngine engine = Start();
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
        await using InferenceEngine engine = Start();
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
        await using InferenceEngine engine = Start();
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
        await using InferenceEngine engine = Start();
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
        await using InferenceEngine engine = Start(reference);
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
        await using InferenceEngine engine = Start(reference);
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
        await using InferenceEngine engine = Start();
        using Decoder changed = Changed();
        await using (ModelLease lease = engine.Host.Lease("work", 0.5))
        {
            await lease.PublishAsync([.. changed.NamedWeights()], None);
            IReadOnlyList<(string, Tensor)> failing = new WeightList([.. changed.NamedWeights()], index => throw new IOException("mine"));
            await Assert.ThrowsAsync<IOException>(() => lease.PublishAsync(failing, None));
            Assert.Null(lease.WorkingVersion);
            await Assert.ThrowsAsync<IOException>(() => lease.PublishAsync(failing, None));
            string version = await lease.PublishAsync([.. changed.NamedWeights()], None);
            Assert.Equal([engine.Host.LiveVersion, version], engine.Host.Versions);
            await Assert.ThrowsAsync<IOException>(() => lease.PublishAsync(failing, None));
        }

        Assert.Equal([engine.Host.LiveVersion], engine.Host.Versions);
    }

    [Fact]
    public async Task Lease_OverANamedVersion_PublishesAdaptersOverThatAndNotOverWhatIsLive()
    {
        await using InferenceEngine engine = Start(reference: true);
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
        await using InferenceEngine engine = Start();
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
        InferenceEngine engine = Start();
        ModelLease lease = engine.Host.Lease("work", 0.5);
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.TurnAsync(() => Assert.Fail("It began."), cancelled.Token));
        await engine.StopAsync(None);
        await Assert.ThrowsAsync<EngineOverloadedException>(() => lease.TurnAsync(() => Assert.Fail("It began."), None));
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task Publish_TensorsOfAnotherModel_AreRefusedByNameBeforeAnythingChanges()
    {
        await using InferenceEngine engine = Start();
        using Decoder changed = Changed();
        (string Name, Tensor Tensor)[] weights = [.. changed.NamedWeights()];
        await using ModelLease lease = engine.Host.Lease("work", 0.5);
        string version = await lease.PublishAsync(weights, None);
        using Tensor other = zeros([3]);

        await RefusedAsync(ModelTensors.FinalNorm, weights[..^1]);
        await RefusedAsync(ModelTensors.FinalNorm, [.. weights[..^1], (ModelTensors.FinalNorm, other)]);
        await RefusedAsync("extra", [.. weights, ("extra", other)]);
        Assert.Equal(version, lease.WorkingVersion);
        Assert.Equal([engine.Host.LiveVersion, version], engine.Host.Versions);

        async Task RefusedAsync(string named, (string, Tensor)[] given) =>
            Assert.Contains($"'{named}'", (await Assert.ThrowsAsync<ArgumentException>(() => lease.PublishAsync(given, None))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_BesideARequest_DecodesBetweenItsTurnsAndTheVersionAppearsWhole(bool reference)
    {
        await using InferenceEngine engine = Start(reference);
        Generated undisturbed = await Run(engine, Request(Prompt, 300, Scored));
        await using ModelLease lease = engine.Host.Lease("work", 0);
        using Decoder changed = Changed();
        (string Name, Tensor Tensor)[] weights = [.. changed.NamedWeights()];
        long bytes = weights.Sum(item => item.Tensor.numel() * item.Tensor.ElementSize);

        // Looked at from within the turns, as each tensor's copy begins.
        List<(int Versions, long Steps)> seen = [];
        WeightList watched = new(weights, _ => seen.Add((engine.Host.Versions.Count, engine.Snapshot().Steps)));

        // Both begin once this turn ends.
        using ManualResetEventSlim gate = new();
        Task held = lease.TurnAsync(() => gate.Wait(None), None);
        long turnsBefore = engine.Snapshot().Turns;
        Task<Generated> request = Run(engine, Request(Prompt, 300, Scored));
        Task<string> publishing = lease.PublishAsync(watched, None);
        gate.Set();
        await held;
        string version = await publishing;
        Assert.Equal(undisturbed.Tokens, (await request).Tokens);
        Assert.Equal(weights.Length, seen.Count);
        Assert.All(seen, moment => Assert.Equal(1, moment.Versions));
        Assert.Equal([engine.Host.LiveVersion, version], engine.Host.Versions);

        // No turn copied more than it may, and the request got its steps between them.
        Assert.True(engine.Snapshot().Turns - turnsBefore >= bytes / TurnBytes);
        Assert.True(seen[^1].Steps - seen[0].Steps >= 20, $"{seen[^1].Steps - seen[0].Steps} steps");
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Publish_FailingOrGivenUpHalfWay_LeavesWhatIsServedAndFreesTheCopy(bool reference, bool givesUp)
    {
        await using InferenceEngine engine = Start(reference);
        Generated before = await Run(engine, Request(Prompt, 12, Scored));
        await using ModelLease lease = engine.Host.Lease("work", 0);
        using Decoder changed = Changed();
        (string Name, Tensor Tensor)[] weights = [.. changed.NamedWeights()];
        using CancellationTokenSource source = new();

        // Given up with the last tensor, our own kernels' panels are half-made.
        bool packs = !reference && PanelKernel.For(ScalarType.Float32) is not null;
        WeightList half = new(weights, index =>
        {
            if (givesUp && index == (packs ? weights.Length - 1 : weights.Length / 2))
            {
                source.Cancel();
            }
            else if (!givesUp && index == weights.Length / 2)
            {
                throw new IOException("half-way");
            }
        });
        long live = await lease.TurnAsync(() => DisposeScopeManager.Statistics.ThreadTotalLiveCount, None);
        Exception? failure = await Record.ExceptionAsync(() => lease.PublishAsync(half, source.Token));
        long after = await lease.TurnAsync(() => DisposeScopeManager.Statistics.ThreadTotalLiveCount, None);

        Assert.True(givesUp ? failure is OperationCanceledException : failure is IOException, $"{failure}");
        Assert.Equal([engine.Host.LiveVersion], engine.Host.Versions);
        Assert.Null(lease.WorkingVersion);
        Assert.True(after <= live, $"{after - live} tensors are left");
        AssertSame(before, await Run(engine, Request(Prompt, 12, Scored)), 1e-6);
        Assert.Contains(await lease.PublishAsync(weights, None), engine.Host.Versions);
    }

    [Fact]
    public async Task Generate_BaseAndAdapterPreemptedOverOneCache_AnswerAsAloneAndLeaveNoTensor()
    {
        // One MiB holds 1360 tokens, and eight sequences grow to 1760; each prompt is asked of the base and of the adapter.
        static EngineOptions Options(bool prefixCache) => new() { KvCacheMiB = 1, MaxModelLength = 220, MaxSequences = 8, EnablePrefixCache = prefixCache };
        int[][] prompts = [.. Enumerable.Range(0, 4).Select(i => (int[])[.. Prompt, .. Enumerable.Range(0, 60).Select(k => 50 + (((11 * k) + (17 * i)) % 700))])];
        List<Generated> expected = [];
        await using (InferenceEngine alone = EngineHarness.Start(Fixture, options: Options(prefixCache: false)))
        {
            await using ModelLease lease = alone.Host.Lease("work", 0);
            foreach (GenerationRequest request in await RequestsAsync(lease))
            {
                expected.Add(await Run(alone, request));
            }

            Assert.Equal(0, alone.Snapshot().Preemptions);
        }

        await using InferenceEngine crowded = EngineHarness.Start(Fixture, options: Options(prefixCache: true));
        await using ModelLease crowdedLease = crowded.Host.Lease("work", 0);
        GenerationRequest[] requests = await RequestsAsync(crowdedLease);
        await Task.WhenAll(requests[..2].Select(request => Run(crowded, request)));
        long live = await crowdedLease.TurnAsync(() => DisposeScopeManager.Statistics.ThreadTotalLiveCount, None);
        Generated[] together = await Task.WhenAll(requests.Select(request => Run(crowded, request)));

        Assert.All(expected.Zip(together), pair => AssertSameUpToATie(pair.First, pair.Second));
        Assert.All(Enumerable.Range(0, prompts.Length), i => Assert.True(
            expected[2 * i].LogProbs.Zip(expected[(2 * i) + 1].LogProbs).Max(pair => Math.Abs(pair.First.LogProb - pair.Second.LogProb)) > 0.01));
        Assert.True(crowded.Snapshot().Preemptions > 0);
        Assert.True(crowded.Snapshot().CachedPromptTokens > 0);
        Assert.Equal(live, await crowdedLease.TurnAsync(() => DisposeScopeManager.Statistics.ThreadTotalLiveCount, None));

        async Task<GenerationRequest[]> RequestsAsync(ModelLease lease)
        {
            using LoraAdapter adapter = Adapter(lease.Config);
            string version = await lease.PublishAsync(adapter, None);
            return [.. prompts.SelectMany(prompt => new[] { Request(prompt, 120, Scored), Request(prompt, 120, Scored) with { WeightVersion = version } })];
        }
    }

    [Fact]
    public async Task Load_OtherWeights_PacksThemInTurnsAndServesThemOnce()
    {
        string folder = Directory.CreateTempSubdirectory("tooln1-load").FullName;
        try
        {
            RandomCheckpoint.Write(ModelConfig.Load(GoldenModel.Load(Fixture).Folder), folder, seed: 5, ScalarType.Float32);
            await using InferenceEngine engine = Start();
            long turnsBefore = engine.Snapshot().Turns;
            string[] versions = await Task.WhenAll(engine.Host.LoadAsync(folder, None), engine.Host.LoadAsync(folder, None));
            Assert.Equal(versions[0], versions[1]);
            Assert.Equal([engine.Host.LiveVersion, versions[0]], engine.Host.Versions);
            Assert.True(PanelKernel.For(ScalarType.Float32) is null || engine.Snapshot().Turns - turnsBefore >= 30);

            Decoder loaded = CheckpointLoader.Load(folder, CPU, ScalarType.Float32);
            await using InferenceEngine other = InferenceEngine.Start(loaded, InferenceEngine.Describe(loaded, "other"), new EngineOptions());
            AssertSame(await Run(other, Request(Prompt, 12, Scored)), await Run(engine, Request(Prompt, 12, Scored) with { WeightVersion = versions[0] }), 1e-4);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task AddAdapter_BaseRetiredBetweenItsTurns_IsRefused()
    {
        string folder = Directory.CreateTempSubdirectory("tooln1-load").FullName;
        try
        {
            RandomCheckpoint.Write(ModelConfig.Load(GoldenModel.Load(Fixture).Folder), folder, seed: 5, ScalarType.Float32);
            await using InferenceEngine engine = Start();
            string version = await engine.Host.LoadAsync(folder, None);
            await using ModelLease lease = engine.Host.Lease("work", 0);
            using LoraAdapter adapter = Adapter(lease.Config);

            // The adapter's first turn and the base's end wait behind this one, in this order.
            using ManualResetEventSlim gate = new();
            Task held = lease.TurnAsync(() => gate.Wait(None), None);
            Task adding = engine.Host.AddAdapterAsync("adapter", version, adapter, None);
            Task retiring = engine.Host.RetireAsync(version, None);
            gate.Set();
            await held;
            await retiring;

            Assert.Contains(version, (await Assert.ThrowsAsync<ArgumentException>(() => adding)).Message, StringComparison.Ordinal);
            Assert.Equal([engine.Host.LiveVersion], engine.Host.Versions);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static InferenceEngine Start(bool reference = false)
    {
        InferenceEngine engine = EngineHarness.Start(Fixture, reference: reference);
        ((ModelHost)engine.Host).TurnBytes = TurnBytes;
        return engine;
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

    // An adapter's products may round otherwise in another batch: where two candidates are closer than that, either may be taken.
    private static void AssertSameUpToATie(Generated expected, Generated actual)
    {
        Assert.Equal(expected.Tokens.Count, actual.Tokens.Count);
        int same = expected.Tokens.Zip(actual.Tokens).TakeWhile(pair => pair.First == pair.Second).Count();
        for (int i = 0; i < Math.Min(same + 1, expected.LogProbs.Count); i++)
        {
            Assert.Equal(expected.LogProbs[i].LogProb, actual.LogProbs[i].LogProb, 1e-3);
        }
    }

    // Tells when the engine's thread takes a tensor.
    private sealed class WeightList(IReadOnlyList<(string Name, Tensor Tensor)> weights, Action<int> onTaken) : IReadOnlyList<(string Name, Tensor Tensor)>
    {
        public int Count => weights.Count;

        public (string Name, Tensor Tensor) this[int index] => weights[index];

        public IEnumerator<(string Name, Tensor Tensor)> GetEnumerator()
        {
            for (int i = 0; i < weights.Count; i++)
            {
                if (Thread.CurrentThread.Name == "ToolN1 engine")
                {
                    onTaken(i);
                }

                yield return weights[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
