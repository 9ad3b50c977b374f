using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>One server over random weights for all tests of a class: they are about serving, not about what the model says.</summary>
public sealed class TinyServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-e2e-").FullName;
    private ServerProcess? _server;

    /// <summary>The served model's id.</summary>
    public const string Model = "tiny-random";

    /// <summary>The checkpoint.</summary>
    public string ModelFolder => Path.Combine(_folder, Model);

    internal ServerProcess Server => _server ?? throw new InvalidOperationException("Not started.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(TinyCheckpoint.Write(ModelFolder));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
