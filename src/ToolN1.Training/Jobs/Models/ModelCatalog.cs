using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Evaluation.Harness;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Models;

/// <summary>
/// The models that requests may name: the served one, which is whichever of its versions is live, and the versions
/// themselves. A version is read into memory when it is first asked for; the one unused longest goes when there are too many.
/// Safe to call from any thread.
/// </summary>
public sealed class ModelCatalog : IDisposable
{
    private const string Server = "server";

    private readonly TrainingStore _store;
    private readonly ServedModel _served;
    private readonly IModelHost _host;
    private readonly HeldOut _heldOut;
    private readonly IReadOnlyList<ITrainingMethod> _methods;
    private readonly int _maxLoaded;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelCatalog> _logger;

    // One load, export or change of the live model at a time; what is loaded changes under the gate.
    private readonly SemaphoreSlim _loading = new(1);
    private readonly SemaphoreSlim _promoting = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Loaded> _loaded = new(StringComparer.Ordinal);
    private string _live;

    /// <summary>Begins with the served model alone.</summary>
    public ModelCatalog(
        TrainingStore store, ServedModel served, IModelHost host, HeldOut heldOut, IEnumerable<ITrainingMethod> methods,
        IOptions<TrainingOptions> options, TimeProvider time, ILogger<ModelCatalog> logger)
    {
        _store = store;
        _served = served;
        _host = host;
        _heldOut = heldOut;
        _methods = [.. methods];
        _maxLoaded = options.Value.Training.MaxLoadedModels;
        _time = time;
        _logger = logger;
        _live = First;
    }

    /// <summary>Name of the served model; requests that use it run on the live version.</summary>
    public string BaseName => _served.Info.Name;

    /// <summary>The version that is live.</summary>
    public string Live
    {
        get
        {
            lock (_gate)
            {
                return _live;
            }
        }
    }

    private string First => ModelNames.First(BaseName);

    /// <summary>The name of what a job has made, or would make, at a step.</summary>
    public string NameOf(JobRecord job, int step) => ModelNames.Of(BaseName, job.Number, step, job.Suffix);

