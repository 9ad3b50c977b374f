using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>What administrators do with jobs: make, list, pause, resume, cancel. The worker does the rest.</summary>
/// <remarks>
/// queued → running → succeeded, failed; pause and cancel end a running job at a checkpoint of its last whole step; resume
/// queues a paused one again. A server that stops, or is killed, leaves its running job queued for the next start.
/// </remarks>
public sealed class TrainingJobs(TrainingStore store, TrainingFiles files, ModelCatalog catalog, JobSignal signal, IEnumerable<ITrainingMethod> methods)
{
    private static readonly string[] Ended = [JobStatus.Succeeded, JobStatus.Failed, JobStatus.Cancelled];

    /// <summary>Queues a job.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <exception cref="TrainingRefusedException">It cannot run so; names the field.</exception>
    public async Task<JobRecord> CreateAsync(JobRequest request, string who)
    {
        ITrainingMethod method = methods.FirstOrDefault(item => item.Name == request.Method)
            ?? throw new TrainingRefusedException($"There is no training method '{request.Method}'; there are {string.Join(", ", methods.Select(item => $"'{item.Name}'"))}.", "method.type");
        FileRecord training = await FileAsync(request.TrainingFile, "training_file").ConfigureAwait(false);
        FileRecord? validation = request.ValidationFile is null ? null : await FileAsync(request.ValidationFile, "validation_file").ConfigureAwait(false);
        (string startModel, string startFolder) = await catalog.ResolveFolderAsync(request.Model).ConfigureAwait(false);
        string settings = method.Resolve(request.Settings, new MethodInputs(startFolder, training.Rows, training.LineWithoutReasoning));
        JobRecord job = await store.WriteAsync(async context =>
        {
            JobRecord record = new()
            {
                Id = "ftjob-" + Guid.NewGuid().ToString("N"),
                Number = 1 + (await context.Jobs.MaxAsync(item => (long?)item.Number).ConfigureAwait(false) ?? 0),
                Status = JobStatus.Queued,
                Wish = JobWish.Run,
                Model = request.Model,
                StartModel = startModel,
                Method = method.Name,
                Settings = settings,
                TrainingFile = training.Id,
                DataHash = training.Sha256,
                ValidationFile = validation?.Id,
                Seed = request.Seed ?? RandomNumberGenerator.GetInt32(int.MaxValue),
                Suffix = request.Suffix,
                Metadata = request.Metadata,
                CreatedAt = store.Now,
            };
            context.Jobs.Add(record);
            context.AddEvent(record.Id, store.Now, "info", $"Created fine-tuning job: {record.Id}");
            context.AddEvent(record.Id, store.Now, "info", $"{training.Rows} training rows, {validation?.Rows ?? 0} held-out rows; starts from {startModel}.");
            context.AddAudit(store.Now, who, "job.create", record.Id);
            return record;
        }).ConfigureAwait(false);
        signal.Wake();
        return job;
    }

    /// <summary>A job.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public async Task<JobRecord> GetAsync(string id) =>
        await store.ReadAsync(context => context.Jobs.AsNoTracking().FirstOrDefaultAsync(job => job.Id == id)).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("job", id);

    /// <summary>A page of jobs, newest first.</summary>
    /// <param name="after">Id of the job before the page; null begins.</param>
    /// <param name="limit">Most jobs.</param>
    public async Task<Page<JobRecord>> ListAsync(string? after, int limit)
    {
        long before = after is null ? long.MaxValue : (await GetAsync(after).ConfigureAwait(false)).Number;
        return Page<JobRecord>.Of(
            await store.ReadAsync(context => context.Jobs.AsNoTracking().Where(job => job.Number < before).OrderByDescending(job => job.Number).Take(limit + 1).ToListAsync()).ConfigureAwait(false),
            limit);
    }

    /// <summary>A page of a job's events, newest first.</summary>
    /// <param name="id">The job.</param>
    /// <param name="after">Sequence of the event before the page; null begins.</param>
    /// <param name="limit">Most events.</param>
    public async Task<Page<EventRecord>> EventsAsync(string id, long? after, int limit)
    {
        await GetAsync(id).ConfigureAwait(false);
        long before = after ?? long.MaxValue;
        return Page<EventRecord>.Of(
            await store.ReadAsync(context => context.Events.AsNoTracking().Where(item => item.JobId == id && item.Sequence < before).OrderByDescending(item => item.Sequence).Take(limit + 1).ToListAsync()).ConfigureAwait(false),
            limit);
    }

