using ToolN1.Engine.Execution;
using ToolN1.Engine.Model;

namespace ToolN1.Api.Tests.Support;

/// <summary>Versions without weights: the fake engine computes nothing.</summary>
internal sealed class FakeModelHost(string first) : IModelHost
{
    private readonly List<string> _versions = [first];

    public string LiveVersion { get; private set; } = first;

    public IReadOnlyList<string> Versions => _versions;

    public ModelLease Lease(string name, double liveShare, string? baseVersion = null) => throw new NotSupportedException("Nothing is trained over the fake engine.");

    public Task<string> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        string version = Path.GetFileName(folder);
        _versions.Add(version);
        return Task.FromResult(version);
    }

    public Task AddAdapterAsync(string version, string baseVersion, LoraAdapter adapter, CancellationToken cancellationToken)
    {
        _versions.Add(version);
        return Task.CompletedTask;
    }

    public Task PromoteAsync(string version, CancellationToken cancellationToken)
    {
        LiveVersion = version;
        return Task.CompletedTask;
    }

    public Task RetireAsync(string version, CancellationToken cancellationToken)
    {
        _versions.Remove(version);
        return Task.CompletedTask;
    }
}
