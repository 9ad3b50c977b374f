using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>
/// A server over random weights whose thinking is short: what it says means nothing, so whatever is right about its calls is the
/// server's doing.
/// </summary>
public sealed class LoopServer : IAsyncLifetime
{
    /// <summary>The served model's id.</summary>
    public const string Model = "tiny-random";

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-loops-").FullName;
    private ServerProcess? _server;

    /// <summary>The options that keep answers short, as configuration.</summary>
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["ToolN1:Model:ChatFormat"] = "tool-n1",
        ["ToolN1:Engine:ThinkingTokens"] = "8",
    };

    /// <summary>The checkpoint.</summary>
    public string ModelFolder => Path.Combine(_folder, Model);

    internal ServerProcess Server => _server ?? throw new InvalidOperationException("Not started.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(
        TinyCheckpoint.Write(ModelFolder), Settings.Select(setting => (setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value!)));

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
