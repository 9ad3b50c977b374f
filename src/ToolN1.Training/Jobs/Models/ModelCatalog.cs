using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Models;

/// <summary>
/// The models that requests may name: the served one, which is whichever of its versions is live, and the versions
/// themselves. A version is read into memory when it is first asked for. Safe to call from any thread.
/// </summary>
public sealed class ModelCatalog : IDisposable
{
    private readonly TrainingStore _store;
    private readonly ServedModel _served;
    private readonly IModelHost _host;
    private readonly ModelRecords _records;
    private readonly LoadedModels _loaded;

    // One load or export at a time.
    private readonly SemaphoreSlim _loading = new(1);

    /// <summary>Begins with the served model alone.</summary>
    public ModelCatalog(
        TrainingStore store, ServedModel served, IModelHost host, IEnumerable<ITrainingMethod> methods,
        IOptions<TrainingOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        _store = store;
        _served = served;
        _host = host;
        _records = new ModelRecords(store, served.Info.Name, [.. methods]);
        _loaded = new LoadedModels(served, host, options, time, loggers.CreateLogger<LoadedModels>());
    }

    /// <summary>Name of the served model; requests that use it run on the live version.</summary>
    public string BaseName => _served.Info.Name;

    /// <summary>The version that is live.</summary>
    public string Live
    {
        get => _loaded.Live;
        internal set => _loaded.Live = value;
    }

    private string First => ModelNames.First(BaseName);

    /// <summary>The name of what a job has made, or would make, at a step.</summary>
    public string NameOf(JobRecord job, int step) => ModelNames.Of(BaseName, job.Number, step, job.Suffix);

    /// <summary>Takes a model into use, reading it into memory where it is not there.</summary>
    /// <param name="name">Its name; null is the served one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>To be disposed when the request has ended.</returns>
    /// <exception cref="TrainingRefusedException">There is no such model.</exception>
    /// <exception cref="CheckpointException">Its files cannot be used: damaged, or an adapter of other weights than its base has by now.</exception>
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

        if (_loaded.TryUse(new LoadedKey(name)) is ModelUse use)
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

