using System.Runtime.CompilerServices;
using ToolN1.Engine;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;
using ToolN1.Training.Rollouts;
using ToolN1.Training.Tests.Grpo;

namespace ToolN1.Training.Tests.Rollouts;

public sealed class RolloutSamplerTests(GrpoFixture fixture) : IClassFixture<GrpoFixture>
{
    private const int Responses = 600;

    [Fact]
    public async Task Sample_EngineThatRunsManyAtOnce_IsKeptFull()
    {
        // Nothing is answered before 500 are asked for.
        using CancellationTokenSource limit = Limit();
        TaskCompletionSource full = new(TaskCreationOptions.RunContinuationsAsynchronously);
        GatedEngine engine = new(maxSequences: 500, full.Task, asked => TrySet(full, asked == 500));
        using RewardPool pool = new(new FunctionReward(() => 1), 2, TimeSpan.FromSeconds(5));

        Assert.Equal(Responses, (await SampleAsync(engine, pool, limit.Token)).Sum(group => group.Scored.Count));
    }

    [Fact]
    public async Task Sample_EngineThatRunsFew_LeavesItsQueueToOthers()
    {
        using CancellationTokenSource limit = Limit();
        // Nothing is answered before four are asked for, and then not at once: more would be asked for if they could.
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        GatedEngine engine = new(maxSequences: 4, AfterAWhileAsync(running.Task, limit.Token), asked => TrySet(running, asked == 4));
        using RewardPool pool = new(new FunctionReward(() => 1), 2, TimeSpan.FromSeconds(5));
        await SampleAsync(engine, pool, limit.Token);

        Assert.InRange(engine.MostAtOnce, 4, 128);
    }

    [Fact]
    public async Task Sample_RewardThatTakesLong_IsWaitedForWhileTheOthersAreSampled()
    {
        // No score before the last response was asked for.
        using CancellationTokenSource limit = Limit();
        using ManualResetEventSlim allAsked = new();
        GatedEngine engine = new(maxSequences: 4, Task.CompletedTask, asked => Set(allAsked, asked == Responses));
        using RewardPool pool = new(new FunctionReward(() => allAsked.Wait(TimeSpan.FromSeconds(20)) ? 1 : throw new TimeoutException()), 2, TimeSpan.FromSeconds(30));

        Assert.Equal(Responses, (await SampleAsync(engine, pool, limit.Token)).Sum(group => group.Scored.Count));
    }

    private static async Task AfterAWhileAsync(Task first, CancellationToken cancellationToken)
    {
        await first.WaitAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
    }

    private static CancellationTokenSource Limit()
    {
        CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        return limit;
    }

    private static void TrySet(TaskCompletionSource source, bool now)
    {
        if (now)
        {
            source.TrySetResult();
        }
    }

    private static void Set(ManualResetEventSlim source, bool now)
    {
        if (now)
        {
            source.Set();
        }
    }

    private Task<RolloutGroup[]> SampleAsync(GatedEngine engine, RewardPool pool, CancellationToken cancellationToken)
    {
        GrpoConfig config = fixture.Config("sampler") with { GroupSize = 4 };
        TrainingRow row = TrainingRowReader.Read(fixture.Rows).First();
        RolloutSampler sampler = new(config, engine, Tokenizer.Load(fixture.Model), [], pool);
        return sampler.SampleAsync([.. Enumerable.Range(0, Responses / 4).Select(i => new PromptRow(i, row, [1, 2]))], GatedEngine.Version, 1, 8, () => { }, () => { }, cancellationToken);
    }

    private sealed class FunctionReward(Func<double> score) : IReward
    {
        public RewardScore Score(RewardSample sample, CancellationToken cancellationToken) => new(score(), []);
    }

    /// <summary>Answers each request with one token once the gate is open.</summary>
    private sealed class GatedEngine(int maxSequences, Task gate, Action<int> asked) : IInferenceEngine
    {
        public const string Version = "v";

        private readonly Lock _sync = new();
        private int _asked;
        private int _open;

        public int MostAtOnce { get; private set; }

        public ModelInfo Model { get; } = new("gated", 64, 600, [0], Version);

        public IAsyncEnumerable<GenerationUpdate> Generate(GenerationRequest request, CancellationToken cancellationToken)
        {
            int count;
            lock (_sync)
            {
                MostAtOnce = Math.Max(MostAtOnce, ++_open);
                count = ++_asked;
            }

            asked(count);
            return AnswerAsync(cancellationToken);
        }

        public EngineSnapshot Snapshot() => new()
        {
            RunningSequences = 0,
            WaitingSequences = 0,
            TotalBlocks = 0,
            UsedBlocks = 0,
            Steps = 0,
            PromptTokens = 0,
            CachedPromptTokens = 0,
            GeneratedTokens = 0,
            Preemptions = 0,
            FinishedRequests = 0,
            MaxSequences = maxSequences,
        };

        private async IAsyncEnumerable<GenerationUpdate> AnswerAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await gate.WaitAsync(cancellationToken);
            lock (_sync)
            {
                _open--;
            }

            yield return new GenerationUpdate { TokenIds = [5], LogProbs = [new TokenLogProb(5, -1, [])], FinishReason = FinishReason.Stop, WeightVersion = Version };
        }
    }
}