    /// <summary>Takes a model into use, reading it into memory where it is not there.</summary>
    /// <param name="name">Its name; null is the served one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>To be disposed when the request has ended.</returns>
    /// <exception cref="TrainingRefusedException">There is no such model.</exception>
    public async Task<ModelUse> UseAsync(string? name, CancellationToken cancellationToken)
    {
        if (name is null || name == BaseName)
        {
            return new ModelUse(BaseName, null, null);
        }

        if (name == First)
        {
            return new ModelUse(name, _served.Info.WeightVersion, null);
        }

        if (TryUse(name) is ModelUse use)
        {
            return use;
        }

        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (TryUse(name) is ModelUse waited)
            {
                return waited;
            }

            ModelRecord model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
            string folder = _store.PathOf(model.Folder);
            await Task.Run(() => DurableFolder.Check(folder), cancellationToken).ConfigureAwait(false);
            string version = await _host.LoadAsync(folder, cancellationToken).ConfigureAwait(false);
            ModelUse first = Add(name, version);
            await EvictAsync().ConfigureAwait(false);
            return first;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The folder of a model, and which version it is.</summary>
    /// <exception cref="TrainingRefusedException">There is no such model.</exception>
    public async Task<(string Name, string Folder)> ResolveFolderAsync(string name)
    {
        string version = name == BaseName ? Live : name;
        if (version == First)
        {
            return (version, _served.Folder);
        }

        await _loading.WaitAsync().ConfigureAwait(false);
        try
        {
            return (version, _store.PathOf((await FindAsync(version, CancellationToken.None).ConfigureAwait(false)).Folder));
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The names that requests may use, with the times when they were made; the served model first.</summary>
    public async Task<IReadOnlyList<(string Name, long CreatedAt)>> NamesAsync() =>
        [(BaseName, _served.Created.ToUnixTimeSeconds()), .. (await RecordsAsync().ConfigureAwait(false)).Select(model => (model.Name, model.CreatedAt))];

    /// <summary>Whether requests may use a name, and when its model was made.</summary>
    public async Task<long?> CreatedAsync(string name) =>
        name == BaseName || name == First ? _served.Created.ToUnixTimeSeconds()
        : (await RecordsAsync().ConfigureAwait(false)).FirstOrDefault(model => model.Name == name)?.CreatedAt;

    /// <summary>All versions with what is known of them; the one that the server was started with first.</summary>
    public async Task<IReadOnlyList<ModelSummary>> ListAsync()
    {
        IReadOnlyList<ModelRecord> models = await RecordsAsync().ConfigureAwait(false);
        List<EvaluationRecord> scores = await _store.ReadAsync(context => context.Evaluations.AsNoTracking().OrderBy(item => item.CreatedAt).ToListAsync()).ConfigureAwait(false);
        IReadOnlyList<HeldOutScore> Scores(string version) => [.. scores.Where(item => item.WeightVersion == version).Select(item => new HeldOutScore(item.DataHash, item.Verdicts))];
        HashSet<string> loaded;
        lock (_gate)
        {
            loaded = [.. _loaded.Keys];
        }

        string live = Live;
        return
        [
            new ModelSummary(First, live == First, true, null, null, null, _served.Info.WeightVersion, _served.Created.ToUnixTimeSeconds(), Scores(_served.Info.WeightVersion)),
            .. models.Select(model => new ModelSummary(
                model.Name, live == model.Name, loaded.Contains(model.Name), model.JobId, model.Step, model.DataHash, model.WeightVersion, model.CreatedAt, Scores(model.WeightVersion))),
        ];
    }

    /// <summary>The audit log, newest first.</summary>
    public Task<List<AuditRecord>> AuditAsync(int limit) =>
        _store.ReadAsync(context => context.Audit.AsNoTracking().OrderByDescending(item => item.Sequence).Take(limit).ToListAsync());

    /// <summary>Makes a version live if it does no worse on its job's held-out rows than the live one does.</summary>
    /// <param name="name">The version.</param>
    /// <param name="mustImprove">Asks for more: it must do better, with p below 0.05.</param>
    /// <param name="force">Does it whatever the gate says, and records that.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <param name="cancellationToken">Gives up before the change.</param>
    /// <exception cref="TrainingRefusedException">There is no such version, it is live, or the gate stands against it.</exception>
    public async Task<LiveChange> PromoteAsync(string name, bool mustImprove, bool force, string who, CancellationToken cancellationToken)
    {
        if (name == BaseName)
        {
            throw new TrainingRefusedException($"'{name}' is whichever version is live; name a version.", "model");
        }

        await _promoting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            string before = Live;
            if (name == before)
            {
                throw new TrainingRefusedException($"'{name}' is live already.", "model", "already_live") { IsConflict = true };
            }

            // 1. The gate.
            using ModelUse use = await UseAsync(name, cancellationToken).ConfigureAwait(false);
            ModelRecord? model = (await RecordsAsync().ConfigureAwait(false)).FirstOrDefault(item => item.Name == name);
            (HeldOutScore Before, HeldOutScore Now)? scores = await CompareAsync(model, use, cancellationToken).ConfigureAwait(false);
            double? p = scores is (HeldOutScore a, HeldOutScore b) ? PValue(a, b) : null;
            string? objection = scores is null ? "there are no held-out rows to compare it on (its job had no validation_file)"
                : scores.Value.Now.Correct < scores.Value.Before.Correct ? $"its exact match falls from {scores.Value.Before.Correct} to {scores.Value.Now.Correct} of {scores.Value.Now.Rows} held-out rows"
                : mustImprove && !(scores.Value.Now.Correct > scores.Value.Before.Correct && p < 0.05) ? $"its exact match does not rise with p < 0.05 ({scores.Value.Before.Correct} before, {scores.Value.Now.Correct} now of {scores.Value.Now.Rows}, p = {p:0.###})"
                : null;
            if (objection is not null && !force)
            {
                throw new TrainingRefusedException($"'{name}' does not pass the gate: {objection}. \"force\": true promotes it all the same.", "model", "gate_failed") { IsConflict = true };
            }

            // 2. The swap, then its record; without the record there is no swap.
            LiveChange change = new(before, name, scores?.Now.Rows, scores?.Before.Correct, scores?.Now.Correct, p, objection is not null);
            PromotionDetails details = new(before, name, model?.DataHash, scores?.Now.DataHash, change.HeldOutRows, change.CorrectBefore, change.CorrectNow, change.IsForced, objection);
            await SwapAsync(name, use.WeightVersion!, async () => await _store.WriteAsync(async context =>
            {
                context.Promotions.Add(new PromotionRecord
                {
                    Sequence = 1 + (await context.Promotions.MaxAsync(item => (long?)item.Sequence, CancellationToken.None).ConfigureAwait(false) ?? 0),
                    Model = name,
                    BaseModel = BaseName,
                    CreatedAt = _store.Now,
                });
                context.AddAudit(_store.Now, who, "model.promote", name, JsonSerializer.Serialize(details, JobsJson.Relaxed.PromotionDetails));
                return true;
            }).ConfigureAwait(false)).ConfigureAwait(false);
            return change;
        }
        finally
        {
            _promoting.Release();
        }
    }

    /// <summary>Makes live what was live before the last promotion.</summary>
    /// <exception cref="TrainingRefusedException">Nothing was promoted.</exception>
    public async Task<LiveChange> RollbackAsync(string who, CancellationToken cancellationToken)
    {
        await _promoting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RollbackAsync(who, null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _promoting.Release();
        }
    }

    /// <summary>Makes live what was live when the server stopped; where that cannot be read any more, what was live before it.</summary>
    internal async Task RestoreAsync(CancellationToken cancellationToken)
    {
        while (await LastPromotionAsync().ConfigureAwait(false) is PromotionRecord last && last.Model != First)
        {
            try
            {
                using ModelUse use = await UseAsync(last.Model, cancellationToken).ConfigureAwait(false);
                await SwapAsync(last.Model, use.WeightVersion!, () => Task.CompletedTask).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (error is CheckpointException or TrainingRefusedException)
            {
                JobLog.PromotedModelUnusable(_logger, error, last.Model);
                await TakeBackAsync(Server, last, await PreviousAsync(last).ConfigureAwait(false), error.Message).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Registers what a job made, and reads it into memory.</summary>
    /// <param name="job">The job.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="modelFolder">A Hugging Face folder; moved.</param>
    /// <param name="cancellationToken">Gives up before it is registered.</param>
    internal async Task<ModelRecord> RegisterAsync(JobRecord job, int step, string modelFolder, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            string relative = Path.Combine("models", ModelNames.Key(job.Number, step));
            string path = _store.PathOf(relative);
            DurableFolder.Commit(modelFolder, path);
            return await AddRecordAsync(job, step, relative, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loading.Dispose();
        _promoting.Dispose();
    }

    private async Task<LiveChange> RollbackAsync(string who, string? reason, CancellationToken cancellationToken)
    {
        PromotionRecord last = await LastPromotionAsync().ConfigureAwait(false)
            ?? throw new TrainingRefusedException("No model was promoted: there is nothing to roll back to.", null, "nothing_promoted") { IsConflict = true };
        string previous = await PreviousAsync(last).ConfigureAwait(false);
        using ModelUse use = await UseAsync(previous, cancellationToken).ConfigureAwait(false);
        await SwapAsync(previous, use.WeightVersion!, () => TakeBackAsync(who, last, previous, reason)).ConfigureAwait(false);
        return new LiveChange(last.Model, previous, null, null, null, null, false);
    }

    private Task<bool> TakeBackAsync(string who, PromotionRecord last, string previous, string? reason) => _store.WriteAsync(async context =>
    {
        (await context.Promotions.FindAsync(last.Sequence).ConfigureAwait(false))!.IsRolledBack = true;
        PromotionDetails details = new(last.Model, previous, null, null, null, null, null, false, reason);
        context.AddAudit(_store.Now, who, "model.rollback", previous, JsonSerializer.Serialize(details, JobsJson.Relaxed.PromotionDetails));
        return true;
    });

    private Task<PromotionRecord?> LastPromotionAsync() => _store.ReadAsync(context => context.Promotions.AsNoTracking()
        .Where(item => item.BaseModel == BaseName && !item.IsRolledBack).OrderByDescending(item => item.Sequence).FirstOrDefaultAsync());

    private async Task<string> PreviousAsync(PromotionRecord last) => (await _store.ReadAsync(context => context.Promotions.AsNoTracking()
        .Where(item => item.BaseModel == BaseName && !item.IsRolledBack && item.Sequence < last.Sequence).OrderByDescending(item => item.Sequence).FirstOrDefaultAsync()).ConfigureAwait(false))?.Model ?? First;

    /// <summary>Swaps the live version, and swaps back where the record of it fails.</summary>
    private async Task SwapAsync(string name, string version, Func<Task> record)
    {
        string versionBefore = _host.LiveVersion;
        await _host.PromoteAsync(version, CancellationToken.None).ConfigureAwait(false);
        try
        {
            await record().ConfigureAwait(false);
        }
        catch
        {
            await _host.PromoteAsync(versionBefore, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        lock (_gate)
        {
            _live = name;
        }
    }

    private async Task<(HeldOutScore Before, HeldOutScore Now)?> CompareAsync(ModelRecord? model, ModelUse use, CancellationToken cancellationToken)
    {
        if (model is null || JobFolders.HeldOutRows(_store, model.JobId) is not string rows)
        {
            return null;
        }

        (HeldOutScore before, _) = await _heldOut.ScoreAsync(rows, _host.LiveVersion, cancellationToken).ConfigureAwait(false);
        (HeldOutScore now, _) = await _heldOut.ScoreAsync(rows, use.WeightVersion!, cancellationToken).ConfigureAwait(false);
        return (before, now);
    }

    private static double PValue(HeldOutScore before, HeldOutScore now)
    {
        IEnumerable<(char Before, char Now)> pairs = before.Verdicts.Zip(now.Verdicts);
        return EvaluationComparison.McNemar(pairs.Count(pair => pair is ('1', '0')), pairs.Count(pair => pair is ('0', '1')));
    }

    /// <summary>A version's record; one that exists only as a checkpoint is made a model first. Under the loading lock.</summary>
    private async Task<ModelRecord> FindAsync(string name, CancellationToken cancellationToken)
    {
        if ((await RecordsAsync().ConfigureAwait(false)).FirstOrDefault(model => model.Name == name) is ModelRecord known)
        {
            return known;
        }

        TrainingRefusedException unknown = TrainingRefusedException.NotFound("model", name);
        if (!_store.IsOpen || ModelNames.Parse(BaseName, name) is not (long number, int step))
        {
            throw unknown;
        }

        JobRecord? job = await _store.ReadAsync(context => context.Jobs.AsNoTracking().FirstOrDefaultAsync(item => item.Number == number, cancellationToken)).ConfigureAwait(false);
        if (job is null || ModelNames.Of(BaseName, number, step, job.Suffix) != name || _methods.FirstOrDefault(item => item.Name == job.Method) is not ITrainingMethod method)
        {
            throw unknown;
        }

        CheckpointRecord checkpoint = await _store.ReadAsync(context => context.Checkpoints.AsNoTracking().FirstOrDefaultAsync(item => item.JobId == job.Id && item.Step == step, cancellationToken)).ConfigureAwait(false) ?? throw unknown;
        string startFolder = job.StartModel == First ? _served.Folder : _store.PathOf((await FindAsync(job.StartModel, cancellationToken).ConfigureAwait(false)).Folder);
        string relative = Path.Combine("models", ModelNames.Key(number, step));
        string temporary = DurableFolder.Begin(_store.PathOf(relative));
        await Task.Run(() => method.Export(_store.PathOf(checkpoint.Folder), startFolder, temporary), cancellationToken).ConfigureAwait(false);
        DurableFolder.Commit(temporary, _store.PathOf(relative));
        return await AddRecordAsync(job, step, relative, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ModelRecord> AddRecordAsync(JobRecord job, int step, string folder, CancellationToken cancellationToken)
    {
        string version = await _host.LoadAsync(_store.PathOf(folder), cancellationToken).ConfigureAwait(false);
        ModelRecord model = new()
        {
            Name = ModelNames.Of(BaseName, job.Number, step, job.Suffix),
            BaseModel = BaseName,
            JobId = job.Id,
            Step = step,
            Folder = folder,
            WeightVersion = version,
            DataHash = job.DataHash,
            CreatedAt = _store.Now,
        };
        await _store.WriteAsync(async context =>
        {
            if (await context.Models.FindAsync(model.Name).ConfigureAwait(false) is ModelRecord old)
            {
                context.Models.Remove(old);
                await context.SaveChangesAsync(CancellationToken.None).ConfigureAwait(false);
            }

            context.Models.Add(model);
            return true;
        }).ConfigureAwait(false);
        Add(model.Name, version).Dispose();
        await EvictAsync().ConfigureAwait(false);
        return model;
    }

    private async Task<IReadOnlyList<ModelRecord>> RecordsAsync() => _store.IsOpen
        ? await _store.ReadAsync(context => context.Models.AsNoTracking().Where(model => model.BaseModel == BaseName).OrderBy(model => model.CreatedAt).ThenBy(model => model.Step).ToListAsync()).ConfigureAwait(false)
        : [];

    private ModelUse? TryUse(string name)
    {
        lock (_gate)
        {
            return _loaded.TryGetValue(name, out Loaded? loaded) ? Use(name, loaded) : null;
        }
    }

    private ModelUse Add(string name, string version)
    {
        lock (_gate)
        {
            if (!_loaded.TryGetValue(name, out Loaded? loaded))
            {
                loaded = new Loaded(version);
                _loaded.Add(name, loaded);
            }

            return Use(name, loaded);
        }
    }

    // Under the gate.
    private ModelUse Use(string name, Loaded loaded)
    {
        loaded.Uses++;
        return new ModelUse(name, loaded.Version, () =>
        {
            lock (_gate)
            {
                loaded.Uses--;
                loaded.LastUse = _time.GetTimestamp();
            }
        });
    }

    /// <summary>Frees what is beyond the limit. Under the loading lock.</summary>
    private async Task EvictAsync()
    {
        while (TakeUnused() is (string name, Loaded loaded))
        {
            lock (_gate)
            {
                if (loaded.Version == _served.Info.WeightVersion || loaded.Version == _host.LiveVersion || _loaded.Values.Any(other => other.Version == loaded.Version))
                {
                    continue;
                }
            }

            try
            {
                await _host.RetireAsync(loaded.Version, CancellationToken.None).ConfigureAwait(false);
            }
            catch (ArgumentException error)
            {
                // An adapter that is being trained stands on it.
                JobLog.ModelKept(_logger, error, name);
                lock (_gate)
                {
                    _loaded.TryAdd(name, loaded);
                }

                return;
            }
        }
    }

    private (string Name, Loaded Loaded)? TakeUnused()
    {
        lock (_gate)
        {
            if (_loaded.Keys.Count(name => name != _live) <= _maxLoaded)
            {
                return null;
            }

            KeyValuePair<string, Loaded> oldest = _loaded.Where(item => item.Value.Uses == 0 && item.Key != _live).MinBy(item => item.Value.LastUse);
            if (oldest.Key is null)
            {
                return null;
            }

            _loaded.Remove(oldest.Key);
            return (oldest.Key, oldest.Value);
        }
    }

    /// <summary>A version in memory.</summary>
    private sealed class Loaded(string version)
    {
        public string Version { get; } = version;

        public int Uses { get; set; }

        public long LastUse { get; set; }
    }
}
