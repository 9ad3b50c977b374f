using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ToolN1.Engine;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Api.Tests.Support;

/// <summary>An engine whose answers a test writes as text.</summary>
internal sealed class FakeEngine(Tokenizer tokenizer) : IInferenceEngine
{
    public const string ModelName = "org/test-model";
    public const int MaxModelLength = 8192;
    private int _active;
    private int _accepted;

    public ModelInfo Model { get; set; } = new(ModelName, MaxModelLength, tokenizer.VocabularySize, [0, 1], "0123456789abcdef");

    /// <summary>The answer's text, followed by the end of turn unless the token limit cuts it.</summary>
    public Func<GenerationRequest, string> Answer { get; set; } = _ => "Hello!";

    /// <summary>Awaited before each token of a request: (request, number of the token).</summary>
    public Func<GenerationRequest, int, CancellationToken, Task> BeforeToken { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Requests taken at once; beyond, the queue is full.</summary>
    public int Capacity { get; set; } = int.MaxValue;

    /// <summary>What a full queue asks callers to wait.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>Requests taken, the readiness probe aside.</summary>
    public ConcurrentQueue<GenerationRequest> Requests { get; } = [];

    /// <summary>Sequences that run now.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Whether the engine gives up its sequences, as a stopping one does.</summary>
    public bool Stopping { get; set; }

    public IAsyncEnumerable<GenerationUpdate> Generate(GenerationRequest request, CancellationToken cancellationToken)
    {
        if (request.RequestId != "readiness")
        {
            if (Interlocked.Increment(ref _active) > Capacity)
            {
                Interlocked.Decrement(ref _active);
                throw new EngineOverloadedException("full", RetryAfter);
            }

            Requests.Enqueue(request);
            Interlocked.Increment(ref _accepted);
        }

        return Run(request, cancellationToken);
    }

    /// <summary>What the snapshot says of the engine's health.</summary>
    public bool Healthy { get; set; } = true;

    public EngineSnapshot Snapshot() => new()
    {
        Healthy = Healthy,
        RunningSequences = Active,
        WaitingSequences = 0,
        TotalBlocks = 100,
        UsedBlocks = Active,
        Steps = 1,
        PromptTokens = 2,
        CachedPromptTokens = 3,
        GeneratedTokens = 4,
        Preemptions = 5,
        FullSteps = 6,
        Turns = 7,
        TurnTime = TimeSpan.FromMilliseconds(8),
        ForcedTokens = 9,
        MaxSequences = 10,
        MaxBatchedTokens = 11,
        MaxQueuedRequests = 12,
        FinishedRequests = _accepted - Active,
    };

    private async IAsyncEnumerable<GenerationUpdate> Run(GenerationRequest request, CancellationToken cancellationToken, [EnumeratorCancellation] CancellationToken enumeration = default)
    {
        try
        {
            int[] ids = [.. tokenizer.Encode(Answer(request)), 1];
            int count = Math.Min(ids.Length, request.MaxNewTokens);
            if (count == 0)
            {
                yield return Update(request, [], 0) with { FinishReason = FinishReason.Length };
            }

            for (int i = 0; i < count; i++)
            {
                bool cancelled = Stopping;
                try
                {
                    await BeforeToken(request, i, cancellationToken).WaitAsync(cancellationToken);
                    cancellationToken.ThrowIfCancellationRequested();
                    enumeration.ThrowIfCancellationRequested();
                }
                catch (OperationCanceledException)
                {
                    cancelled = true;
                }

                if (cancelled)
                {
                    yield return new GenerationUpdate { TokenIds = [], FinishReason = FinishReason.Cancelled };
                    yield break;
                }

                bool ended = ids[i] is 0 or 1 || request.Sampling.StopTokenIds.Contains(ids[i]);
                yield return Update(request, [ids[i]], i) with
                {
                    StopTokenId = ended ? ids[i] : null,
                    FinishReason = ended ? FinishReason.Stop : i == count - 1 ? FinishReason.Length : null,
                };
                if (ended)
                {
                    yield break;
                }
            }
        }
        finally
        {
            if (request.RequestId != "readiness")
            {
                Interlocked.Decrement(ref _active);
            }
        }
    }

    private static GenerationUpdate Update(GenerationRequest request, int[] ids, int step) => new()
    {
        TokenIds = ids,
        CachedPromptTokens = request.PromptTokenIds.Count / 2,
        LogProbs = request.Sampling.TopLogProbs is int top ? [.. ids.Select(id => LogProb(id, top))] : null,
        PromptLogProbs = step == 0 && request.PromptLogProbs is int alternatives
            ? [.. request.PromptTokenIds.Select((id, index) => index == 0 ? null : LogProb(id, alternatives))]
            : null,
    };

    // The alternatives are ids after the token's own, so that the token itself is not among them.
    private static TokenLogProb LogProb(int id, int top) => new(id, -0.5f, [.. Enumerable.Range(1, top).Select(rank => ((id + rank) % 1000, -rank * 0.25f))]);
}
