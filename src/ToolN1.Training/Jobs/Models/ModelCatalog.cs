using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;
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

    /// <summary>Ends the key of an adapter's merged weights among what is loaded; no name of a model has a space.</summary>
    private const string Merged = " merged";

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
            return await LoadAsync(name, whole: false, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Takes a model's whole weights into use: an adapter merged into its base, any other model as it is.</summary>
    /// <param name="name">A version's name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>To be disposed when it is used no more.</returns>
    /// <exception cref="TrainingRefusedException">There is no such model.</exception>
    public async Task<ModelUse> UseWholeAsync(string name, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await LoadAsync(name, whole: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The folder of a model's files, made where it is not there.</summary>
    /// <param name="name">A version's name.</param>
    /// <param name="wantsAdapter">The adapter alone in PEFT's layout, rather than a Hugging Face folder of whole weights.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TrainingRefusedException">There is no such model, or it is no adapter.</exception>
    public async Task<string> ExportAsync(string name, bool wantsAdapter, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ModelRecord model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
            string folder = _store.PathOf(model.Folder);
            return !wantsAdapter ? await WholeFolderAsync(model, cancellationToken).ConfigureAwait(false)
                : PeftFolder.Is(folder) ? folder
                : throw new TrainingRefusedException($"'{name}' has whole weights and no adapter.", "format");
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The folder of a model's whole weights, and which version it is.</summary>
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
            return (version, await WholeFolderAsync(await FindAsync(version, CancellationToken.None).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false));
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
            using ModelUse use = await UseWholeAsync(name, cancellationToken).ConfigureAwait(false);
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
                using ModelUse use = await UseWholeAsync(last.Model, cancellationToken).ConfigureAwait(false);
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
        using ModelUse use = await UseWholeAsync(previous, cancellationToken).ConfigureAwait(false);
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

        JobRecord job = await _store.ReadAsync(context => context.Jobs.AsNoTracking().FirstAsync(item => item.Id == model.JobId, cancellationToken)).ConfigureAwait(false);
        HeldOutJudge? judge = _methods.FirstOrDefault(method => method.Name == job.Method)?.Judge(job.Settings);
        (HeldOutScore before, _) = await _heldOut.ScoreAsync(rows, _host.LiveVersion, judge, cancellationToken).ConfigureAwait(false);
        (HeldOutScore now, _) = await _heldOut.ScoreAsync(rows, use.WeightVersion!, judge, cancellationToken).ConfigureAwait(false);
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
        string startFolder = await StartFolderAsync(job.StartModel, cancellationToken).ConfigureAwait(false);
        string relative = Path.Combine("models", ModelNames.Key(number, step));
        string temporary = DurableFolder.Begin(_store.PathOf(relative));
        await Task.Run(() => method.Export(job.Settings, _store.PathOf(checkpoint.Folder), startFolder, temporary), cancellationToken).ConfigureAwait(false);
        DurableFolder.Commit(temporary, _store.PathOf(relative));
        return await AddRecordAsync(job, step, relative, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ModelRecord> AddRecordAsync(JobRecord job, int step, string folder, CancellationToken cancellationToken)
    {
        Loaded loaded = await ReadAsync(job.StartModel, _store.PathOf(folder), cancellationToken).ConfigureAwait(false);
        ModelRecord model = new()
        {
            Name = ModelNames.Of(BaseName, job.Number, step, job.Suffix),
            BaseModel = BaseName,
            JobId = job.Id,
            Step = step,
            Folder = folder,
            WeightVersion = loaded.Version,
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
        Add(model.Name, loaded).Dispose();
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

    private ModelUse Add(string name, Loaded fresh)
    {
        lock (_gate)
        {
            if (_loaded.TryGetValue(name, out Loaded? loaded))
            {
                fresh.Base?.Dispose();
            }
            else
            {
                loaded = fresh;
                _loaded.Add(name, loaded);
            }

            return Use(name, loaded);
        }
    }

    /// <summary>A model in use, read where it is not in memory. Under the loading lock.</summary>
    private async Task<ModelUse> LoadAsync(string name, bool whole, CancellationToken cancellationToken)
    {
        if (name == First)
        {
            return new ModelUse(name, _served.Info.WeightVersion, null);
        }

        ModelRecord? model = null;
        string key = name;
        if (whole)
        {
            model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
            key = PeftFolder.Is(_store.PathOf(model.Folder)) ? name + Merged : name;
        }

        if (TryUse(key) is ModelUse use)
        {
            return use;
        }

        model ??= await FindAsync(name, cancellationToken).ConfigureAwait(false);
        string folder = whole ? await WholeFolderAsync(model, cancellationToken).ConfigureAwait(false) : _store.PathOf(model.Folder);
        await Task.Run(() => DurableFolder.Check(folder), cancellationToken).ConfigureAwait(false);
        ModelUse first = Add(key, await ReadAsync(await StartOfAsync(model, cancellationToken).ConfigureAwait(false), folder, cancellationToken).ConfigureAwait(false));
        await EvictAsync().ConfigureAwait(false);
        return first;
    }

    /// <summary>Reads a folder into memory; an adapter goes over its base's whole weights, which stay as long as it does. Under the loading lock.</summary>
    private async Task<Loaded> ReadAsync(string startModel, string folder, CancellationToken cancellationToken)
    {
        if (!PeftFolder.Is(folder))
        {
            return new Loaded(await _host.LoadAsync(folder, cancellationToken).ConfigureAwait(false), null);
        }

        ModelUse @base = await LoadAsync(startModel, whole: true, cancellationToken).ConfigureAwait(false);
        try
        {
            using LoraAdapter adapter = await Task.Run(() => PeftFolder.Read(folder), cancellationToken).ConfigureAwait(false);
            string version = PeftFolder.VersionOf(folder, @base.WeightVersion!);
            await _host.AddAdapterAsync(version, @base.WeightVersion!, adapter, cancellationToken).ConfigureAwait(false);
            return new Loaded(version, @base);
        }
        catch
        {
            @base.Dispose();
            throw;
        }
    }

    /// <summary>A Hugging Face folder of a model's whole weights: an adapter is merged the first time. Under the loading lock.</summary>
    private async Task<string> WholeFolderAsync(ModelRecord model, CancellationToken cancellationToken)
    {
        string own = _store.PathOf(model.Folder);
        if (!PeftFolder.Is(own))
        {
            return own;
        }

        string merged = own + "-merged";
        if (!Directory.Exists(merged))
        {
            string startFolder = await StartFolderAsync(await StartOfAsync(model, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            string temporary = DurableFolder.Begin(merged);
            await Task.Run(() => MergedFolder.Write(own, startFolder, temporary), cancellationToken).ConfigureAwait(false);
            DurableFolder.Commit(temporary, merged);
        }

        return merged;
    }

    private Task<string> StartOfAsync(ModelRecord model, CancellationToken cancellationToken) =>
        _store.ReadAsync(context => context.Jobs.AsNoTracking().Where(item => item.Id == model.JobId).Select(item => item.StartModel).FirstAsync(cancellationToken));

    /// <summary>The folder that a job started from. Under the loading lock.</summary>
    private async Task<string> StartFolderAsync(string startModel, CancellationToken cancellationToken) =>
        startModel == First ? _served.Folder : await WholeFolderAsync(await FindAsync(startModel, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

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
                loaded.Base?.Dispose();
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

            KeyValuePair<string, Loaded> oldest = _loaded.Where(item => item.Value.Uses == 0 && item.Key != _live && item.Value.Version != _host.LiveVersion).MinBy(item => item.Value.LastUse);
            if (oldest.Key is null)
            {
                return null;
            }

            _loaded.Remove(oldest.Key);
            return (oldest.Key, oldest.Value);
        }
    }

    /// <summary>A version in memory.</summary>
    private sealed class Loaded(string version, ModelUse? @base)
    {
        public string Version { get; } = version;

        /// <summary>What an adapter stands on; null for whole weights.</summary>
        public ModelUse? Base { get; } = @base;

        public int Uses { get; set; }

        public long LastUse { get; set; }
    }
}
