using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Diagnostics;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Execution;

/// <summary>
/// The engine's thread. It alone touches scheduler, cache and tensors: it takes commands, schedules, computes and hands
/// updates out, one step after the other, and sleeps when there is nothing to do.
/// </summary>
/// <remarks>
/// A step that throws fails the requests it computed and nobody else; the engine goes on. After
/// <see cref="MaxConsecutiveFaults"/> such steps in a row it is unhealthy: every request fails and new ones are refused,
/// because a device that keeps failing will not serve the queue either. A restart is then the remedy.
/// </remarks>
internal sealed class EngineLoop
{
    /// <summary>Failing steps in a row after which the engine gives up.</summary>
    public const int MaxConsecutiveFaults = 3;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly IStepRunner _runner;
    private readonly Scheduler _scheduler;
    private readonly BlockAllocator _allocator;
    private readonly ILogger _logger;
    private readonly int _maxQueued;
    private readonly Dictionary<Sequence, RequestState> _requests = [];
    private readonly Dictionary<string, int> _requestsByVersion = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<EngineTurn> _turns = [];
    private readonly ConcurrentQueue<EngineTurn> _hostTurns = [];
    private readonly TurnPacer _pacer = new();
    private readonly Thread _thread;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Never holds more than two commands for each accepted request, and those are bounded by _maxQueued and the batch.
    private readonly Channel<EngineCommand> _inbox =
        Channel.CreateUnbounded<EngineCommand>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Lock _gate = new();
    private int _queuedLive;
    private int _queuedBackground;
    private bool _draining;
    private bool _ended;
    private volatile string _liveVersion;
    private volatile bool _aborting;
    private volatile bool _healthy = true;
    private int _consecutiveFaults;
    private long _steps;
    private long _fullSteps;
    private long _turnCount;
    private TimeSpan _turnTime;
    private long _promptTokens;
    private long _cachedPromptTokens;
    private long _generatedTokens;
    private long _forcedTokens;
    private long _finished;
    private volatile EngineSnapshot _snapshot;

    /// <summary>Starts the thread.</summary>
    /// <param name="runner">Computes batches; owned, disposed on the engine's thread at the end.</param>
    /// <param name="scheduler">Chooses batches.</param>
    /// <param name="allocator">The scheduler's blocks, for the snapshot.</param>
    /// <param name="maxQueued">Accepted requests that may wait for their first step.</param>
    /// <param name="liveVersion">Version of the weights that requests run on which name none.</param>
    /// <param name="logger">Where faults are told.</param>
    public EngineLoop(IStepRunner runner, Scheduler scheduler, BlockAllocator allocator, int maxQueued, string liveVersion, ILogger logger)
    {
        _liveVersion = liveVersion;
        _runner = runner;
        _scheduler = scheduler;
        _allocator = allocator;
        _maxQueued = maxQueued;
        _logger = logger;
        _snapshot = Observe();
        _thread = new Thread(Run) { IsBackground = true, Name = "ToolN1 engine" };
        _thread.Start();
    }

    /// <summary>Counters and gauges after the last step.</summary>
    public EngineSnapshot Snapshot
    {
        get
        {
            EngineSnapshot snapshot = _snapshot;
            return snapshot with
            {
                WaitingSequences = Math.Max(snapshot.WaitingSequences, Volatile.Read(ref _queuedLive) + Volatile.Read(ref _queuedBackground)),
                Healthy = _healthy,
            };
        }
    }

    /// <summary>Version of the weights that requests run on which name none. Set by the engine's thread.</summary>
    public string LiveVersion
    {
        get => _liveVersion;
        set => _liveVersion = value;
    }

    /// <summary>Asked on the engine's thread before a sequence starts: whether its version can be computed. Null: every one can.</summary>
    public Func<string, bool>? KnowsVersion { get; set; }

    /// <summary>Told on the engine's thread when the last sequence on a version has ended.</summary>
    public Action<string>? VersionIdle { get; set; }

