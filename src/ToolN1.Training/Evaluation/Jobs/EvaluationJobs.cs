using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Evaluation.Harness;
using ToolN1.Training.Hosting;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>
/// Evaluations of the served model on the serving engine, one after the other, in the background: live requests come first.
/// Each is a folder under DataDirectory/evaluations. What was queued or running when the server ended goes on when it starts
/// again, and asks nothing twice.
/// </summary>
/// <param name="engine">The serving engine.</param>
/// <param name="served">The served model.</param>
/// <param name="options">Where evaluations are kept.</param>
/// <param name="time">Clock of states and events.</param>
/// <param name="logger">Where starts, ends and failures are told.</param>
public sealed class EvaluationJobs(
    IInferenceEngine engine, ServedModel served, IOptions<DataOptions> options, TimeProvider time, ILogger<EvaluationJobs> logger) : BackgroundService
{
    /// <summary>How often progress becomes an event and is saved.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, EvaluationFolder> _folders = new(StringComparer.Ordinal);
    private readonly Channel<EvaluationFolder> _queue = Channel.CreateUnbounded<EvaluationFolder>(new UnboundedChannelOptions { SingleReader = true });

    private TimeProvider Clock => time;

    private string Root { get; } = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "evaluations"));

    /// <summary>All evaluations, newest first.</summary>
    public IReadOnlyList<EvaluationJob> List() => _folders.Values.Select(folder => folder.Job).OrderByDescending(job => job.CreatedAt).ThenByDescending(job => job.Id, StringComparer.Ordinal).ToList();

    /// <summary>An evaluation; null for none of that id.</summary>
    public EvaluationJob? Find(string id) => _folders.TryGetValue(id, out EvaluationFolder? folder) ? folder.Job : null;

    /// <summary>One of an evaluation's files (<see cref="EvaluationReport.Files"/>); null where it is not there yet.</summary>
    public string? FindFile(string id, string name) =>
        _folders.TryGetValue(id, out EvaluationFolder? folder) && EvaluationReport.Files.Contains(name) && Path.Combine(folder.Path, name) is string file && File.Exists(file) ? file : null;

    /// <summary>Queues an evaluation of the weights that are live now.</summary>
    /// <param name="spec">What to run; its data was found to be there.</param>
    public EvaluationJob Start(EvaluationSpec spec)
    {
        EvaluationFolder folder = EvaluationFolder.Create(Root, new EvaluationJob
        {
            Id = "eval_" + RandomNumberGenerator.GetHexString(24, lowercase: true),
            Status = EvaluationStatus.Queued,
            CreatedAt = time.GetUtcNow(),
            Model = engine.Model.Name,
            WeightVersion = engine.Model.WeightVersion,
            Spec = spec,
        });
        _folders[folder.Job.Id] = folder;
        Tell(folder, job => job, "Queued.");
        _queue.Writer.TryWrite(folder);
        return folder.Job;
    }

    /// <summary>Ends an evaluation; its answers are kept. Does nothing where it has ended.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Stops waiting for the end, which takes a few engine steps.</param>
    /// <returns>Its state then; null for none of that id.</returns>
    public async Task<EvaluationJob?> CancelAsync(string id, CancellationToken cancellationToken)
    {
        if (!_folders.TryGetValue(id, out EvaluationFolder? folder))
        {
            return null;
        }

        await folder.Cancellation.CancelAsync().ConfigureAwait(false);
        if (folder.Job.Status == EvaluationStatus.Queued)
        {
            End(folder, EvaluationStatus.Cancelled, "Cancelled.");
        }

        await foreach (EvaluationEvent happened in WatchAsync(id, 0, cancellationToken).ConfigureAwait(false))
        {
            _ = happened;
        }

        return folder.Job;
    }

    /// <summary>The events of an evaluation, those to come included, until it has ended.</summary>
    /// <param name="id">An evaluation that there is.</param>
    /// <param name="after">Number of the last event that is known already.</param>
    /// <param name="cancellationToken">Stops watching.</param>
    public async IAsyncEnumerable<EvaluationEvent> WatchAsync(string id, int after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        EvaluationFolder folder = _folders[id];
        while (true)
        {
            (IReadOnlyList<EvaluationEvent> events, bool hasEnded, Task changed) = folder.EventsAfter(after);
            foreach (EvaluationEvent happened in events)
            {
                after = happened.Number;
                yield return happened;
            }

            if (hasEnded)
            {
                yield break;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the port opens, so that no caller sees a list without what an earlier process left.
        if (Directory.Exists(Root))
        {
            foreach (string path in Directory.GetDirectories(Root).Order(StringComparer.Ordinal))
            {
                Recall(path);
            }
        }

        foreach (EvaluationFolder folder in _folders.Values.Where(folder => !folder.Job.HasEnded).OrderBy(folder => folder.Job.CreatedAt).ToList())
        {
            Tell(folder, job => job with { Status = EvaluationStatus.Queued }, "The server has started again; the evaluation goes on.");
            _queue.Writer.TryWrite(folder);
        }

        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (EvaluationFolder folder in _folders.Values)
        {
            folder.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (EvaluationFolder folder in _queue.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            if (folder.Job.HasEnded)
            {
                continue;
            }

            if (!engine.Snapshot().Healthy)
            {
                // It stays queued, as all behind it will: no question would be answered.
                Tell(folder, job => job, "The engine is out of order; the evaluation waits for the server's next start.", "error");
                continue;
            }

            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, folder.Cancellation.Token);
            try
            {
                await RunAsync(folder, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (folder.Cancellation.IsCancellationRequested)
            {
                End(folder, EvaluationStatus.Cancelled, "Cancelled.");
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The state stays as it is: the next process goes on.
                return;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or EvaluationModelException)
            {
                End(folder, EvaluationStatus.Failed, e.Message);
            }
            catch (Exception e)
            {
                EvaluationLog.Failed(logger, folder.Job.Id, e.GetType().FullName, e.StackTrace);
                End(folder, EvaluationStatus.Failed, "The server had an error; its log says more.");
            }
        }
    }

    private void Recall(string path)
    {
        try
        {
            if (EvaluationFolder.Open(path) is EvaluationFolder folder)
            {
                _folders[folder.Job.Id] = folder;
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or JsonException)
        {
            EvaluationLog.Damaged(logger, e.Message);
        }
    }

    private async Task RunAsync(EvaluationFolder folder, CancellationToken cancellationToken)
    {
        // 1. The same weights and questions as when it was asked for.
        EvaluationJob job = folder.Job;
        EvaluationSpec spec = job.Spec;
        IReadOnlyList<BenchmarkCase> cases = spec.Load();
        using EvaluationStore store = EvaluationStore.Open(folder.Path, Settings(job));
        EngineEvaluationModel model = new(engine, served.Tokenizer, served.Format, spec.MaxTokens)
        {
            WeightVersion = job.WeightVersion,
            Priority = RequestPriority.Background,
            Time = time,
        };

        // 2. Ask and score.
        EngineSnapshot before = engine.Snapshot();
        int concurrency = spec.Concurrency ?? 2 * Math.Max(1, before.MaxSequences);
        Tell(folder, state => state.HasEnded ? state : state with { Status = EvaluationStatus.Running, StartedAt = state.StartedAt ?? time.GetUtcNow() }, $"Running: {cases.Count} questions, {concurrency} at once.");
        IReadOnlyList<string> failures = await new EvaluationRunner(model, spec.Mode, store, concurrency, time)
            .RunAsync(cases, new Progress(this, folder), cancellationToken).ConfigureAwait(false);
        EngineSnapshot after = engine.Snapshot();

        // 3. Sum up.
        EngineSteps steps = new(after.Steps - before.Steps, after.FullSteps - before.FullSteps);
        EvaluationSummary summary = EvaluationReport.Write(store, spec.Benchmark, job.Model, cases, [], steps);
        Dictionary<string, double> figures = summary.Headlines.ToDictionary(figure => figure.Name, figure => figure.Value);
        string accuracy = string.Create(CultureInfo.InvariantCulture, $"{summary.Total.Correct} of {summary.Total.Cases} right.");
        folder.Update(state => state with { Figures = figures, Progress = new EvaluationProgress(summary.Total.Cases, cases.Count, summary.Total.Correct, failures.Count) }, time.GetUtcNow());
        if (failures.Count > 0)
        {
            End(folder, EvaluationStatus.Failed, $"{failures.Count} questions got no answer. First: {failures[0]}");
        }
        else
        {
            End(folder, EvaluationStatus.Succeeded, accuracy);
        }
    }

    private void End(EvaluationFolder folder, EvaluationStatus status, string message) => Tell(
        folder,
        job => job.HasEnded ? job : job with { Status = status, FinishedAt = time.GetUtcNow(), Error = status == EvaluationStatus.Failed ? message : null },
        message,
        status == EvaluationStatus.Failed ? "error" : "info");

    private void Tell(EvaluationFolder folder, Func<EvaluationJob, EvaluationJob> change, string message, string level = "info")
    {
        folder.Update(change, time.GetUtcNow(), message, level);
        EvaluationLog.Happened(logger, folder.Job.Id, message);
    }

    /// <summary>What answers and verdicts depend on.</summary>
    private string Settings(EvaluationJob job) => new JsonObject
    {
        ["benchmark"] = job.Spec.Benchmark,
        ["model"] = job.Model,
        ["weights"] = job.WeightVersion,
        ["data"] = BenchmarkSuite.DataVersion(job.Spec.Benchmark, job.Spec.DataFolder),
        ["mode"] = job.Spec.Mode.ToString(),
        ["max_tokens"] = job.Spec.MaxTokens,
        ["chat_format"] = served.Format.Name,
        ["fixed"] = job.Spec.FixedRules,
    }.ToJsonString();

    private sealed class Progress(EvaluationJobs jobs, EvaluationFolder folder) : IProgress<EvaluationProgress>
    {
        private long _last = jobs.Clock.GetTimestamp();

        public void Report(EvaluationProgress value)
        {
            // The runner reports under a lock, so this is one caller at a time.
            if (jobs.Clock.GetElapsedTime(_last) < ProgressInterval)
            {
                return;
            }

            _last = jobs.Clock.GetTimestamp();
            double accuracy = value.Answered == 0 ? 0 : 100.0 * value.Correct / value.Answered;
            folder.Update(
                job => job with { Progress = value },
                jobs.Clock.GetUtcNow(),
                string.Create(CultureInfo.InvariantCulture, $"{value.Answered} of {value.Total} answered, {accuracy:F1} % right."));
        }
    }
}
