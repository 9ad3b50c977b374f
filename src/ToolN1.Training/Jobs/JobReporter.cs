using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Grpo;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>
/// Writes what a method reports into the tables. A database that is out of reach is tried again for a few seconds, so that a
/// short outage ends no run; on the caller's thread, whose step waits meanwhile.
/// </summary>
internal sealed class JobReporter(TrainingStore store, string jobId) : IJobReporter
{
    private static readonly TimeSpan[] RetryDelays = [.. new[] { 0.25, 0.5, 1, 2, 4 }.Select(TimeSpan.FromSeconds)];

    private SortedDictionary<string, double> _last = new(StringComparer.Ordinal);
    private int _firstStep;
    private long _began;

    /// <inheritdoc/>
    public void Started(int doneSteps, int totalSteps)
    {
        _firstStep = doneSteps;
        _began = store.Now;
        Write(context =>
        {
            // A process that was killed may have reported steps beyond its last checkpoint; they are done again. It may also have
            // removed checkpoints that it had no time to tell of.
            context.Metrics.Where(item => item.JobId == jobId && item.Step > doneSteps).ExecuteDelete();
            context.Checkpoints.Where(item => item.JobId == jobId && item.Step > doneSteps).ExecuteDelete();
            context.Samples.Where(item => item.JobId == jobId && item.Step > doneSteps).ExecuteDelete();
            RemoveCheckpoints(context, item => !Directory.Exists(store.PathOf(item.Folder)));
            AddUnreported(context, doneSteps);
            JobRecord job = context.Jobs.Find(jobId)!;
            (job.Step, job.TotalSteps) = (doneSteps, totalSteps);
            string message = doneSteps == 0 ? $"Training begins: {totalSteps} steps." : $"Training goes on after step {doneSteps} of {totalSteps}.";
            context.AddEvent(jobId, store.Now, "info", message);
        });
    }

    /// <inheritdoc/>
    public void Message(string level, string message) => Write(context => context.AddEvent(jobId, store.Now, level, message));

    /// <inheritdoc/>
    public void Measured(int step, long trainedTokens, string headline, IReadOnlyDictionary<string, double> figures)
    {
        _last = Finite(figures);
        _last["step"] = step;
        Write(context =>
        {
            foreach ((string name, double value) in _last.Where(figure => figure.Key != "step"))
            {
                context.Metrics.Add(new MetricRecord { JobId = jobId, Step = step, Name = name, Value = value });
            }

            JobRecord job = context.Jobs.Find(jobId)!;
            (job.Step, job.TrainedTokens) = (step, trainedTokens);
            long spent = store.Now - _began;
            job.EstimatedFinish = step > _firstStep ? store.Now + (spent * (job.TotalSteps - step) / (step - _firstStep)) : null;
            context.AddEvent(jobId, store.Now, "info", $"Step {step}/{job.TotalSteps}: {headline}", _last);
        });
    }

    /// <inheritdoc/>
    public void Evaluated(int step, string message, IReadOnlyDictionary<string, double> figures)
    {
        SortedDictionary<string, double> finite = Finite(figures);
        SortedDictionary<string, double> data = new(finite, StringComparer.Ordinal) { ["step"] = step };
        Write(context =>
        {
            foreach ((string name, double value) in finite)
            {
                // A process that was killed before the step's checkpoint evaluates the step again.
                context.Metrics.Where(item => item.JobId == jobId && item.Step == step && item.Name == name).ExecuteDelete();
                context.Metrics.Add(new MetricRecord { JobId = jobId, Step = step, Name = name, Value = value });
                _last[name] = value;
            }

            _last["step"] = step;
            context.AddEvent(jobId, store.Now, "info", message, data);
        });
    }

