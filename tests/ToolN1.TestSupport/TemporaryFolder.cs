namespace ToolN1.TestSupport;

/// <summary>An empty folder of a test's own; removed at the end.</summary>
public sealed class TemporaryFolder(string name) : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory($"tooln1-{name}-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
