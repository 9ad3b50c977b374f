using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
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
    // Enough for any batch that a profile has.
    private const int PlannedRows = 1000;
    private const int EventsAtOnce = 100;

    private static readonly string[] Ended = [JobStatus.Succeeded, JobStatus.Failed, JobStatus.Cancelled];

    /// <summary>Queues a job.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <exception cref="TrainingRefusedException">It cannot run so; names the field.</exception>
    public async Task<JobRecord> CreateAsync(JobRequest request, string who)
    {
        JobDraft draft = await DraftAsync(request).ConfigureAwait(false);
        if (draft.Plan is { Fits: false } plan)
        {
            throw new TrainingRefusedException(plan.Refusal, "method", "does_not_fit");
        }

        FileRecord training = await FileAsync(request.TrainingFile, "training_file").ConfigureAwait(false);
        FileRecord? validation = request.ValidationFile is null ? null : await FileAsync(request.ValidationFile, "validation_file").ConfigureAwait(false);
        JobRecord job = await store.WriteAsync(async context =>
        {
            JobRecord record = new()
            {
                Id = "ftjob-" + Guid.NewGuid().ToString("N"),
                Number = 1 + (await context.Jobs.MaxAsync(item => (long?)item.Number).ConfigureAwait(false) ?? 0),
                Status = JobStatus.Queued,
                Wish = JobWish.Run,
                Model = request.Model,
                StartModel = draft.StartModel,
                Method = draft.Method,
                Settings = draft.Settings,
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
            context.AddEvent(record.Id, store.Now, "info", $"{training.Rows} training rows, {validation?.Rows ?? 0} held-out rows; starts from {draft.StartModel}.");
            context.AddAudit(store.Now, who, "job.create", record.Id);
            return record;
        }).ConfigureAwait(false);
        signal.Wake();
        return job;
    }

    /// <summary>Looks at a job without making it: all checks but whether it fits, every value, and the memory that it would need.</summary>
    /// <exception cref="TrainingRefusedException">It cannot run so; names the field.</exception>
    public async Task<JobDraft> DraftAsync(JobRequest request)
    {
        ITrainingMethod method = Method(request.Method);
        FileRecord training = await FileAsync(request.TrainingFile, "training_file").ConfigureAwait(false);
        FileRecord? validation = request.ValidationFile is null ? null : await FileAsync(request.ValidationFile, "validation_file").ConfigureAwait(false);
        (string startModel, string startFolder) = await catalog.ResolveFolderAsync(request.Model).ConfigureAwait(false);
        MethodInputs inputs = new()
        {
            StartFolder = startFolder,
            StartsLive = startModel == catalog.Live,
            Rows = training.Rows,
            LineWithoutReasoning = training.LineWithoutReasoning,
            TrainingFile = files.ContentOf(training.Id),
            ValidationFile = validation is null ? null : files.ContentOf(validation.Id),
        };
        string settings;
        try
        {
            settings = await Task.Run(() => method.Resolve(request.Settings, inputs)).ConfigureAwait(false);
        }
        catch (TrainingDataException error)
        {
            // It was a dataset when it was uploaded.
            string field = error.File == inputs.ValidationFile ? "validation_file" : "training_file";
            throw new TrainingRefusedException($"Line {error.Line} of the {field}, as it lies in the data directory: {error.Reason}.", field, "invalid_" + field) { IsConflict = true };
        }

        return new JobDraft(startModel, method.Name, settings, method.Plan(settings, startFolder, limit: null));
    }

    /// <summary>Plans a job that has no data yet.</summary>
    /// <param name="model">The model to start from.</param>
    /// <param name="methodName">The method.</param>
    /// <param name="options">The method's own object.</param>
    /// <param name="limit">Bytes there are; null asks the machine, or its GPU's driver.</param>
    /// <param name="rowTokens">Tokens of the longest row, for methods that train on rows as they are; null for what fits a turn.</param>
    /// <exception cref="TrainingRefusedException">It cannot run so; names the field.</exception>
    public async Task<JobDraft> PlanAsync(string model, string methodName, JsonElement options, long? limit, int? rowTokens = null)
    {
        ITrainingMethod method = Method(methodName);
        (string startModel, string startFolder) = await catalog.ResolveFolderAsync(model).ConfigureAwait(false);
        string settings = method.Resolve(options, new MethodInputs
        {
            StartFolder = startFolder,
            StartsLive = startModel == catalog.Live,
            Rows = PlannedRows,
            LineWithoutReasoning = null,
            TrainingFile = null,
            ValidationFile = null,
            RowTokens = rowTokens,
        });
        return new JobDraft(startModel, method.Name, settings, method.Plan(settings, startFolder, limit));
    }

    /// <summary>A job.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public async Task<JobRecord> GetAsync(string id) =>
        await store.ReadAsync(context => context.Jobs.AsNoTracking().FirstOrDefaultAsync(job => job.Id == id)).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("job", id);

    /// <summary>A page of jobs, newest first.</summary>
    /// <param name="after">Id of the job before the page; null begins.</param>
    /// <param name="limit">Most jobs.</param>
    /// <exception cref="TrainingRefusedException">That job is not there, or no more.</exception>
    public async Task<Page<JobRecord>> ListAsync(string? after, int limit)
    {
        long before = after is null ? long.MaxValue
            : await store.ReadAsync(context => context.Jobs.Where(job => job.Id == after).Select(job => (long?)job.Number).FirstOrDefaultAsync()).ConfigureAwait(false)
                ?? throw TrainingRefusedException.NoCursor("job", after);
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
    /// <param name="id">The job.</param>
    /// <param name="kind">Only of this kind; null for all.</param>
    /// <param name="step">Only of this step; null for all.</param>
    /// <param name="limit">Most samples.</param>
    public async Task<IReadOnlyList<SampleRecord>> SamplesAsync(string id, string? kind, int? step, int limit)
    {
        await GetAsync(id).ConfigureAwait(false);
        return await store.ReadAsync(context => context.Samples.AsNoTracking()
            .Where(item => item.JobId == id && (kind == null || item.Kind == kind) && (step == null || item.Step == step))
            .OrderByDescending(item => item.Step).ThenBy(item => item.Place).Take(limit).ToListAsync()).ConfigureAwait(false);
    }

    /// <summary>The events of a job, those to come included, until it has ended.</summary>
    /// <param name="id">The job.</param>
    /// <param name="after">Sequence of the last event that is known already; 0 begins.</param>
    /// <param name="cancellationToken">Stops watching.</param>
    public async IAsyncEnumerable<EventRecord> WatchAsync(string id, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            // The state before the events: what ended the job is among them.
            Task changed = store.Changed;
            JobRecord job = await GetAsync(id).ConfigureAwait(false);
            List<EventRecord> events = await store.ReadAsync(context => context.Events.AsNoTracking()
                .Where(item => item.JobId == id && item.Sequence > after).OrderBy(item => item.Sequence).Take(EventsAtOnce).ToListAsync(cancellationToken)).ConfigureAwait(false);
            foreach (EventRecord item in events)
            {
                after = item.Sequence;
                yield return item;
            }

            if (events.Count > 0)
            {
                continue;
            }

            if (job.FinishedAt is not null)
            {
                yield break;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Changes of a job's values, oldest first.</summary>
    public Task<List<EditRecord>> EditsAsync(string id) =>
        store.ReadAsync(context => context.Edits.AsNoTracking().Where(item => item.JobId == id).OrderBy(item => item.Sequence).ToListAsync());

    /// <summary>Changes a job's values from its next step on.</summary>
    /// <param name="id">The job.</param>
    /// <param name="edit">The values, of the shape that the API checked.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <exception cref="TrainingRefusedException">There is none of that id, it has ended, or it cannot take a value; names it.</exception>
    public Task<JobRecord> EditAsync(string id, JsonElement edit, string who) => ChangeAsync(id, who, "job.edit", (context, job) =>
    {
        if (Ended.Contains(job.Status))
        {
            throw Conflict(job, "changed");
        }

        string values = Method(job.Method).CheckEdit(job.Settings, edit);
        context.Edits.Add(new EditRecord
        {
            JobId = id,
            Sequence = 1 + (context.Edits.Where(item => item.JobId == id).Max(item => (long?)item.Sequence) ?? 0),
            Values = values,
            CreatedAt = store.Now,
        });
        context.AddEvent(id, store.Now, "info", $"Change asked for: {values}");
    });

    /// <summary>Keeps a checkpoint whatever its age, or lets it go again.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that job and step.</exception>
    public async Task<CheckpointRecord> PinAsync(string id, int step, bool isPinned, string who)
    {
        await GetAsync(id).ConfigureAwait(false);
        return await store.WriteAsync(async context =>
        {
            CheckpointRecord checkpoint = await context.Checkpoints.FindAsync(id, step).ConfigureAwait(false)
                ?? throw TrainingRefusedException.NotFound("checkpoint", step.ToString(CultureInfo.InvariantCulture));
            string mark = PinOf(checkpoint);
            try
            {
                if (isPinned)
                {
                    await File.WriteAllBytesAsync(mark, [], CancellationToken.None).ConfigureAwait(false);
                }
                else
                {
                    File.Delete(mark);
                }
            }
            catch (DirectoryNotFoundException)
            {
                throw TrainingRefusedException.NotFound("checkpoint", step.ToString(CultureInfo.InvariantCulture));
            }

            context.AddAudit(store.Now, who, isPinned ? "checkpoint.pin" : "checkpoint.unpin", $"{id}:{step}");
            return checkpoint;
        }).ConfigureAwait(false);
    }

    /// <summary>Whether a checkpoint is kept whatever its age.</summary>
    public bool IsPinned(CheckpointRecord checkpoint) => File.Exists(PinOf(checkpoint));

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

    private ITrainingMethod Method(string name) => methods.FirstOrDefault(item => item.Name == name)
        ?? throw new TrainingRefusedException($"There is no training method '{name}'; there are {string.Join(", ", methods.Select(item => $"'{item.Name}'"))}.", "method.type");

    private string PinOf(CheckpointRecord checkpoint) => Path.Combine(store.PathOf(checkpoint.Folder), RunCheckpointFiles.Pin);

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
            FileRecord file = await files.GetAsync(id).ConfigureAwait(false);
            return File.Exists(files.ContentOf(id)) ? file : throw TrainingRefusedException.BytesGone(field);
        }
        catch (TrainingRefusedException error) when (error.IsNotFound)
        {
            throw new TrainingRefusedException(error.Message, field, "invalid_" + field);
        }
    }
}