    /// <summary>Completes when the thread has ended and its tensors are freed.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Accepts a request.</summary>
    /// <exception cref="EngineOverloadedException">The queue is full, or the engine is stopping or unhealthy.</exception>
    public void Submit(RequestState request)
    {
        lock (_gate)
        {
            if (_draining || !_healthy)
            {
                throw new EngineOverloadedException(_draining ? "The engine is stopping." : "The engine is out of order.", RetryAfter, _draining);
            }

            // Background requests count for themselves only: they must not keep a live one out.
            bool live = request.Sequence.Request.Priority == RequestPriority.Live;
            int ahead = live ? _queuedLive : _queuedLive + _queuedBackground;
            if (ahead >= _maxQueued)
            {
                throw new EngineOverloadedException($"The queue is full: {ahead} requests wait already.", RetryAfter);
            }

            _queuedLive += live ? 1 : 0;
            _queuedBackground += live ? 0 : 1;
            _inbox.Writer.TryWrite(new EngineCommand(EngineCommandKind.Start, request));
        }
    }

    /// <summary>Ends a request; its blocks are free after the step under way. Harmless when it has ended.</summary>
    public void Cancel(RequestState request) => _inbox.Writer.TryWrite(new EngineCommand(EngineCommandKind.Cancel, request));

    /// <summary>Queues a turn: work that runs alone on the engine's thread, between two steps.</summary>
    /// <exception cref="EngineOverloadedException">The engine is stopping.</exception>
    public Task RunAsync(EngineTurn turn)
    {
        lock (_gate)
        {
            if (_draining || _ended)
            {
                throw new EngineOverloadedException("The engine is stopping.", RetryAfter, isStopping: true);
            }

            (turn.LiveShare is null ? _hostTurns : _turns).Enqueue(turn);
            _inbox.Writer.TryWrite(new EngineCommand(EngineCommandKind.Wake, null));
        }

        return turn.Done;
    }

    /// <summary>Whether a sequence is in flight on a version of the weights. Engine's thread only.</summary>
    public bool IsInUse(string version) => _requestsByVersion.ContainsKey(version);

    /// <summary>Refuses new requests; the thread ends once those in flight have.</summary>
    public void BeginDrain()
    {
        lock (_gate)
        {
            _draining = true;
            _inbox.Writer.TryWrite(new EngineCommand(EngineCommandKind.Wake, null));
        }
    }

    /// <summary>Refuses new requests, cancels those in flight, and ends the thread.</summary>
    public void Abort()
    {
        _aborting = true;
        BeginDrain();
    }

    private void Run()
    {
        try
        {
            while (TakeCommands())
            {
                TakeTurn();
                if (HasRequests)
                {
                    Step();
                }

                _snapshot = Observe();
            }
        }
        catch (Exception exception)
        {
            // Not a failed step but a broken invariant of ours: nothing here can be trusted any more.
            GiveUp(exception);
            while (_inbox.Reader.TryRead(out EngineCommand command))
            {
                Apply(command);
            }
        }
        finally
        {
            lock (_gate)
            {
                _ended = true;
            }

            while (_hostTurns.TryDequeue(out EngineTurn? turn) || _turns.TryDequeue(out turn))
            {
                turn.Refuse(new EngineOverloadedException("The engine has stopped.", RetryAfter, isStopping: true));
            }

            _runner.Dispose();
            _snapshot = Observe();
            _stopped.SetResult();
        }
    }

    private bool HasRequests => _scheduler.RunningCount + _scheduler.WaitingCount > 0;

    private void TakeTurn()
    {
        if (_hostTurns.TryDequeue(out EngineTurn? turn) || (_pacer.MayBegin(HasRequests) && _turns.TryDequeue(out turn)))
        {
            long begin = Stopwatch.GetTimestamp();
            turn.Run();
            TimeSpan duration = Stopwatch.GetElapsedTime(begin);
            if (turn.LiveShare is double share)
            {
                _pacer.TurnTook(duration, share);
            }

            _turnCount++;
            _turnTime += duration;
            _snapshot = Observe();
        }
    }

