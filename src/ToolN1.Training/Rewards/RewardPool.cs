using System.Diagnostics;

namespace ToolN1.Training.Rewards;

/// <summary>Scores samples on CPU threads, a few at once, each within a time limit. Never throws for a reward that fails.</summary>
/// <param name="reward">The reward.</param>
/// <param name="workers">Samples scored at once.</param>
/// <param name="timeLimit">Of one sample.</param>
public sealed class RewardPool(IReward reward, int workers, TimeSpan timeLimit) : IDisposable
{
    /// <summary>Rewards past their limit that may still run; beyond, samples fail at once instead of taking ever more threads.</summary>
    public const int MaxAbandoned = 16;

    private readonly SemaphoreSlim _places = new(workers);
    private int _abandoned;

    /// <summary>Scores a sample.</summary>
    /// <param name="sample">The response.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<RewardOutcome> ScoreAsync(RewardSample sample, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _abandoned) >= MaxAbandoned)
            {
                return new RewardOutcome(null, $"{MaxAbandoned} rewards are past their time limit and still running", 0);
            }

            long begin = Stopwatch.GetTimestamp();
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(timeLimit);
            CancellationToken token = limit.Token;
            Task<RewardScore> scoring = Task.Run(() => reward.Score(sample, token), CancellationToken.None);
            try
            {
                RewardScore score = await scoring.WaitAsync(timeLimit, cancellationToken).ConfigureAwait(false);
                double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                return double.IsFinite(score.Total) ? new RewardOutcome(score, null, seconds) : new RewardOutcome(null, "not_finite", seconds);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // What heeds the limit ends by it; what does not is left behind and counted.
                bool isLate = error is TimeoutException or OperationCanceledException;
                if (!scoring.IsCompleted)
                {
                    Interlocked.Increment(ref _abandoned);
                    _ = scoring.ContinueWith(
                        done =>
                        {
                            _ = done.Exception;
                            Interlocked.Decrement(ref _abandoned);
                        },
                        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                }

                return new RewardOutcome(null, isLate ? "timeout" : error.Message, Stopwatch.GetElapsedTime(begin).TotalSeconds);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();
}