    /// <summary>A page of a job's checkpoints, newest first.</summary>
    /// <param name="id">The job.</param>
    /// <param name="after">Step of the checkpoint before the page; null begins.</param>
    /// <param name="limit">Most checkpoints.</param>
    public async Task<Page<CheckpointRecord>> CheckpointsAsync(string id, int? after, int limit)
    {
        await GetAsync(id).ConfigureAwait(false);
        int before = after ?? int.MaxValue;
        return Page<CheckpointRecord>.Of(
            await store.ReadAsync(context => context.Checkpoints.AsNoTracking().Where(item => item.JobId == id && item.Step < before).OrderByDescending(item => item.Step).Take(limit + 1).ToListAsync()).ConfigureAwait(false),
            limit);
    }

    /// <summary>Figures of a job's steps, in order.</summary>
    /// <param name="id">The job.</param>
    /// <param name="afterStep">Steps beyond this one.</param>
    /// <param name="limit">Most steps.</param>
    public async Task<IReadOnlyList<MetricRecord>> MetricsAsync(string id, int afterStep, int limit)
    {
        await GetAsync(id).ConfigureAwait(false);
        return await store.ReadAsync(async context =>
        {
            List<int> steps = await context.Metrics.Where(item => item.JobId == id && item.Step > afterStep).Select(item => item.Step).Distinct().Order().Take(limit).ToListAsync().ConfigureAwait(false);
            int last = steps.Count > 0 ? steps[^1] : afterStep;
            return await context.Metrics.AsNoTracking().Where(item => item.JobId == id && item.Step > afterStep && item.Step <= last)
                .OrderBy(item => item.Step).ThenBy(item => item.Name).ToListAsync().ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Sampled answers of a job, newest step first.</summary>
    public async Task<IReadOnlyList<SampleRecord>> SamplesAsync(string id, int limit)
    {
        await GetAsync(id).ConfigureAwait(false);
        return await store.ReadAsync(context => context.Samples.AsNoTracking().Where(item => item.JobId == id)
            .OrderByDescending(item => item.Step).ThenBy(item => item.Place).Take(limit).ToListAsync()).ConfigureAwait(false);
    }

    /// <summary>Stops a job for good: a waiting one at once, a running one at a checkpoint.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id, or it has ended.</exception>
    public Task<JobRecord> CancelAsync(string id, string who) => ChangeAsync(id, who, "job.cancel", (context, job) =>
    {
        if (Ended.Contains(job.Status))
        {
            throw Conflict(job, "cancelled");
        }

        if (job.Status == JobStatus.Running)
        {
            job.Wish = JobWish.Cancel;
            return;
        }

        job.Status = JobStatus.Cancelled;
        job.FinishedAt = store.Now;
        context.AddEvent(job.Id, store.Now, "info", "Fine-tuning job cancelled");
    });

    /// <summary>Stops a job so that it can go on: a waiting one at once, a running one at a checkpoint.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id, or it does not run or wait.</exception>
    public Task<JobRecord> PauseAsync(string id, string who) => ChangeAsync(id, who, "job.pause", (context, job) =>
    {
        if (job.Status == JobStatus.Running && job.Wish != JobWish.Cancel)
        {
            job.Wish = JobWish.Pause;
            return;
        }

        if (job.Status != JobStatus.Queued)
        {
            throw Conflict(job, "paused");
        }

        job.Status = JobStatus.Paused;
        context.AddEvent(job.Id, store.Now, "info", "Fine-tuning job paused");
    });

    /// <summary>Queues a paused job again; takes back a pause that has not come yet.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id, or it is not paused.</exception>
    public Task<JobRecord> ResumeAsync(string id, string who) => ChangeAsync(id, who, "job.resume", (context, job) =>
    {
        if (job.Status == JobStatus.Running && job.Wish == JobWish.Pause)
        {
            job.Wish = JobWish.Run;
            return;
        }

        if (job.Status != JobStatus.Paused)
        {
            throw Conflict(job, "resumed");
        }

        job.Status = JobStatus.Queued;
        context.AddEvent(job.Id, store.Now, "info", "Fine-tuning job resumed; it waits for its turn");
    });

    private static TrainingRefusedException Conflict(JobRecord job, string done) =>
        new($"Job '{job.Id}' is {job.Status}; it cannot be {done}.", null, "job_state") { IsConflict = true };

    private async Task<JobRecord> ChangeAsync(string id, string who, string action, Action<TrainingContext, JobRecord> change)
    {
        JobRecord job = await store.WriteAsync(async context =>
        {
            JobRecord record = await context.Jobs.FindAsync(id).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("job", id);
            change(context, record);
            context.AddAudit(store.Now, who, action, id);
            return record;
        }).ConfigureAwait(false);
        signal.Wake();
        return job;
    }

    private async Task<FileRecord> FileAsync(string id, string field)
    {
        try
        {
            return await files.GetAsync(id).ConfigureAwait(false);
        }
        catch (TrainingRefusedException error) when (error.IsNotFound)
        {
            throw new TrainingRefusedException(error.Message, field, "invalid_" + field);
        }
    }
}
