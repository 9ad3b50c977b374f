using ToolN1.Training.Checkpoints;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Tests.Jobs;

public sealed class DurableFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("tooln1-durable-").FullName;

    [Fact]
    public void Commit_Folder_AppearsWithAManifestThatHolds()
    {
        string path = Write("new");

        Assert.Equal(["a.txt", "b.txt", "manifest.json"], Directory.GetFiles(path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.False(Directory.Exists(path + ".tmp"));
        Manifest.Check(path);
    }

    [Fact]
    public void Commit_OverAnOlderFolder_ReplacesIt()
    {
        string path = Write("old");
        File.WriteAllText(Path.Combine(path, "left-over"), "x");
        Write("old");

        Assert.False(File.Exists(Path.Combine(path, "left-over")));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Write(string name)
    {
        string path = Path.Combine(_root, "deep", name);
        string temporary = DurableFolder.Begin(path);
        File.WriteAllText(Path.Combine(temporary, "a.txt"), "a");
        File.WriteAllText(Path.Combine(temporary, "b.txt"), "b");
        DurableFolder.Commit(temporary, path);
        return path;
    }
}
