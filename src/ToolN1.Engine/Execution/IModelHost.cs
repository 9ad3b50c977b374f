using ToolN1.Engine.Model;

namespace ToolN1.Engine.Execution;

/// <summary>
/// The weights that an engine serves, by version. One of them is live: it answers requests that name no version. A
/// leaseholder changes a working copy and publishes it; making a published version live is a separate act. Safe to call
/// from any thread.
/// </summary>
public interface IModelHost
{
    /// <summary>Version that answers requests which name none.</summary>
    string LiveVersion { get; }

    /// <summary>Versions that requests may name, oldest first.</summary>
    IReadOnlyList<string> Versions { get; }

    /// <summary>Lets a holder work on the engine's thread and publish weights.</summary>
    /// <param name="name">Part of the versions it publishes; unique among leases held.</param>
    /// <param name="liveShare">Share of the device that requests get while the holder wants it too; in [0, 1).</param>
    /// <param name="baseVersion">
    /// Whole weights that the holder's adapters go over; they must not be retired while the lease is held. Null is whichever are live.
    /// </param>
    /// <exception cref="ArgumentException">A lease of that name is held, or there is no such version.</exception>
    ModelLease Lease(string name, double liveShare, string? baseVersion = null);

    /// <summary>
    /// Reads a checkpoint of the served model's shape and publishes it as a version, named by the identity of its weights;
    /// one that is served already is not read into memory twice.
    /// </summary>
    /// <remarks>What takes the engine's thread (repacking for our own kernels) is done in turns of bounded length; requests decode between them.</remarks>
    /// <param name="folder">A Hugging Face folder.</param>
    /// <param name="cancellationToken">Gives up before the version is published.</param>
    /// <returns>The version, by which requests name it.</returns>
    /// <exception cref="CheckpointException">The folder cannot be read, or holds a model of another shape.</exception>
    Task<string> LoadAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Publishes an adapter over a version's whole weights; one that is served already is not added twice.</summary>
    /// <param name="version">By which requests name it; the caller's, and never of other weights.</param>
    /// <param name="baseVersion">Whole weights; they cannot be retired while the adapter stands on them.</param>
    /// <param name="adapter">Copied in turns of bounded length; left unchanged until this ends.</param>
    /// <param name="cancellationToken">Gives up before the version is published.</param>
    /// <exception cref="ArgumentException">There is no such base version.</exception>
    Task AddAdapterAsync(string version, string baseVersion, LoraAdapter adapter, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a published version live: requests that name no version and start from now on run on it; those in flight end
    /// on the version that they began with. Going back to an earlier version is the same act.
    /// </summary>
    /// <exception cref="ArgumentException">No such version.</exception>
    Task PromoteAsync(string version, CancellationToken cancellationToken);

    /// <summary>Takes a version away: no request may name it any more, and its memory is free once the last one on it has ended.</summary>
    /// <exception cref="ArgumentException">No such version, or it is live.</exception>
    Task RetireAsync(string version, CancellationToken cancellationToken);
}
