using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Execution;

/// <summary>
/// The right to work on the engine's thread in turns, and to publish weights made there. Between two turns the engine
/// decodes. Calls from any thread; one at a time.
/// </summary>
public sealed class ModelLease : IAsyncDisposable
{
    private readonly ModelHost _host;
    private readonly double _liveShare;

    internal ModelLease(ModelHost host, string name, double liveShare, string? baseVersion)
    {
        _host = host;
        _liveShare = liveShare;
        Name = name;
        BaseVersion = baseVersion ?? host.LiveVersion;
    }

    /// <summary>The holder's name.</summary>
    public string Name { get; }

    /// <summary>Version of the whole weights that adapters go over: the one asked for, or what was live when the lease began.</summary>
    public string BaseVersion { get; }

    /// <summary>The version published last; null before the first, and after one that could not be published.</summary>
    public string? WorkingVersion { get; private set; }

    /// <summary>Shape of the served model.</summary>
    public ModelConfig Config => _host.Config;

    /// <summary>Where it is served.</summary>
    public Device Device => _host.Device;

    /// <summary>
    /// The base weights as they lie in memory, for a holder that leaves them unchanged (an adapter's); null where they are
    /// packed for our own kernels and a holder must load its own. The engine owns them.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor>? BaseWeights => BaseVersion == _host.FirstVersion ? _host.BaseWeights : null;

    /// <summary>Runs one turn alone on the engine's thread. Keep it short: nothing decodes meanwhile.</summary>
    /// <param name="work">No tensor may leave it in a dispose scope of its own; results are host values.</param>
    /// <param name="cancellationToken">Gives up a turn that has not begun.</param>
    /// <exception cref="EngineOverloadedException">The engine is stopping.</exception>
    public async Task<T> TurnAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        T? result = default;
        await _host.RunAsync(() => result = work(), _liveShare, cancellationToken).ConfigureAwait(false);
        return result!;
    }

    /// <summary>Runs one turn that returns nothing.</summary>
    /// <inheritdoc cref="TurnAsync{T}"/>
    public Task TurnAsync(Action work, CancellationToken cancellationToken) => _host.RunAsync(work, _liveShare, cancellationToken);

    /// <summary>
    /// Publishes whole weights as a new version and retires the one published before, unless that is live. Where no request
    /// runs on that one any more, its memory is free before the new copy is made: draw to an end what samples from it first.
    /// </summary>
    /// <remarks>
    /// The copy takes as many turns as it needs, each of a bounded number of bytes, and requests decode between them; with the
    /// last one the version is there, whole. Given up or failing before, it is not, and what was copied is freed.
    /// </remarks>
    /// <param name="weights">Every tensor under its Hugging Face name, any floating dtype; copied, and left unchanged until this ends.</param>
    /// <param name="cancellationToken">Gives up before the version is there; once begun, the one published before is retired all the same.</param>
    /// <returns>The version, by which requests name it.</returns>
    /// <exception cref="ArgumentException">A tensor is missing, surplus or mis-shaped; nothing has changed.</exception>
    public Task<string> PublishAsync(IReadOnlyList<(string Name, Tensor Tensor)> weights, CancellationToken cancellationToken)
    {
        _host.RequireTensors(weights);
        return PublishAsync(version => _host.AddCopy(version, weights), cancellationToken);
    }

    /// <summary>Publishes an adapter over the base weights as a new version and retires the one published before, unless that is live.</summary>
    /// <param name="adapter">Copied in turns, as whole weights are; left unchanged until this ends.</param>
    /// <param name="cancellationToken">Gives up before the version is there; once begun, the one published before is retired all the same.</param>
    /// <returns>The version, by which requests name it.</returns>
    public Task<string> PublishAsync(LoraAdapter adapter, CancellationToken cancellationToken) =>
        PublishAsync(version => _host.AddAdapter(version, BaseVersion, adapter), cancellationToken);

    /// <summary>Ends the lease; the version published last is retired, unless it is live.</summary>
    public async ValueTask DisposeAsync()
    {
        _host.End(this);
        if (WorkingVersion is not null && WorkingVersion != _host.LiveVersion)
        {
            try
            {
                await _host.RetireAsync(WorkingVersion, CancellationToken.None).ConfigureAwait(false);
            }
            catch (EngineOverloadedException)
            {
                // The engine is gone, and the version with it.
            }
        }
    }

    private async Task<string> PublishAsync(Func<string, IEnumerable<long>> add, CancellationToken cancellationToken)
    {
        string version = _host.NameVersion(this);
        await _host.RunInTurnsAsync(Replace(add(version)), _liveShare, cancellationToken).ConfigureAwait(false);
        WorkingVersion = version;
        return version;
    }

    private IEnumerable<long> Replace(IEnumerable<long> adding)
    {
        if (WorkingVersion is not null && WorkingVersion != _host.LiveVersion)
        {
            _host.Retire(WorkingVersion);
        }

        // Gone, or live and no longer the lease's: should the rest fail, nobody is to retire it again.
        WorkingVersion = null;
        foreach (long bytes in adding)
        {
            yield return bytes;
        }
    }
}
