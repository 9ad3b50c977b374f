using Microsoft.Extensions.Logging.Abstractions;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;
using static ToolN1.Engine.Tests.Execution.EngineHarness;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>Queueing, cancelling, failing and stopping, over a runner that computes nothing.</summary>
public sealed class EngineLoopTests : IDisposable
{
    private const int Vocabulary = 1000;

    private static readonly ModelInfo Info = new("fake", 128, Vocabulary, [900, 901], "v1");

    private readonly FakeRunner _runner = new(Vocabulary);

    private InferenceEngine Start(int maxQueued = 100, int blocks = 32, int maxSequences = 4) => InferenceEngine.Start(
        _runner, Info, new EnginePlan(blocks, 4, maxSequences, 64, Info.MaxModelLength),
        new EngineOptions { MaxQueuedRequests = maxQueued }, NullLogger.Instance);

    public void Dispose() => _runner.Dispose();

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_ManyRequests_EndsEachExactlyOnce()
    {
        await using InferenceEngine engine = Start();
        Generated[] all = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Run(engine, Request([i, i], 1 + (i % 9)))));
        for (int i = 0; i < all.Length; i++)
        {
            Assert.Equal([FinishReason.Length], all[i].Reasons);
            Assert.Equal(Enumerable.Range(i + 1, 1 + (i % 9)), all[i].Tokens);
        }
    }

    [Fact]
    public async Task Generate_FullQueue_RefusesAndLaterAcceptsAgain()
    {
        await using InferenceEngine engine = Start(maxQueued: 2, maxSequences: 1);
        _runner.Hold();
        Task<Generated> running = Run(engine, Request([1], 2));
        await _runner.StepBegun();
        Task<Generated>[] queued = [Run(engine, Request([2], 2)), Run(engine, Request([3], 2))];

        EngineOverloadedException refusal = Assert.Throws<EngineOverloadedException>(() => engine.Generate(Request([4], 2), None));
        Assert.True(refusal.RetryAfter > TimeSpan.Zero);
        Assert.Equal(2, engine.Snapshot().WaitingSequences);

        _runner.LetGo();
        await Task.WhenAll([running, .. queued]);
        Assert.Equal([5, 6], (await Run(engine, Request([4], 2))).Tokens);
    }

    [Fact]
    public async Task Generate_QueueFullOfBackgroundRequests_StillAcceptsALiveOne()
    {
        await using InferenceEngine engine = Start(maxQueued: 2, maxSequences: 1);
        _runner.Hold();
        Task<Generated> running = Run(engine, Request([1], 2));
        await _runner.StepBegun();
        GenerationRequest background = Request([2], 2) with { Priority = RequestPriority.Background };
        Task<Generated>[] queued = [Run(engine, background), Run(engine, background)];

        Assert.Throws<EngineOverloadedException>(() => engine.Generate(background, None));
        Task<Generated> live = Run(engine, Request([4], 2));

        _runner.LetGo();
        await Task.WhenAll([running, live, .. queued]);
        Assert.Equal([5, 6], (await live).Tokens);
        Assert.Equal(engine.Snapshot().Steps, engine.Snapshot().FullSteps);
    }

    [Fact]
    public async Task Cancel_RunningRequest_FreesItsBlocksWithinTwoStepsAndEndsAsCancelled()
    {
        await using InferenceEngine engine = Start();
        using CancellationTokenSource cancellation = new();
        _runner.Hold();
        Task<Generated> other = Run(engine, Request([2, 3], 60));
        await _runner.StepBegun();
        Task<Generated> cancelled = Collect(engine.Generate(Request([.. Enumerable.Range(0, 40)], 60), cancellation.Token));
        _runner.ReleaseStep();
        await _runner.StepBegun();
        _runner.ReleaseStep();
        await _runner.StepBegun();
        Assert.True(engine.Snapshot().UsedBlocks >= 10);

        // The step under way ends, and before the next one computes the blocks are free.
        await cancellation.CancelAsync();
        _runner.ReleaseStep();
        await _runner.StepBegun();
        _runner.ReleaseStep();
        await _runner.StepBegun();
        Assert.InRange(engine.Snapshot().UsedBlocks, 1, 2);
        Assert.Equal([FinishReason.Cancelled], (await cancelled).Reasons);

        _runner.LetGo();
        Assert.Equal(60, (await other).Tokens.Count);
    }

    [Fact]
    public async Task Cancel_BeforeTheFirstStep_EndsAsCancelledAndLeavesTheQueue()
    {
        await using InferenceEngine engine = Start();
        Generated cancelled = await Collect(engine.Generate(Request([1], 5), new CancellationToken(canceled: true)));
        Assert.Equal([FinishReason.Cancelled], cancelled.Reasons);
        Assert.Equal(0, engine.Snapshot().WaitingSequences);
    }

    [Fact]
    public async Task Read_EnumerationEndedEarly_CancelsTheRequest()
    {
        await using InferenceEngine engine = Start(maxSequences: 1);
        await foreach (GenerationUpdate update in engine.Generate(Request([1], 100), None))
        {
            Assert.Equal([2], update.TokenIds);
            break;
        }

        // With one place in the batch this could not run unless the first request had ended.
        Assert.Equal([8], (await Run(engine, Request([7], 1))).Tokens);
        await engine.StopAsync(None);
        Assert.Equal(0, engine.Snapshot().UsedBlocks);
        Assert.Equal(2, engine.Snapshot().FinishedRequests);
    }

    [Fact]
    public async Task Read_NobodyReads_StallsNobody()
    {
        await using InferenceEngine engine = Start();
        IAsyncEnumerable<GenerationUpdate> unread = engine.Generate(Request([1], 100), None);
        Assert.Equal(90, (await Run(engine, Request([2], 90))).Tokens.Count);
        await engine.StopAsync(None);
        Assert.Equal(100, (await Collect(unread)).Tokens.Count);
    }

    [Fact]
    public async Task Step_Fails_FailsItsRequestsAndServesTheNext()
    {
        await using InferenceEngine engine = Start();
        _runner.Fault = batch => batch.Items.Any(item => item.Sequence.Tokens[0] == 5) ? new InvalidOperationException("broken") : null;
        EngineFaultException fault = await Assert.ThrowsAsync<EngineFaultException>(() => Run(engine, Request([5], 3)));
        Assert.Equal("broken", fault.InnerException!.Message);

        Assert.Equal([7], (await Run(engine, Request([6], 1))).Tokens);
        Assert.True(engine.Snapshot().Healthy);
        await engine.StopAsync(None);
        Assert.Equal(0, engine.Snapshot().UsedBlocks);
    }

    [Fact]
    public async Task Step_FailsAgainAndAgain_MakesTheEngineRefuse()
    {
        await using InferenceEngine engine = Start();
        _runner.Fault = _ => new InvalidOperationException("broken");
        for (int i = 0; i < EngineLoop.MaxConsecutiveFaults; i++)
        {
            await Assert.ThrowsAsync<EngineFaultException>(() => Run(engine, Request([5], 3)));
        }

        await Assert.ThrowsAnyAsync<Exception>(() => Run(engine, Request([5], 3)));
        Assert.Throws<EngineOverloadedException>(() => engine.Generate(Request([5], 3), None));
        Assert.False(engine.Snapshot().Healthy);
    }

    [Fact]
    public async Task HostTurn_RequestsThatATrainerOwes_ComesAtOnceAndForgivesNothing()
    {
        BlockAllocator allocator = new(32);
        EngineLoop loop = new(_runner, new Scheduler(new SchedulerLimits(4, 64), allocator, null), allocator, 100, "v1", NullLogger.Instance);
        _runner.Hold();
        GenerationRequest request = Request([1], 20);
        loop.Submit(new RequestState(new Sequence(request, new SamplerState(request.Sampling, request.PromptTokenIds, [], 1), 4)));
        await _runner.StepBegun();

        // A trainer's turn after which the request has minutes of steps coming.
        Task first = loop.RunAsync(new EngineTurn(() => Thread.Sleep(20), 0.9999, None));
        await NextStepAsync();
        Assert.True(first.IsCompletedSuccessfully);
        Task host = loop.RunAsync(new EngineTurn(() => { }, LiveShare: null, None));
        Task second = loop.RunAsync(new EngineTurn(() => { }, 0.9999, None));
        await NextStepAsync();
        Assert.True(host.IsCompletedSuccessfully);
        await NextStepAsync();
        Assert.False(second.IsCompleted);

        // Nothing is owed to a request that has ended.
        _runner.LetGo();
        await second;
        loop.BeginDrain();
        await loop.Stopped;

        Task NextStepAsync()
        {
            _runner.ReleaseStep();
            return _runner.StepBegun();
        }
    }

    [Fact]
    public async Task StopAsync_RequestsInFlight_DrainsThemAndRefusesNewOnes()
    {
        InferenceEngine engine = Start(maxSequences: 1);
        _runner.Hold();
        Task<Generated>[] inFlight = [Run(engine, Request([1], 20)), Run(engine, Request([2], 20))];
        await _runner.StepBegun();
        Task stopping = engine.StopAsync(None);
        Assert.Throws<EngineOverloadedException>(() => engine.Generate(Request([3], 1), None));
        _runner.LetGo();
        await stopping;
        Assert.All(await Task.WhenAll(inFlight), generated => Assert.Equal([FinishReason.Length], generated.Reasons));
        Assert.True(_runner.IsDisposed);
    }

    [Fact]
    public async Task StopAsync_PatienceEnds_CancelsWhatIsInFlight()
    {
        InferenceEngine engine = Start();
        _runner.Hold();
        Task<Generated> inFlight = Run(engine, Request([1], 100));
        await _runner.StepBegun();
        Task stopping = engine.StopAsync(new CancellationToken(canceled: true));
        _runner.LetGo();
        await stopping;
        Assert.Equal([FinishReason.Cancelled], (await inFlight).Reasons);
    }

    [Fact]
    public async Task Generate_EndOfSequence_StopsAtAnyOfTheIdsUnlessIgnored()
    {
        await using InferenceEngine engine = Start();
        Generated first = await Run(engine, Request([898], 10));
        Assert.Equal([899, 900], first.Tokens);
        Assert.Equal([FinishReason.Stop], first.Reasons);
        Assert.Equal(900, first.StopTokenId);

        Generated second = await Run(engine, Request([900], 10));
        Assert.Equal([901], second.Tokens);

        SamplingParameters ignoring = SamplingParameters.Greedy with { IgnoreEndOfSequence = true, StopTokenIds = [903] };
        Generated ignored = await Run(engine, Request([898], 10, ignoring));
        Assert.Equal([899, 900, 901, 902, 903], ignored.Tokens);
        Assert.Equal(903, ignored.StopTokenId);
    }

    [Fact]
    public async Task Generate_ZeroNewTokens_EvaluatesThePromptOnly()
    {
        await using InferenceEngine engine = Start();
        Generated generated = await Run(engine, Request([1, 2, 3], 0));
        Assert.Empty(generated.Tokens);
        Assert.Equal([FinishReason.Length], generated.Reasons);
    }

    [Theory]
    [InlineData(new int[0], 1, "empty")]
    [InlineData(new[] { 1, 1000 }, 1, "token 1000")]
    [InlineData(new[] { -1 }, 1, "token -1")]
    [InlineData(new[] { 1, 2 }, 127, "128")]
    [InlineData(new[] { 1 }, -1, "MaxNewTokens")]
    public async Task Generate_ImpossibleRequest_IsRefusedInTheCall(int[] prompt, int maxNewTokens, string named)
    {
        await using InferenceEngine engine = Start();
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => engine.Generate(Request(prompt, maxNewTokens), None));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, engine.Snapshot().WaitingSequences);
    }

    [Theory]
    [InlineData(Vocabulary)]
    [InlineData(-1)]
    public async Task Generate_BiasOrStopIdOutsideTheVocabulary_IsRefusedInTheCall(int id)
    {
        await using InferenceEngine engine = Start();
        SamplingParameters biased = SamplingParameters.Greedy with { LogitBias = new Dictionary<int, float> { [id] = 1 } };
        SamplingParameters stopped = SamplingParameters.Greedy with { StopTokenIds = [id] };
        Assert.Contains($"LogitBias names token {id}", Assert.Throws<ArgumentException>(() => engine.Generate(Request([1], 1, biased), None)).Message, StringComparison.Ordinal);
        Assert.Contains($"StopTokenIds names token {id}", Assert.Throws<ArgumentException>(() => engine.Generate(Request([1], 1, stopped), None)).Message, StringComparison.Ordinal);
        Assert.Equal([2], (await Run(engine, Request([1], 1))).Tokens);
    }
}
