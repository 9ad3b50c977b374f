using ToolN1.Engine.Model;
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
        DurableFolder.Check(path);
    }

    [Fact]
    public void Commit_OverAnOlderFolder_ReplacesIt()
    {
        string path = Write("old");
        File.WriteAllText(Path.Combine(path, "left-over"), "x");
        Write("old");

        Assert.False(File.Exists(Path.Combine(path, "left-over")));
    }

    [Theory]
    [InlineData("a.txt", "changed")]
    [InlineData("a.txt", null)]
    [InlineData("manifest.json", null)]
    [InlineData("manifest.json", "{")]
    public void Check_DamagedFolder_NamesTheFile(string file, string? content)
    {
        string path = Path.Combine(Write("damaged"), file);
        if (content is null)
        {
            File.Delete(path);
        }
        else
        {
            File.WriteAllText(path, content);
        }

        CheckpointException error = Assert.Throws<CheckpointException>(() => DurableFolder.Check(Path.GetDirectoryName(path)!));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FileThatTheDiskDoesNotGive_NamesIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc here.");
        string file = Path.Combine(Write("unreadable"), "a.txt");
        File.Delete(file);

        // Its first byte is no memory of this process: reading ends with EIO, as on a damaged disk.
        File.CreateSymbolicLink(file, "/proc/self/mem");
        CheckpointException error = Assert.Throws<CheckpointException>(() => DurableFolder.Check(Path.GetDirectoryName(file)!));
        Assert.Equal(file, error.File);
        Assert.IsAssignableFrom<IOException>(error.InnerException);
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