    /// <summary>Reads a version into memory where it is not there; nothing else changes. It stays until others need the room.</summary>
    /// <param name="name">A version's name.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is known of it now.</returns>
    /// <exception cref="TrainingRefusedException">There is no such version, or the name is that of the served model.</exception>
    public async Task<ModelSummary> LoadAsync(string name, string who, CancellationToken cancellationToken)
    {
        if (name == BaseName)
        {
            throw NoVersion();
        }

        // Listed while it is in use, so that no other model can have taken its place meanwhile.
        using ModelUse use = await UseAsync(name, cancellationToken).ConfigureAwait(false);
        await AuditAsync(who, "model.load", name).ConfigureAwait(false);
        return (await ListAsync().ConfigureAwait(false)).First(model => model.Name == name);
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
    /// <param name="who">Who asks, for the audit log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TrainingRefusedException">There is no such model, or it is no adapter.</exception>
    /// <exception cref="CheckpointException">Its files are damaged.</exception>
    public async Task<string> ExportAsync(string name, bool wantsAdapter, string who, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ModelRecord model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
            string folder = _store.PathOf(model.Folder);
            if (!wantsAdapter)
            {
                folder = await WholeFolderAsync(model, cancellationToken).ConfigureAwait(false);
            }
            else if (!PeftFolder.Is(folder))
            {
                throw new TrainingRefusedException($"'{name}' has whole weights and no adapter.", "format");
            }

            await CheckAsync(folder, cancellationToken).ConfigureAwait(false);
            await AuditAsync(who, "checkpoint.export", name).ConfigureAwait(false);
            return folder;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The folder of a model's whole weights, and which version it is.</summary>
    /// <param name="name">A model's name.</param>
    /// <param name="isChecked">Holds its files against their manifest: for whoever reads more than the model's shape.</param>
    /// <exception cref="TrainingRefusedException">There is no such model.</exception>
    /// <exception cref="CheckpointException">Its files are damaged.</exception>
    public async Task<(string Name, string Folder)> ResolveFolderAsync(string name, bool isChecked = false)
    {
        string version = name == BaseName ? Live : name;
        if (version == First)
        {
            return (version, _served.Folder);
        }

        await _loading.WaitAsync().ConfigureAwait(false);
        try
        {
            string folder = await WholeFolderAsync(await FindAsync(version, CancellationToken.None).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false);
            if (isChecked)
            {
                await CheckAsync(folder, CancellationToken.None).ConfigureAwait(false);
            }

            return (version, folder);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>The names that requests may use, with the times when they were made; the served model first.</summary>
    public async Task<IReadOnlyList<(string Name, long CreatedAt)>> NamesAsync() =>
        [(BaseName, _served.Created.ToUnixTimeSeconds()), .. (await _records.AllAsync().ConfigureAwait(false)).Select(model => (model.Name, model.CreatedAt))];

    /// <summary>Whether requests may use a name, and when its model, or the checkpoint that it would be made of, was made.</summary>
    public async Task<long?> CreatedAsync(string name) =>
        name == BaseName || name == First ? _served.Created.ToUnixTimeSeconds()
        : (await _records.FindAsync(name).ConfigureAwait(false))?.CreatedAt
            ?? (await _records.CheckpointAsync(name, CancellationToken.None).ConfigureAwait(false))?.Checkpoint.CreatedAt;

    /// <summary>All versions with what is known of them; the one that the server was started with first.</summary>
    public async Task<IReadOnlyList<ModelSummary>> ListAsync()
    {
        IReadOnlyList<ModelRecord> models = await _records.AllAsync().ConfigureAwait(false);
        List<EvaluationRecord> scores = await _store.ReadAsync(context => context.Evaluations.AsNoTracking().OrderBy(item => item.CreatedAt).ToListAsync()).ConfigureAwait(false);
        IReadOnlyList<HeldOutScore> Scores(string version) => [.. scores.Where(item => item.WeightVersion == version).Select(item => new HeldOutScore(item.DataHash, item.Verdicts))];
        IReadOnlySet<string> loaded = _loaded.Names;
        string live = Live;
        return
        [
            new ModelSummary(First, live == First, true, null, null, null, _served.Info.WeightVersion, _served.Created.ToUnixTimeSeconds(), Scores(_served.Info.WeightVersion)),
            .. models.Select(model => new ModelSummary(
                model.Name, live == model.Name, loaded.Contains(model.Name), model.JobId, model.Step, model.DataHash, model.WeightVersion, model.CreatedAt, Scores(model.WeightVersion))),
        ];
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
            return await AddAsync(job, step, path => DurableFolder.Commit(modelFolder, path), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>A version's record; null where it is not registered.</summary>
    internal Task<ModelRecord?> RecordAsync(string name) => _records.FindAsync(name);

    /// <summary>The refusal of the served model's name where a version's is asked for.</summary>
    internal TrainingRefusedException NoVersion() => new($"'{BaseName}' is whichever version is live; name a version.", "model");

    /// <inheritdoc/>
    public void Dispose() => _loading.Dispose();

    /// <summary>A version's record; one that exists only as a checkpoint is made a model first. Under the loading lock.</summary>
    private async Task<ModelRecord> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (await _records.FindAsync(name).ConfigureAwait(false) is ModelRecord known)
        {
            return known;
        }

        (JobRecord job, ITrainingMethod method, CheckpointRecord checkpoint) =
            await _records.CheckpointAsync(name, cancellationToken).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("model", name);
        string from = _store.PathOf(checkpoint.Folder);
        if (method.NeedsStartServed(job.Settings) && RunCheckpointFiles.StartVersionOf(from) is string trainedOver)
        {
            // No version was registered yet that would tell whether the start's name stands for other weights by now.
            RequireSameBase(from, trainedOver, await WholeVersionAsync(job.StartModel, cancellationToken).ConfigureAwait(false));
        }

        string startFolder = await StartFolderAsync(job.StartModel, cancellationToken).ConfigureAwait(false);
        return await AddAsync(job, checkpoint.Step, path => DurableFolder.Write(path, temporary => method.Export(job.Settings, from, startFolder, temporary)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a version: its folder, its place in memory, its record. Under the loading lock.</summary>
    /// <param name="job">Whose it is.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="write">Puts the files at the path that it is given.</param>
    /// <param name="cancellationToken">Gives up before it is registered.</param>
    private async Task<ModelRecord> AddAsync(JobRecord job, int step, Action<string> write, CancellationToken cancellationToken)
    {
        string name = ModelNames.Of(BaseName, job.Number, step, job.Suffix);
        string folder = Path.Combine("models", ModelNames.Key(job.Number, step));
        string path = _store.PathOf(folder);
        if (await _records.FindAsync(name).ConfigureAwait(false) is null && Directory.Exists(MergedOf(path)))
        {
            // Numbers begin again with a new database, and what an older one's job of this number left is another adapter merged.
            Directory.Delete(MergedOf(path), recursive: true);
        }

        await Task.Run(() => write(path), cancellationToken).ConfigureAwait(false);
        LoadedModel loaded = await ReadAsync(job.StartModel, path, registered: null, cancellationToken).ConfigureAwait(false);
        ModelRecord model = new()
        {
            Name = name,
            BaseModel = BaseName,
            JobId = job.Id,
            Step = step,
            Folder = folder,
            WeightVersion = loaded.Version,
            DataHash = job.DataHash,
            CreatedAt = _store.Now,
        };

        // First in memory's books: where it cannot be written down it is still known to be there.
        (await _loaded.AddAsync(new LoadedKey(name), loaded).ConfigureAwait(false)).Dispose();
        await _records.ReplaceAsync(model).ConfigureAwait(false);
        await _loaded.EvictAsync().ConfigureAwait(false);
        return model;
    }

    /// <summary>A model in use, read where it is not in memory. Under the loading lock.</summary>
    private async Task<ModelUse> LoadAsync(string name, bool whole, CancellationToken cancellationToken)
    {
        if (name == First)
        {
            return new ModelUse(name, _served.Info.WeightVersion, null);
        }

        ModelRecord? model = null;
        LoadedKey key = new(name);
        if (whole)
        {
            model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
            key = new LoadedKey(name, IsMerged: PeftFolder.Is(_store.PathOf(model.Folder)));
        }

        if (_loaded.TryUse(key) is ModelUse use)
        {
            return use;
        }

        model ??= await FindAsync(name, cancellationToken).ConfigureAwait(false);
        string folder = whole ? await WholeFolderAsync(model, cancellationToken).ConfigureAwait(false) : _store.PathOf(model.Folder);
        await CheckAsync(folder, cancellationToken).ConfigureAwait(false);
        LoadedModel read = await ReadAsync(await _records.StartOfAsync(model, cancellationToken).ConfigureAwait(false), folder, model.WeightVersion, cancellationToken).ConfigureAwait(false);
        ModelUse first = await _loaded.AddAsync(key, read).ConfigureAwait(false);
        await _loaded.EvictAsync().ConfigureAwait(false);
        return first;
    }

    /// <summary>Reads a folder into memory; an adapter goes over its base's whole weights, which stay as long as it does. Under the loading lock.</summary>
    /// <param name="startModel">What its job started from.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="registered">Version that an adapter was registered under; null for a new one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointException">It cannot be read, or is an adapter of other weights than its base has by now.</exception>
    private async Task<LoadedModel> ReadAsync(string startModel, string folder, string? registered, CancellationToken cancellationToken)
    {
        if (!PeftFolder.Is(folder))
        {
            return new LoadedModel(await _host.LoadAsync(folder, cancellationToken).ConfigureAwait(false), null);
        }

        ModelUse @base = await LoadAsync(startModel, whole: true, cancellationToken).ConfigureAwait(false);
        try
        {
            using LoraAdapter adapter = await Task.Run(() => PeftFolder.Read(folder), cancellationToken).ConfigureAwait(false);
            string version = PeftFolder.VersionOf(adapter, @base.WeightVersion!);
            RequireSameBase(folder, registered ?? version, version);
            await _host.AddAdapterAsync(version, @base.WeightVersion!, adapter, cancellationToken).ConfigureAwait(false);
            return new LoadedModel(version, @base);
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

        string merged = MergedOf(own);
        if (!Directory.Exists(merged))
        {
            string startModel = await _records.StartOfAsync(model, cancellationToken).ConfigureAwait(false);
            string startFolder = await StartFolderAsync(startModel, cancellationToken).ConfigureAwait(false);
            await CheckAsync(own, cancellationToken).ConfigureAwait(false);
            if (startModel != First)
            {
                await CheckAsync(startFolder, cancellationToken).ConfigureAwait(false);
            }

            using LoraAdapter adapter = await Task.Run(() => PeftFolder.Read(own), cancellationToken).ConfigureAwait(false);
            RequireSameBase(own, model.WeightVersion, PeftFolder.VersionOf(adapter, await WholeVersionAsync(startModel, cancellationToken).ConfigureAwait(false)));
            await Task.Run(() => DurableFolder.Write(merged, temporary => MergedFolder.Write(adapter, startFolder, temporary, _served.Format)), cancellationToken).ConfigureAwait(false);
        }

        return merged;
    }

    /// <summary>An adapter's version tells its base's too: whoever replaces a served model's files under its name leaves adapters that fit nothing any more.</summary>
    private static void RequireSameBase(string folder, string registered, string version)
    {
        if (version != registered)
        {
            throw new CheckpointException(folder, $"was trained over other weights than its base has now (version {version} instead of {registered}).");
        }
    }

    /// <summary>Version of a model's whole weights. Under the loading lock.</summary>
    private async Task<string> WholeVersionAsync(string name, CancellationToken cancellationToken)
    {
        if (name == First)
        {
            return _served.Info.WeightVersion;
        }

        ModelRecord model = await FindAsync(name, cancellationToken).ConfigureAwait(false);
        if (!PeftFolder.Is(_store.PathOf(model.Folder)))
        {
            return model.WeightVersion;
        }

        using ModelUse merged = await LoadAsync(name, whole: true, cancellationToken).ConfigureAwait(false);
        return merged.WeightVersion!;
    }

    /// <summary>Where an adapter's merged weights lie.</summary>
    private static string MergedOf(string folder) => folder + "-merged";

    private static Task CheckAsync(string folder, CancellationToken cancellationToken) => Task.Run(() => Manifest.Check(folder), cancellationToken);

    private Task<bool> AuditAsync(string who, string action, string name) => _store.WriteAsync(context =>
    {
        context.AddAudit(_store.Now, who, action, name);
        return Task.FromResult(true);
    });

    /// <summary>The folder that a job started from. Under the loading lock.</summary>
    private async Task<string> StartFolderAsync(string startModel, CancellationToken cancellationToken) =>
        startModel == First ? _served.Folder : await WholeFolderAsync(await FindAsync(startModel, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