    // False when it is time to end. Sleeps while there is nothing to compute.
    private bool TakeCommands()
    {
        while (true)
        {
            while (_inbox.Reader.TryRead(out EngineCommand command))
            {
                Apply(command);
            }

            if (_aborting)
            {
                EndAll(request => Finish(request, FinishReason.Cancelled, [], null, null));
            }

            if (HasRequests || !_turns.IsEmpty || !_hostTurns.IsEmpty)
            {
                return true;
            }

            _snapshot = Observe();
            lock (_gate)
            {
                if (_draining && !_inbox.Reader.TryPeek(out _))
                {
                    return false;
                }
            }

            _inbox.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private void Apply(EngineCommand command)
    {
        if (command.Request is not { HasEnded: false } request)
        {
            return;
        }

        if (command.Kind == EngineCommandKind.Cancel)
        {
            Finish(request, FinishReason.Cancelled, [], null, null);
        }
        else if (!_healthy)
        {
            Fail(request, new EngineFaultException("The engine is out of order."));
        }
        else if (request.Sequence.Request.WeightVersion is string version && KnowsVersion?.Invoke(version) == false)
        {
            // Retired between acceptance and now.
            Fail(request, new EngineFaultException($"The weight version '{version}' is not served any more."));
        }
        else
        {
            request.Sequence.WeightVersion = request.Sequence.Request.WeightVersion ?? LiveVersion;
            _requests.Add(request.Sequence, request);
            _requestsByVersion[request.Sequence.WeightVersion] = _requestsByVersion.GetValueOrDefault(request.Sequence.WeightVersion) + 1;
            _scheduler.Add(request.Sequence);
        }
    }

    private void Step()
    {
        long begin = Stopwatch.GetTimestamp();
        ComputeStep();
        _pacer.StepTook(Stopwatch.GetElapsedTime(begin));
    }

    private void ComputeStep()
    {
        ScheduledBatch batch = _scheduler.Schedule();
        foreach (ScheduledSequence item in batch.Items)
        {
            LeaveQueue(_requests[item.Sequence]);
        }

        IReadOnlyList<StepResult> results;
        try
        {
            results = _runner.Execute(batch);
            _consecutiveFaults = 0;
        }
        catch (Exception exception)
        {
            OnFault(batch, exception);
            return;
        }

        _steps++;
        _fullSteps += batch.IsFull ? 1 : 0;
        foreach (ScheduledSequence item in batch.Items)
        {
            _promptTokens += Math.Max(0, Math.Min(item.Start + item.Count, item.Sequence.PromptLength) - item.Start);
        }

        _scheduler.Complete(batch);
        for (int i = 0; i < results.Count; i++)
        {
            Deliver(results[i], batch.Items[i]);
        }
    }

    private void Deliver(StepResult result, ScheduledSequence scheduled)
    {
        Sequence sequence = result.Sequence;
        RequestState request = _requests[sequence];
        if (result.Error is not null)
        {
            EngineLog.SequenceFailed(_logger, result.Error, sequence.Request.RequestId);
            Fail(request, new EngineFaultException(result.Error.Message, result.Error));
        }
        else if (result.Token is { } token)
        {
            int[] tokens = [.. sequence.Tokens[^sequence.ForcedCount..], token.TokenId];
            IReadOnlyList<TokenLogProb>? logProbs = token.LogProb is null ? null : [.. sequence.ForcedLogProbs, token.LogProb];
            _forcedTokens += sequence.ForcedCount;
            _generatedTokens++;
            sequence.Append(token.TokenId);
            bool stops = sequence.Sampler.IsStop(token.TokenId);
            FinishReason? reason = stops ? FinishReason.Stop
                : sequence.GeneratedCount == sequence.Request.MaxNewTokens ? FinishReason.Length
                : null;
            if (reason is null)
            {
                Write(request, null, tokens, logProbs, null);
                if (sequence.Constraint is not null)
                {
                    sequence.AppendForced();
                }
            }
            else
            {
                Finish(request, reason.Value, tokens, logProbs, stops ? token.TokenId : null);
            }
        }
        else if (scheduled.ReachesEnd)
        {
            Finish(request, FinishReason.Length, [], null, null);
        }
    }

    private void OnFault(ScheduledBatch batch, Exception exception)
    {
        EngineLog.StepFailed(_logger, exception, batch.Items.Count);
        foreach (ScheduledSequence item in batch.Items)
        {
            Fail(_requests[item.Sequence], new EngineFaultException("The engine failed while computing this request.", exception));
        }

        if (++_consecutiveFaults >= MaxConsecutiveFaults)
        {
            GiveUp(exception);
        }
    }

    private void GiveUp(Exception exception)
    {
        EngineLog.Unhealthy(_logger, exception);
        lock (_gate)
        {
            _healthy = false;
        }

        EndAll(request => Fail(request, new EngineFaultException("The engine is out of order.", exception)));
    }

    private void EndAll(Action<RequestState> end)
    {
        foreach (RequestState request in _requests.Values.ToArray())
        {
            end(request);
        }
    }

    private void Finish(
        RequestState request, FinishReason reason, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogProb>? logProbs, int? stopToken)
    {
        // A cancelled request may have filled its channel but for the last token's place, which this update then takes.
        Write(request, reason, tokens, logProbs, stopToken);
        End(request, null);
    }

    private void Fail(RequestState request, EngineFaultException error) => End(request, error);

    private void Write(
        RequestState request, FinishReason? reason, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogProb>? logProbs, int? stopToken)
    {
        Sequence sequence = request.Sequence;
        bool scored = !request.HasReported && sequence.Request.PromptLogProbs is not null && reason != FinishReason.Cancelled;
        request.HasReported = true;
        bool written = request.Output.Writer.TryWrite(new GenerationUpdate
        {
            TokenIds = tokens,
            LogProbs = logProbs,
            PromptLogProbs = scored ? sequence.PromptLogProbs : null,
            FinishReason = reason,
            StopTokenId = stopToken,
            WeightVersion = sequence.WeightVersion,
            CachedPromptTokens = sequence.CachedPromptTokens ?? 0,
        });
        if (!written)
        {
            throw new InvalidOperationException("A request's channel is full, though it has room for every token.");
        }
    }

    private void End(RequestState request, Exception? error)
    {
        LeaveQueue(request);
        request.HasEnded = true;
        _scheduler.Remove(request.Sequence);
        bool wasRunning = _requests.Remove(request.Sequence);
        _finished++;
        _cachedPromptTokens += request.Sequence.CachedPromptTokens ?? 0;
        request.Output.Writer.Complete(error);
        if (wasRunning)
        {
            LeaveVersion(request.Sequence.WeightVersion);
        }
    }

    private void LeaveVersion(string version)
    {
        if (--_requestsByVersion[version] == 0)
        {
            _requestsByVersion.Remove(version);
            VersionIdle?.Invoke(version);
        }
    }

    private void LeaveQueue(RequestState request)
    {
        if (request.IsQueued)
        {
            request.IsQueued = false;
            bool live = request.Sequence.Request.Priority == RequestPriority.Live;
            lock (_gate)
            {
                _queuedLive -= live ? 1 : 0;
                _queuedBackground -= live ? 0 : 1;
            }
        }
    }

    private EngineSnapshot Observe() => new()
    {
        RunningSequences = _scheduler.RunningCount,
        WaitingSequences = _scheduler.WaitingCount,
        TotalBlocks = _allocator.TotalBlocks,
        UsedBlocks = _allocator.UsedBlocks,
        Steps = _steps,
        FullSteps = _fullSteps,
        Turns = _turnCount,
        TurnTime = _turnTime,
        MaxSequences = _scheduler.MaxSequences,
        MaxBatchedTokens = _scheduler.MaxBatchedTokens,
        MaxQueuedRequests = _maxQueued,
        PromptTokens = _promptTokens,
        CachedPromptTokens = _cachedPromptTokens,
        GeneratedTokens = _generatedTokens,
        ForcedTokens = _forcedTokens,
        Preemptions = _scheduler.Preemptions,
        FinishedRequests = _finished,
        Healthy = _healthy,
    };
}