    /// <inheritdoc/>
    public void Sampled(int step, IReadOnlyList<GrpoSample> samples) => Write(context => context.Samples.AddRange(samples.Select((sample, place) => new SampleRecord
    {
        JobId = jobId,
        Step = step,
        Place = place,
        Kind = SampleKind.Rollout,
        Request = sample.Question.Storable(),
        Expected = sample.Answer.Storable(),
        Completion = sample.Completion.Storable(),
        Reward = sample.Reward ?? 0,
        Failure = sample.Reward is null ? (sample.Failure ?? "unscored").Storable() : null,
        GroupRewards = JsonSerializer.Serialize(sample.GroupRewards, JobsJson.Default.IReadOnlyListNullableDouble),
    })));

    /// <inheritdoc/>
    public IReadOnlyList<string> Edits(int step)
    {
        List<string> edits = [];
        if (Retry(() => store.Read(context => context.Edits.Any(item => item.JobId == jobId && (item.FromStep == null || item.FromStep == step)))))
        {
            Write(context =>
            {
                // Earlier ones again, in the order in which they were asked for: after a run that went back to a checkpoint, an
                // older change may hold from a later step than a newer one, and must not undo it there.
                edits.Clear();
                foreach (EditRecord edit in context.Edits.Where(item => item.JobId == jobId && (item.FromStep == null || item.FromStep <= step)).OrderBy(item => item.Sequence).ToList())
                {
                    if (edit.FromStep is null)
                    {
                        edit.FromStep = step;
                        context.AddEvent(jobId, store.Now, "info", $"From step {step} on: {edit.Values}");
                    }

                    edits.Add(edit.Values);
                }
            });
        }

        return edits;
    }

    /// <inheritdoc/>
    public void Saved(int step, string folder)
    {
        Write(context =>
        {
            RemoveCheckpoints(context, item => item.Step == step || !Directory.Exists(store.PathOf(item.Folder)));
            AddCheckpoint(context, step, folder, _last);
        });
    }

    private void RemoveCheckpoints(TrainingContext context, Func<CheckpointRecord, bool> isGone)
    {
        context.Checkpoints.RemoveRange(context.Checkpoints.Where(item => item.JobId == jobId).ToList().Where(isGone));
        context.SaveChanges();
    }

    /// <summary>Checkpoints that a process wrote and was killed before it could tell.</summary>
    private void AddUnreported(TrainingContext context, int doneSteps)
    {
        HashSet<int> reported = [.. context.Checkpoints.Where(item => item.JobId == jobId).Select(item => item.Step)];
        foreach (string folder in RunCheckpointFiles.List(Path.Combine(JobFolders.Of(store, jobId), RunCheckpointFiles.Folder)))
        {
            if (RunCheckpointFiles.StepOf(folder) is int step && step <= doneSteps && reported.Add(step))
            {
                SortedDictionary<string, double> figures = new(context.Metrics.Where(item => item.JobId == jobId && item.Step == step).ToDictionary(item => item.Name, item => item.Value), StringComparer.Ordinal);
                figures["step"] = step;
                AddCheckpoint(context, step, folder, figures);
            }
        }
    }

    private void AddCheckpoint(TrainingContext context, int step, string folder, SortedDictionary<string, double> figures)
    {
        context.Checkpoints.Add(new CheckpointRecord
        {
            JobId = jobId,
            Step = step,
            Folder = Path.GetRelativePath(store.Root, folder),
            Metrics = JsonSerializer.Serialize(figures, JobsJson.Default.SortedDictionaryStringDouble),
            CreatedAt = store.Now,
        });
        context.AddEvent(jobId, store.Now, "info", $"Checkpoint created at step {step}");
    }

    private void Write(Action<TrainingContext> write) => Retry(() =>
    {
        store.Write(write);
        return true;
    });

    /// <summary>What the function does must be the same the second time.</summary>
    private static T Retry<T>(Func<T> function)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                return function();
            }
            catch (Exception error) when (tries < RetryDelays.Length && Outage.Is(error))
            {
                Thread.Sleep(RetryDelays[tries]);
            }
        }
    }

    private static SortedDictionary<string, double> Finite(IReadOnlyDictionary<string, double> figures) =>
        new(figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary(figure => figure.Key, figure => figure.Value), StringComparer.Ordinal);
}
