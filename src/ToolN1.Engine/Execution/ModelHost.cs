using System.Globalization;
using Microsoft.Extensions.Logging;
using ToolN1.Engine.Diagnostics;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Engine.Execution;

/// <summary>The weight versions of one engine: what leases publish, what is live, what is on its way out.</summary>
internal sealed class ModelHost : IModelHost
{
    private readonly EngineLoop _loop;
    private readonly ModelRunner _runner;
    private readonly Decoder _decoder;
    private readonly PackedLinear? _packedHead;
    private readonly ILogger _logger;
    private readonly Dictionary<string, Tensor>? _baseWeights;

    // The lists are changed on the engine's thread and read from any: under the gate.
    private readonly Lock _gate = new();
    private readonly List<string> _versions;
    private readonly HashSet<string> _retiring = new(StringComparer.Ordinal);
    private readonly HashSet<string> _leases = new(StringComparer.Ordinal);
    private int _named;

    /// <summary>Wraps an engine's parts.</summary>
    /// <param name="loop">Its thread.</param>
    /// <param name="runner">Its decoders.</param>
    /// <param name="decoder">The decoder it began with.</param>
    /// <param name="logger">Where changes of the live version are told.</param>
    public ModelHost(EngineLoop loop, ModelRunner runner, Decoder decoder, ILogger logger)
    {
        _loop = loop;
        _runner = runner;
        _decoder = decoder;
        _packedHead = decoder.Head as PackedLinear;
        _logger = logger;
        _versions = [decoder.WeightVersion];
        Config = decoder.Config;
        Device = decoder.Device;
        DType = decoder.DType;
        _baseWeights = _packedHead is null ? decoder.NamedWeights().ToDictionary(item => item.Name, item => item.Tensor, StringComparer.Ordinal) : null;
        loop.KnowsVersion = Knows;
        loop.VersionIdle = FreeIfRetiring;
    }

    /// <summary>Shape of every version.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where all versions are.</summary>
    public Device Device { get; }

    /// <summary>Their dtype.</summary>
    public ScalarType DType { get; }

    /// <inheritdoc/>
    public string LiveVersion => _loop.LiveVersion;

    /// <inheritdoc/>
    public IReadOnlyList<string> Versions
    {
        get
        {
            lock (_gate)
            {
                return [.. _versions];
            }
        }
    }

    /// <summary>Version of the weights that the engine began with.</summary>
    public string FirstVersion => _decoder.WeightVersion;

    /// <summary>The first decoder's weights, or null where they are packed.</summary>
    public IReadOnlyDictionary<string, Tensor>? BaseWeights => _baseWeights;

    /// <inheritdoc/>
    public ModelLease Lease(string name, double liveShare, string? baseVersion = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (liveShare is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(liveShare), liveShare, "liveShare must be from 0 and below 1.");
        }

        if (baseVersion is not null)
        {
            RequireKnown(baseVersion);
        }

