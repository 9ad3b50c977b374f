using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ToolN1.Engine;
using ToolN1.Engine.Weights;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Hosting;

/// <summary>
/// Opens the training state before the web server starts, then runs jobs one at a time, oldest first, for as long as the engine
/// is in order. What happens to a job never ends the worker, and never the server.
/// </summary>
internal sealed class TrainingWorker(
    TrainingSwitch isOn, TrainingStore store, TrainingFiles files, Promotions promotions, JobRunner runner, JobSignal signal, IInferenceEngine engine, TimeProvider time, ILogger<TrainingWorker> logger)
    : BackgroundService, IHostedLifecycleService
{
    /// <summary>Times that a database out of reach sends one job back to the queue before it fails.</summary>
    private const int MaxOutages = 20;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _heldBack = new(StringComparer.Ordinal);
    private (string? Job, int Count) _outages;

    /// <inheritdoc/>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (!isOn.IsOn && !store.Exists)
        {
            return;
        }

        bool knowsAll = store.HasOwnDatabase;
        store.Open();
        Sweep(knowsAll);
        store.Write(context =>
        {
            // A process that was killed left its job running: it goes on from its last checkpoint.
            foreach (JobRecord job in context.Jobs.Where(job => job.Status == JobStatus.Running).ToList())
            {
                Settle(context, job, "The server stopped before the job had ended; it goes on from its last checkpoint");
                Rest(job);
            }
        });
        await promotions.RestoreAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (store.IsOpen && !stoppingToken.IsCancellationRequested)
        {
            Task changed = signal.Changed;
            JobRecord? job = null;
            try
            {
                if (engine.Snapshot().Healthy)
                {
                    job = await store.ReadAsync(context => context.Jobs.AsNoTracking()
                        .Where(item => item.Status == JobStatus.Queued).OrderBy(item => item.Number).FirstOrDefaultAsync(stoppingToken)).ConfigureAwait(false);
                }
                else
                {
                    HoldBack();
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                JobLog.QueueNotRead(logger, error);
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(false);
                continue;
            }

            if (job is null)
            {
                await changed.WaitAsync(stoppingToken).ConfigureAwait(false);
            }
            else
            {
                await RunAsync(job.Id, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Removes what a process that was killed left half done.</summary>
    /// <param name="knowsAll">Whether the database is one that the directory's files were written under: else it may be the wrong one, and no file is nobody's.</param>
    private void Sweep(bool knowsAll)
    {
        try
        {
            foreach (string part in new[] { "files", "jobs", "models" })
            {
                DurableStorage.Sweep(store.PathOf(part));
            }

            if (knowsAll)
            {
                files.Sweep();
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            JobLog.NotSwept(logger, error);
        }
    }

    private async Task RunAsync(string id, CancellationToken stoppingToken)
    {
        JobRecord? job = null;
        await SaveAsync(id, context =>
        {
            job = context.Jobs.Find(id);
            if (job is not { Status: JobStatus.Queued })
            {
                job = null;
                return;
            }

            (job.Status, job.Wish, job.StartedAt) = (JobStatus.Running, JobWish.Run, job.StartedAt ?? store.Now);
            context.AddEvent(id, store.Now, "info", "Fine-tuning job started");
        }, stoppingToken).ConfigureAwait(false);
        if (job is null)
        {
            return;
        }

        JobLog.Started(logger, id);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using CancellationTokenSource ended = new();
        Task watching = WatchAsync(id, stop, ended.Token);
        Action<TrainingContext, JobRecord> end;
        TimeSpan wait = TimeSpan.Zero;
        try
        {
            ModelRecord? model = await runner.RunAsync(job, stop.Token).ConfigureAwait(false);
            end = model is null ? Stopped(stoppingToken) : (context, record) => Succeed(context, record, model);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            end = Stopped(stoppingToken);
        }
        catch (EngineOverloadedException) when (stoppingToken.IsCancellationRequested)
        {
            end = Stopped(stoppingToken);
        }
        catch (Exception error) when (Outage.Is(error) && CountOutage(id) <= MaxOutages)
        {
            JobLog.Outage(logger, error, id, RetryDelay.TotalSeconds);
            end = (context, record) => Settle(context, record, "The database was out of reach; the job goes on from its last checkpoint");
            wait = RetryDelay;
        }
        catch (Exception error)
        {
            JobFailure failure = JobFailure.Of(error);
            JobLog.Failed(logger, error, id, failure.Code);
            end = (context, record) => Fail(context, record, failure);
        }

        await ended.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        await SaveAsync(id, context =>
        {
            JobRecord record = context.Jobs.Find(id)!;
            end(context, record);
            Rest(record);
            JobLog.Ended(logger, id, record.Status);
        }, stoppingToken).ConfigureAwait(false);
        await Task.Delay(wait, time, stoppingToken).ConfigureAwait(false);
    }

    /// <summary>Tells the queued jobs, each once, that they wait: an engine that has given up stays so, and whatever began now would fail.</summary>
    private void HoldBack()
    {
        string[] waiting = [];
        store.Write(context =>
        {
            waiting = [.. context.Jobs.Where(job => job.Status == JobStatus.Queued).Select(job => job.Id).AsEnumerable().Except(_heldBack)];
            foreach (string id in waiting)
            {
                context.AddEvent(id, store.Now, "warn", "The engine is out of order; the job waits for the server's next start");
            }
        });
        foreach (string id in waiting)
        {
            _heldBack.Add(id);
            JobLog.HeldBack(logger, id);
        }
    }

    private int CountOutage(string job)
    {
        _outages = (job, _outages.Job == job ? _outages.Count + 1 : 1);
        return _outages.Count;
    }

    /// <summary>Ends the run when the job is asked to pause or cancel. A database that cannot be read is asked again later.</summary>
    private async Task WatchAsync(string id, CancellationTokenSource stop, CancellationToken ended)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                Task changed = signal.Changed;
                try
                {
                    string wish = await store.ReadAsync(context => context.Jobs.Where(job => job.Id == id).Select(job => job.Wish).FirstAsync(ended)).ConfigureAwait(false);
                    if (wish != JobWish.Run)
                    {
                        await stop.CancelAsync().ConfigureAwait(false);
                        return;
                    }
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    JobLog.WishNotRead(logger, error, id, RetryDelay.TotalSeconds);
                    changed = Task.Delay(RetryDelay, time, ended);
                }

                await changed.WaitAsync(ended).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
    }

    /// <summary>A job that was paused and resumed before it had stopped was stopped all the same.</summary>
    private Action<TrainingContext, JobRecord> Stopped(CancellationToken stoppingToken) => (context, job) => Settle(
        context,
        job,
        stoppingToken.IsCancellationRequested ? "The server is stopping; the job goes on at its next start" : "The job was asked to pause and to go on; it goes on from its last checkpoint");

    /// <summary>A job that stopped before its end: for good, for a while, or until its next turn.</summary>
    private void Settle(TrainingContext context, JobRecord job, string otherwise)
    {
        (job.Status, string message) = job.Wish switch
        {
            JobWish.Cancel => (JobStatus.Cancelled, "Fine-tuning job cancelled"),
            JobWish.Pause => (JobStatus.Paused, "Fine-tuning job paused"),
            _ => (JobStatus.Queued, otherwise),
        };
        job.FinishedAt = job.Status == JobStatus.Cancelled ? store.Now : null;
        context.AddEvent(job.Id, store.Now, "info", message);
    }

    /// <summary>A job that does not run has no pace, and nothing is asked of it at its next checkpoint.</summary>
    private static void Rest(JobRecord job) => (job.EstimatedFinish, job.Wish) = (null, JobWish.Run);

    private void Succeed(TrainingContext context, JobRecord job, ModelRecord model)
    {
        (job.Status, job.FineTunedModel, job.FinishedAt) = (JobStatus.Succeeded, model.Name, store.Now);
        context.AddEvent(job.Id, store.Now, "info", $"New fine-tuned model created: {model.Name}");
        context.AddEvent(job.Id, store.Now, "info", "The job has successfully completed");
    }

    private void Fail(TrainingContext context, JobRecord job, JobFailure failure)
    {
        (job.Status, job.FinishedAt) = (JobStatus.Failed, store.Now);
        (job.ErrorCode, job.ErrorMessage, job.ErrorParam) = (failure.Code, failure.Message, failure.Param);
        context.AddEvent(job.Id, store.Now, "error", $"The job failed: {failure.Message}");
    }

    /// <summary>Writes until it is written (a disk may be full for a while) or the server stops: the next start finds the job running then, and goes on.</summary>
    private async Task SaveAsync(string id, Action<TrainingContext> write, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                store.Write(write);
                return;
            }
            catch (Exception error)
            {
                JobLog.StateNotSaved(logger, error, id, RetryDelay.TotalSeconds);
                if (stoppingToken.IsCancellationRequested)
                {
                    return;
                }
            }

            try
            {
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}

/// <summary>Whether training is to be had: somebody can ask for it.</summary>
/// <param name="IsOn">Without it only what an earlier run left is opened.</param>
public sealed record TrainingSwitch(bool IsOn);
