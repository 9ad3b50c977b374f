using Microsoft.Extensions.Logging.Abstractions;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;
using ToolN1.Engine.Tests.Kernels;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using TorchSharp;
using static ToolN1.Engine.Tests.Execution.EngineHarness;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>What must not depend on who else runs: over a real model in f32.</summary>
public sealed class EngineBehaviourTests
{
    private const string Fixture = "qwen2-tiny";

    private static int[] Prompt(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => ((i * 7919) + (seed * 104729)) % 1024)];

    private static SamplingParameters Sampled(long seed) => new() { Temperature = 0.9f, TopP = 0.95f, Seed = seed, IgnoreEndOfSequence = true };

    private static SamplingParameters Greedy => SamplingParameters.Greedy with { IgnoreEndOfSequence = true };

    [Fact]
    public async Task Generate_SameSeed_GivesTheSameTokensWhateverElseRuns()
    {
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 12).Select(i => Request(Prompt(5 + (9 * i), i), 12, i % 2 == 0 ? Greedy : Sampled(i))),
        ];
        await using InferenceEngine alone = Start(Fixture, options: new EngineOptions { EnablePrefixCache = false });
        List<List<int>> expected = [];
        foreach (GenerationRequest request in requests)
        {
            expected.Add((await Run(alone, request)).Tokens);
        }

        // A small budget: prompts are cut into chunks and every step mixes chunks with decodes.
        await using InferenceEngine crowded = Start(
            Fixture, options: new EngineOptions { MaxSequences = 6, MaxBatchedTokens = 23, BlockSize = 4, KvCacheMiB = 1, MaxModelLength = 128 });
        Generated[] together = await Task.WhenAll(requests.Select(request => Run(crowded, request)));
        Assert.Equal(expected, together.Select(generated => generated.Tokens));
    }

    [Theory]
    [MemberData(nameof(PanelKernels.All), MemberType = typeof(PanelKernels))]
    public async Task Generate_AmongOthersInChunksFromTheCache_IsTheSameToTheLastBit(string name)
    {
        PanelKernel kernel = PanelKernels.Get(name);
        ScalarType dtype = PanelKernels.DTypeOf(name);

        // Our CPU kernels sum in an order that no batch, chunk or cached prefix changes.
        int[] common = Prompt(40, 99);
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 10).Select(i => Request([.. common, .. Prompt(1 + (7 * i), i)], 10, Greedy with { TopLogProbs = 5 })),
        ];
        await using InferenceEngine alone = Start(
            Fixture, dtype, options: new EngineOptions { EnablePrefixCache = false }, kernel: kernel);
        List<string> expected = [];
        foreach (GenerationRequest request in requests)
        {
            expected.Add(Bits(await Run(alone, request)));
        }

        await using InferenceEngine crowded = Start(
            Fixture, dtype, options: new EngineOptions { MaxSequences = 6, MaxBatchedTokens = 23, BlockSize = 4, MaxModelLength = 256 }, kernel: kernel);
        Generated[] together = await Task.WhenAll(requests.Select(request => Run(crowded, request)));
        Assert.Equal(expected, together.Select(Bits));
        Assert.True(crowded.Snapshot().CachedPromptTokens > 300);

        static string Bits(Generated generated) => string.Join(
            ' ', generated.LogProbs.SelectMany(logProb => logProb.Top).Select(top => $"{top.TokenId}:{BitConverter.SingleToInt32Bits(top.LogProb):x}"));
    }

    [Fact]
    public async Task Generate_Preempted_ContinuesWithTheSameTokens()
    {
        // One MiB holds 1360 tokens, and ten sequences grow to 2200.
        EngineOptions options = new() { KvCacheMiB = 1, MaxModelLength = 220, MaxSequences = 10, EnablePrefixCache = false };
        await using InferenceEngine engine = Start(Fixture, options: options);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 10).Select(i => Request(Prompt(100, i), 120, i % 2 == 0 ? Greedy : Sampled(i)))];
        List<List<int>> expected = [];
        foreach (GenerationRequest request in requests)
        {
            expected.Add((await Run(engine, request)).Tokens);
        }

        Assert.Equal(0, engine.Snapshot().Preemptions);
        Generated[] together = await Task.WhenAll(requests.Select(request => Run(engine, request)));
        Assert.True(engine.Snapshot().Preemptions > 0);
        Assert.Equal(expected, together.Select(generated => generated.Tokens));
    }

    [Fact]
    public async Task Generate_PrefixCached_GivesTheSameTokensAndCountsThem()
    {
        await using InferenceEngine engine = Start(Fixture);
        int[] prompt = Prompt(100, 3);
        Generated first = await Run(engine, Request(prompt, 10, Greedy));
        Generated again = await Run(engine, Request(prompt, 10, Greedy));
        Generated longer = await Run(engine, Request([.. prompt, .. first.Tokens, 5], 10, Greedy));
        Assert.Equal(0, first.CachedPromptTokens);
        Assert.Equal(96, again.CachedPromptTokens);
        Assert.Equal(first.Tokens, again.Tokens);

        // Generated tokens are cached too: 109 of the 111 tokens were computed before, 96 of them in full blocks.
        Assert.Equal(96, longer.CachedPromptTokens);
        Assert.Equal(192, engine.Snapshot().CachedPromptTokens);
        Assert.Equal(100 + 4 + 15, engine.Snapshot().PromptTokens);
    }

    [Fact]
    public async Task Generate_PromptLogProbsOfCachedPrompt_AreStillComplete()
    {
        await using InferenceEngine engine = Start(Fixture);
        GoldenCase golden = GoldenModel.Load(Fixture).Cases[^1];
        await Run(engine, Request(golden.InputIds, 1, Greedy));
        Generated scored = await Run(engine, Request(golden.InputIds, 0, Greedy, promptLogProbs: 3));
        Assert.Equal(golden.InputIds.Length, scored.PromptLogProbs!.Count);
        float[] logProbs = [.. scored.PromptLogProbs.Skip(1).Select(logProb => logProb!.LogProb)];
        Assert.InRange(GoldenAssert.LogProbError(golden, logProbs), 0, 1e-4);
        Assert.All(scored.PromptLogProbs.Skip(1), logProb => Assert.Equal(3, logProb!.Top.Count));
    }

    [Fact]
    public async Task Generate_MinimumTokens_OutlastsStopIds()
    {
        await using InferenceEngine engine = Start(Fixture);
        int[] prompt = Prompt(9, 4);
        int likeliest = (await Run(engine, Request(prompt, 1, Greedy))).Tokens[0];
        SamplingParameters stopping = Greedy with { StopTokenIds = [likeliest] };
        Assert.Equal([likeliest], (await Run(engine, Request(prompt, 8, stopping))).Tokens);
        List<int> longer = (await Run(engine, Request(prompt, 8, stopping with { MinNewTokens = 4 }))).Tokens;
        Assert.DoesNotContain(likeliest, longer.Take(4));
        Assert.True(longer.Count >= 5);
    }

    [Fact]
    public async Task Generate_SamplerOfOneSequenceThrows_CostsThatSequenceAlone()
    {
        await using InferenceEngine engine = Start(Fixture);
        int[] prompt = Prompt(9, 4);
        List<int> expected = (await Run(engine, Request(prompt, 40, Greedy))).Tokens;
        Task<Generated> mate = Run(engine, Request(prompt, 40, Greedy));
        for (int i = 0; i <= EngineLoop.MaxConsecutiveFaults; i++)
        {
            EngineFaultException fault = await Assert.ThrowsAsync<EngineFaultException>(
                () => Run(engine, Request(Prompt(5, i), 3, Greedy with { LogitBias = new BiasThatThrows() })));
            Assert.IsType<InvalidOperationException>(fault.InnerException);
        }

        Assert.Equal(expected, (await mate).Tokens);
        Assert.True(engine.Snapshot().Healthy);
    }

    [Fact]
    public async Task Generate_ThousandRequests_LeavesNoTensorBehind()
    {
        GoldenModel golden = GoldenModel.Load(Fixture);
        Decoder decoder = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.Float32);
        EngineOptions options = new() { MaxQueuedRequests = 2000, KvCacheMiB = 4 };
        EnginePlan plan = EnginePlan.Create(options, decoder.Config, decoder.DType, CPU);
        WorkerPool workers = new(2);
        KvCachePool pool = new(decoder.Config, plan.Blocks, plan.BlockSize, decoder.DType, CPU);
        CountingRunner runner = new(new ModelRunner(decoder, pool, new CpuPagedAttention(decoder.Config, workers), workers));
        await using InferenceEngine engine = InferenceEngine.Start(
            runner, InferenceEngine.Describe(decoder, Fixture), plan, options, NullLogger.Instance);

        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Run(engine, Request(Prompt(1 + (i % 40), i % 7), 1 + (i % 3), Sampled(i), i % 5 == 0 ? 1 : null))));
        Assert.Equal(1000, engine.Snapshot().FinishedRequests);
        Assert.True(runner.LiveAfterSteps.Count > 100);
        Assert.Single(runner.LiveAfterSteps.Distinct());
    }

    // Holds up to every check and fails where the sampler reads it.
    private sealed class BiasThatThrows : IReadOnlyDictionary<int, float>
    {
        public IEnumerable<int> Keys => [0];

        public IEnumerable<float> Values => [0];

        public int Count => 1;

        public float this[int key] => 0;

        public bool ContainsKey(int key) => key == 0;

        public bool TryGetValue(int key, out float value)
        {
            value = 0;
            return key == 0;
        }

        public IEnumerator<KeyValuePair<int, float>> GetEnumerator() => throw new InvalidOperationException("a sampler's mistake");

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    // Statistics are kept by thread, so they are read on the engine's.
    private sealed class CountingRunner(ModelRunner inner) : IStepRunner
    {
        public List<long> LiveAfterSteps { get; } = [];

        public IReadOnlyList<StepResult> Execute(ScheduledBatch batch)
        {
            IReadOnlyList<StepResult> results = inner.Execute(batch);
            LiveAfterSteps.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            return results;
        }

        public void Dispose() => inner.Dispose();
    }
}
