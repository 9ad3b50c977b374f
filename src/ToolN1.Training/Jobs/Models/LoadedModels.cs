using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Training.Jobs.Models;

/// <summary>
/// The versions in memory, and which of all versions is live; the one unused longest goes when there are too many. Safe to call
/// from any thread.
/// </summary>
internal sealed class LoadedModels
{
    private readonly IModelHost _host;
    private readonly string _firstVersion;
    private readonly int _maxLoaded;
    private readonly TimeProvider _time;
    private readonly ILogger<LoadedModels> _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<LoadedKey, LoadedModel> _loaded = [];
    private string _live;

    /// <summary>Begins with the served model, which is live, and nothing beside it.</summary>
    public LoadedModels(ServedModel served, IModelHost host, IOptions<TrainingOptions> options, TimeProvider time, ILogger<LoadedModels> logger)
    {
        _host = host;
        _firstVersion = served.Info.WeightVersion;
        _maxLoaded = options.Value.Training.MaxLoadedModels;
        _time = time;
        _logger = logger;
        _live = ModelNames.First(served.Info.Name);
    }

    /// <summary>Name of the live version.</summary>
    public string Live
    {
        get
        {
            lock (_gate)
            {
                return _live;
            }
        }

        set
        {
            lock (_gate)
            {
                _live = value;
            }
        }
    }

    /// <summary>Names of the versions in memory; adapters that are there only merged are not among them.</summary>
    public IReadOnlySet<string> Names
    {
        get
        {
            lock (_gate)
            {
                return _loaded.Keys.Where(key => !key.IsMerged).Select(key => key.Name).ToHashSet(StringComparer.Ordinal);
            }
        }
    }

    /// <summary>Takes a model into use if it is in memory.</summary>
    public ModelUse? TryUse(LoadedKey key)
    {
        lock (_gate)
        {
            return _loaded.TryGetValue(key, out LoadedModel? loaded) ? Use(key.Name, loaded) : null;
        }
    }

    /// <summary>Keeps what was read, unless its key is there already, and takes it into use; only one at a time.</summary>
    public async Task<ModelUse> AddAsync(LoadedKey key, LoadedModel fresh)
    {
        ModelUse use;
        bool isKept;
        lock (_gate)
        {
            isKept = _loaded.TryAdd(key, fresh);
            use = Use(key.Name, _loaded[key]);
        }

        if (!isKept)
        {
            await FreeAsync(key, fresh).ConfigureAwait(false);
        }

        return use;
    }

    /// <summary>Frees what is beyond the limit; only one at a time.</summary>
    public async Task EvictAsync()
    {
        while (TakeUnused() is (LoadedKey key, LoadedModel loaded))
        {
            if (!await FreeAsync(key, loaded).ConfigureAwait(false))
            {
                lock (_gate)
                {
                    _loaded.TryAdd(key, loaded);
                }

                return;
            }
        }
    }

    /// <summary>Takes a version out of memory that has no key here, unless another key has it.</summary>
    /// <returns>False where it must stay.</returns>
    private async Task<bool> FreeAsync(LoadedKey key, LoadedModel loaded)
    {
        if (!IsNeededStill(loaded.Version))
        {
            try
            {
                await _host.RetireAsync(loaded.Version, CancellationToken.None).ConfigureAwait(false);
            }
            catch (ArgumentException error)
            {
                // An adapter that is being trained stands on it.
                JobLog.ModelKept(_logger, error, key.Name);
                return false;
            }
        }

        loaded.Base?.Dispose();
        return true;
    }

    // Under the gate.
    private ModelUse Use(string name, LoadedModel loaded)
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

    private bool IsNeededStill(string version)
    {
        lock (_gate)
        {
            return version == _firstVersion || version == _host.LiveVersion || _loaded.Values.Any(other => other.Version == version);
        }
    }

    private (LoadedKey Key, LoadedModel Model)? TakeUnused()
    {
        lock (_gate)
        {
            LoadedKey live = new(_live);
            if (_loaded.Keys.Count(key => key != live) <= _maxLoaded)
            {
                return null;
            }

            KeyValuePair<LoadedKey, LoadedModel> oldest = _loaded.Where(item => item.Value.Uses == 0 && item.Key != live && item.Value.Version != _host.LiveVersion).MinBy(item => item.Value.LastUse);
            if (oldest.Value is null)
            {
                return null;
            }

            _loaded.Remove(oldest.Key);
            return (oldest.Key, oldest.Value);
        }
    }
}

/// <summary>What a version in memory is found by.</summary>
/// <param name="Name">A version's name.</param>
/// <param name="IsMerged">Whether it is an adapter merged into its base, and not the version as it is.</param>
internal readonly record struct LoadedKey(string Name, bool IsMerged = false);

/// <summary>A version in memory.</summary>
internal sealed class LoadedModel(string version, ModelUse? @base)
{
    /// <summary>Of its weights.</summary>
    public string Version { get; } = version;

    /// <summary>What an adapter stands on; null for whole weights.</summary>
    public ModelUse? Base { get; } = @base;

    /// <summary>Requests and jobs that use it now.</summary>
    public int Uses { get; set; }

    /// <summary>Timestamp of the end of the last use.</summary>
    public long LastUse { get; set; }
}
