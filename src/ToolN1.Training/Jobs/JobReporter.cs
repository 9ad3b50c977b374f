using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>Writes what a method reports into the tables.</summary>
internal sealed class JobReporter(TrainingStore store, string jobId) : IJobReporter
{
    private SortedDictionary<string, double> _last = new(StringComparer.Ordinal);
    private int _firstStep;
    private long _began;

    /// <inheritdoc/>
    public void Started(int doneSteps, int totalSteps)
    {
        _firstStep = doneSteps;
        _began = store.Now;
        store.Write(context =>
        {
            // A process that was killed may have reported steps beyond its last checkpoint; they are done again.
            context.Metrics.Where(item => item.JobId == jobId && item.Step > doneSteps).ExecuteDelete();
            context.Checkpoints.Where(item => item.JobId == jobId && item.Step > doneSteps).ExecuteDelete();
            JobRecord job = context.Jobs.Find(jobId)!;
            (job.Step, job.TotalSteps) = (doneSteps, totalSteps);
            string message = doneSteps == 0 ? $"Training begins: {totalSteps} steps." : $"Training goes on after step {doneSteps} of {totalSteps}.";
            context.AddEvent(jobId, store.Now, "info", message);
        });
    }

    /// <inheritdoc/>
    public void Message(string level, string message) => store.Write(context => context.AddEvent(jobId, store.Now, level, message));

    /// <inheritdoc/>
    public void Measured(int step, long trainedTokens, IReadOnlyDictionary<string, double> figures)
    {
        _last = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach ((string name, double value) in figures.Where(figure => double.IsFinite(figure.Value)))
        {
            _last.Add(name, value);
        }

        _last["step"] = step;
        store.Write(context =>
        {
            foreach ((string name, double value) in _last.Where(figure => figure.Key != "step"))
            {
                context.Metrics.Add(new MetricRecord { JobId = jobId, Step = step, Name = name, Value = value });
            }

            JobRecord job = context.Jobs.Find(jobId)!;
            (job.Step, job.TrainedTokens) = (step, trainedTokens);
            long spent = store.Now - _began;
            job.EstimatedFinish = step > _firstStep ? store.Now + (spent * (job.TotalSteps - step) / (step - _firstStep)) : null;
            string loss = _last.TryGetValue("train_loss", out double value2) ? value2.ToString("F4", CultureInfo.InvariantCulture) : "not finite";
            context.AddEvent(jobId, store.Now, "info", $"Step {step}/{job.TotalSteps}: training loss={loss}", _last);
        });
    }

    /// <inheritdoc/>
    public void Saved(int step, string folder)
    {
        string relative = Path.GetRelativePath(store.Root, folder);
        store.Write(context =>
        {
            foreach (CheckpointRecord old in context.Checkpoints.Where(item => item.JobId == jobId).ToList())
            {
                if (old.Step == step || !Directory.Exists(store.PathOf(old.Folder)))
                {
                    context.Checkpoints.Remove(old);
                }
            }

            context.SaveChanges();
            context.Checkpoints.Add(new CheckpointRecord
            {
                JobId = jobId,
                Step = step,
                Folder = relative,
                Metrics = JsonSerializer.Serialize(_last, JobsJson.Default.SortedDictionaryStringDouble),
                CreatedAt = store.Now,
            });
            context.AddEvent(jobId, store.Now, "info", $"Checkpoint created at step {step}");
        });
    }
}