        lock (_gate)
        {
            return _leases.Add(name) ? new ModelLease(this, name, liveShare, baseVersion) : throw new ArgumentException($"A lease named '{name}' is held already.", nameof(name));
        }
    }

    /// <inheritdoc/>
    public async Task<string> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        // Reading takes no turn: until it is published the decoder is this call's alone.
        Decoder decoder = await Task.Run(() => CheckpointLoader.Load(folder, Device, DType), cancellationToken).ConfigureAwait(false);
        bool isTaken = false;
        try
        {
            RequireShape(folder, decoder.Config);
            string version = decoder.WeightVersion;
            await RunAsync(() => isTaken = AddLoaded(version, decoder), liveShare: null, cancellationToken).ConfigureAwait(false);
            return version;
        }
        finally
        {
            if (!isTaken)
            {
                decoder.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public Task AddAdapterAsync(string version, string baseVersion, LoraAdapter adapter, CancellationToken cancellationToken)
    {
        RequireKnown(baseVersion);
        return RunAsync(
            () =>
            {
                if (!IsThere(version))
                {
                    AddAdapter(version, baseVersion, adapter);
                }
            },
            liveShare: null,
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task PromoteAsync(string version, CancellationToken cancellationToken)
    {
        RequireKnown(version);
        return RunAsync(
            () =>
            {
                RequireKnown(version);
                EngineLog.Promoted(_logger, version, _loop.LiveVersion);
                _loop.LiveVersion = version;
            },
            liveShare: null,
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task RetireAsync(string version, CancellationToken cancellationToken)
    {
        RequireKnown(version);
        return RunAsync(() => Retire(version), liveShare: null, cancellationToken);
    }

    /// <summary>Whether requests may name a version.</summary>
    public bool Knows(string version)
    {
        lock (_gate)
        {
            return _versions.Contains(version);
        }
    }

    /// <summary>Queues a turn.</summary>
    internal Task RunAsync(Action work, double? liveShare, CancellationToken cancellationToken) =>
        _loop.RunAsync(new EngineTurn(work, liveShare, cancellationToken));

    /// <summary>A name that no version of this engine has had: the prefix cache may still hold blocks of versions that are gone.</summary>
    internal string NameVersion(ModelLease lease) =>
        string.Create(CultureInfo.InvariantCulture, $"{lease.BaseVersion}+{lease.Name}.{Interlocked.Increment(ref _named)}");

    /// <summary>Lets a lease's name be used again.</summary>
    internal void End(ModelLease lease)
    {
        lock (_gate)
        {
            _leases.Remove(lease.Name);
        }
    }

    /// <summary>Copies weights into a version. Engine's thread only.</summary>
    internal void AddCopy(string version, IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> byName = weights.ToDictionary(item => item.Name, item => item.Tensor, StringComparer.Ordinal);
        Decoder decoder = new(Config, name => byName[name].detach().to(DType, Device, copy: true), () => version);
        _packedHead?.PackAlike(decoder);

        _runner.Add(version, decoder);
        Publish(version);
    }

    /// <summary>Copies an adapter into a version. Engine's thread only.</summary>
    internal void AddAdapter(string version, string baseVersion, LoraAdapter adapter)
    {
        RequireKnown(baseVersion);
        _runner.Add(version, baseVersion, adapter.Copy(Device));
        Publish(version);
    }

    /// <summary>Takes a version away. Engine's thread only.</summary>
    internal void Retire(string version)
    {
        RequireKnown(version);
        if (version == _loop.LiveVersion)
        {
            throw new ArgumentException($"The version '{version}' is live; promote another one first.", nameof(version));
        }

        if (_runner.IsBase(version))
        {
            throw new ArgumentException($"Adapters stand on the version '{version}'; retire them first.", nameof(version));
        }

        lock (_gate)
        {
            _versions.Remove(version);
            _retiring.Add(version);
        }

        if (!_loop.IsInUse(version))
        {
            FreeIfRetiring(version);
        }
    }

    // False when the version is there already.
    private bool AddLoaded(string version, Decoder decoder)
    {
        if (IsThere(version))
        {
            return false;
        }

        _packedHead?.PackAlike(decoder);
        _runner.Add(version, decoder);
        Publish(version);
        return true;
    }

    /// <summary>Whether a version is served; one that was on its way out stays, since requests still run on it. Engine's thread only.</summary>
    private bool IsThere(string version)
    {
        lock (_gate)
        {
            if (!_versions.Contains(version) && _retiring.Remove(version))
            {
                _versions.Add(version);
            }

            return _versions.Contains(version);
        }
    }

    private void RequireShape(string folder, ModelConfig config)
    {
        ModelConfig alike = config with { EndOfSequenceIds = Config.EndOfSequenceIds, BeginOfSequenceId = Config.BeginOfSequenceId, DeclaredDType = Config.DeclaredDType };
        if (alike != Config)
        {
            throw new CheckpointException(Path.Combine(folder, ModelConfig.FileName), "describes a model of another shape than the served one.");
        }
    }

    private void Publish(string version)
    {
        lock (_gate)
        {
            _versions.Add(version);
        }

        EngineLog.Published(_logger, version);
    }

    private void FreeIfRetiring(string version)
    {
        bool isRetiring;
        lock (_gate)
        {
            isRetiring = _retiring.Remove(version);
        }

        if (isRetiring)
        {
            _runner.Remove(version);
        }
    }

    private void RequireKnown(string version)
    {
        if (!Knows(version))
        {
            throw new ArgumentException($"There is no weight version '{version}'.", nameof(version));
        }
    }
}
