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

    /// <summary>Bytes of weights that one turn copies or packs at most: no token waits for more. Set before any version is added.</summary>
    internal long TurnBytes { get; set; } = 64 << 20;

    // Several to a turn, so that a turn comes close to what it may do.
    private long PieceBytes => TurnBytes / 8;

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
            await RunInTurnsAsync(Add(decoder.WeightVersion), liveShare: null, cancellationToken).ConfigureAwait(false);
            return decoder.WeightVersion;
        }
        finally
        {
            if (!isTaken)
            {
                decoder.Dispose();
            }
        }

        IEnumerable<long> Add(string version)
        {
            if (IsThere(version))
            {
                yield break;
            }

            foreach (long bytes in Packed(decoder))
            {
                yield return bytes;
            }

            // Somebody else may have loaded the same weights meanwhile.
            if (!IsThere(version))
            {
                _runner.Add(version, decoder);
                isTaken = true;
                Publish(version);
            }
        }
    }

    /// <inheritdoc/>
    public Task AddAdapterAsync(string version, string baseVersion, LoraAdapter adapter, CancellationToken cancellationToken)
    {
        RequireKnown(baseVersion);
        return RunInTurnsAsync(AddAdapter(version, baseVersion, adapter), liveShare: null, cancellationToken);
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

    /// <summary>Does work that comes in pieces, as many of them in a turn as <see cref="TurnBytes"/> allows; steps come between the turns.</summary>
    /// <param name="work">Gives the bytes of each piece after doing it; runs on the engine's thread.</param>
    /// <param name="liveShare">See <see cref="EngineTurn"/>.</param>
    /// <param name="cancellationToken">Gives up at the end of the turn under way.</param>
    internal async Task RunInTurnsAsync(IEnumerable<long> work, double? liveShare, CancellationToken cancellationToken)
    {
        IEnumerator<long> pieces = work.GetEnumerator();
        try
        {
            bool hasMore = true;
            while (hasMore)
            {
                await RunAsync(() => hasMore = RunTurn(pieces), liveShare, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // What was made is freed where it was made.
            await RunAsync(pieces.Dispose, liveShare: null, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        finally
        {
            // Harmless once more; the first time when the engine has stopped.
            pieces.Dispose();
        }
    }

    /// <summary>Refuses weights that are not those of the served shape.</summary>
    /// <exception cref="ArgumentException">One is missing, surplus or mis-shaped; names it.</exception>
    internal void RequireTensors(IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        Dictionary<string, Tensor> byName = weights.ToDictionary(item => item.Name, item => item.Tensor, StringComparer.Ordinal);
        foreach ((string name, long[] shape) in ModelTensors.Enumerate(Config))
        {
            if (!byName.TryGetValue(name, out Tensor? tensor))
            {
                throw new ArgumentException($"The weights lack the tensor '{name}'.", nameof(weights));
            }

            if (!tensor.shape.SequenceEqual(shape))
            {
                throw new ArgumentException($"The tensor '{name}' is [{string.Join(", ", tensor.shape)}], not [{string.Join(", ", shape)}].", nameof(weights));
            }

            byName.Remove(name);
        }

        if (byName.Count > 0)
        {
            throw new ArgumentException($"The model has no place for the tensor '{byName.Keys.First()}'.", nameof(weights));
        }
    }

    /// <summary>Copies weights and makes a version of the copy with the last piece. Engine's thread only.</summary>
    internal IEnumerable<long> AddCopy(string version, IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        Dictionary<string, Tensor> copies = new(StringComparer.Ordinal);
        Decoder? decoder = null;
        bool isTaken = false;
        try
        {
            foreach (long bytes in WeightCopy.InPieces(weights, DType, Device, PieceBytes, copies))
            {
                yield return bytes;
            }

            decoder = Build(version, copies);
            foreach (long bytes in Packed(decoder))
            {
                yield return bytes;
            }

            _runner.Add(version, decoder);
            isTaken = true;
            Publish(version);
        }
        finally
        {
            if (!isTaken && decoder is not null)
            {
                decoder.Dispose();
            }
            else if (!isTaken)
            {
                Free(copies);
            }
        }
    }

    /// <summary>Copies an adapter and makes a version of the copy with the last piece, unless it is there. Engine's thread only.</summary>
    internal IEnumerable<long> AddAdapter(string version, string baseVersion, LoraAdapter adapter)
    {
        if (IsThere(version))
        {
            yield break;
        }

        RequireKnown(baseVersion);
        Dictionary<string, Tensor> copies = new(StringComparer.Ordinal);
        bool isTaken = false;
        try
        {
            foreach (long bytes in WeightCopy.InPieces(adapter.NamedTensors, dtype: null, Device, PieceBytes, copies))
            {
                yield return bytes;
            }

            // Meanwhile the base may have been retired, and somebody else may have added the same.
            RequireKnown(baseVersion);
            if (!IsThere(version))
            {
                _runner.Add(version, baseVersion, adapter.Over(copies));
                isTaken = true;
                Publish(version);
            }
        }
        finally
        {
            if (!isTaken)
            {
                Free(copies);
            }
        }
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

    // False when there is no more.
    private bool RunTurn(IEnumerator<long> pieces)
    {
        long bytes = 0;
        do
        {
            if (!pieces.MoveNext())
            {
                return false;
            }

            bytes += pieces.Current;
        }
        while (bytes + PieceBytes <= TurnBytes);

        return true;
    }

    private Decoder Build(string version, Dictionary<string, Tensor> weights)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return new Decoder(Config, name => weights[name], () => version);
    }

    private IEnumerable<long> Packed(Decoder decoder) => _packedHead?.PackAlike(decoder, PieceBytes) ?? [];

    private static void Free(Dictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
        {
            tensor.Dispose();
        }
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
