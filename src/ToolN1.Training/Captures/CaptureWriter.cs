using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Training.Captures.Redaction;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Captures;

/// <summary>
/// Redacts and writes what the queue holds as it comes, and keeps the captures within their bounds. A server that stops
/// writes what is queued; one that is killed loses that and no more.
/// </summary>
internal sealed partial class CaptureWriter(
    CaptureQueue queue, TrainingStore store, IOptions<CaptureOptions> options, TimeProvider time, ILogger<CaptureWriter> logger) : BackgroundService
{
    private const int MostAtOnce = 64;
    private static readonly TimeSpan PruneInterval = TimeSpan.FromHours(1);
    private readonly CaptureMaker _maker = new(new Redactor(options.Value.Redaction));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using CancellationTokenRegistration stop = stoppingToken.Register(queue.Close);
        if (store.IsOpen)
        {
            // Bounds hold for captures of earlier runs too, whether or not more are made.
            await Task.WhenAll(WriteAllAsync(), PruneAsync(stoppingToken)).ConfigureAwait(false);
        }
    }

    private async Task WriteAllAsync()
    {
        while (await queue.Answers.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            List<CapturedAnswer> answers = [];
            while (answers.Count < MostAtOnce && queue.Answers.TryRead(out CapturedAnswer? answer))
            {
                answers.Add(answer);
            }

            await WriteAsync(answers).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(List<CapturedAnswer> answers)
    {
        try
        {
            // Redacted before it is the writer's turn at the store: training waits for the same.
            List<CaptureRecord> records = [.. answers.Select(Make).OfType<CaptureRecord>()];
            await store.WriteAsync(async context =>
            {
                long last = await context.Captures.MaxAsync(item => (long?)item.Number).ConfigureAwait(false) ?? 0;
                records.ForEach(record => record.Number = ++last);
                await MakeRoomAsync(context, records.Count).ConfigureAwait(false);
                context.Captures.AddRange(records.TakeLast(options.Value.MaxRows));
                return true;
            }).ConfigureAwait(false);
            queue.Kept(records.Count);
            queue.Dropped(answers.Count - records.Count, "failed");
        }
        catch (Exception error)
        {
            // Serving goes on whatever becomes of captures. The message may quote what it was about.
            queue.Dropped(answers.Count, "failed");
            NotWritten(answers.Count, error.GetBaseException().GetType().Name);
        }
    }

    private CaptureRecord? Make(CapturedAnswer answer)
    {
        try
        {
            return _maker.Make(answer);
        }
        catch (Exception error)
        {
            NotWritten(1, error.GetType().Name);
            return null;
        }
    }

    private async Task PruneAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(PruneInterval, time);
        try
        {
            do
            {
                try
                {
                    await store.WriteAsync(async context =>
                    {
                        await MakeRoomAsync(context, 0).ConfigureAwait(false);
                        return true;
                    }).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    NotPruned(error.GetBaseException().GetType().Name);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Removes what is too old, then what is too much beside some more: oldest first, reviewed ones last.</summary>
    private async Task MakeRoomAsync(TrainingContext context, int more)
    {
        long oldest = store.Now - (options.Value.MaxAgeDays * 86_400L);
        await context.Captures.Where(item => item.CreatedAt < oldest).ExecuteDeleteAsync().ConfigureAwait(false);
        int excess = await context.Captures.CountAsync().ConfigureAwait(false) + more - options.Value.MaxRows;
        for (; excess > 0; excess -= MostAtOnce)
        {
            List<long> numbers = await context.Captures
                .OrderBy(item => item.Status == CaptureStatus.Confirmed || item.Status == CaptureStatus.Corrected).ThenBy(item => item.Number)
                .Select(item => item.Number).Take(Math.Min(excess, MostAtOnce)).ToListAsync().ConfigureAwait(false);
            await context.Captures.Where(item => numbers.Contains(item.Number)).ExecuteDeleteAsync().ConfigureAwait(false);
        }
    }

    [LoggerMessage(2020, LogLevel.Error, "{Count} captured answers could not be kept ({Failure})")]
    private partial void NotWritten(int count, string failure);

    [LoggerMessage(2021, LogLevel.Error, "Captures could not be brought within their bounds ({Failure}); trying again")]
    private partial void NotPruned(string failure);
}
