using ToolN1.Engine.Weights;

namespace ToolN1.Engine.Tests.Weights;

public sealed class DurableStorageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-durable-").FullName;

    private string Target => Path.Combine(_folder, "model");

    [Fact]
    public void ReplaceFolder_NothingThere_GivesTheFolderItsName()
    {
        DurableStorage.ReplaceFolder(Begin("new"), Target);
        AssertOnly("new");
    }

    [Fact]
    public void ReplaceFolder_OlderThere_LeavesTheNewOneOnly()
    {
        DurableStorage.ReplaceFolder(Begin("old"), Target);
        File.WriteAllText(Path.Combine(Target, "leftover"), "");
        DurableStorage.ReplaceFolder(Begin("new"), Target);
        AssertOnly("new");
    }

    [Fact]
    public void BeginFolder_LeftoverOfAnInterruptedAttempt_IsRemoved()
    {
        Begin("half");
        Assert.Empty(Directory.GetFileSystemEntries(DurableStorage.BeginFolder(Target)));
    }

    [Fact]
    public void WriteFolder_ThatCannotBeFilled_LeavesNothingButTheOldOne()
    {
        DurableStorage.ReplaceFolder(Begin("old"), Target);
        Assert.Throws<IOException>(() => DurableStorage.WriteFolder(Target, temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "half"), "");
            throw new IOException("No space left on device", 28);
        }));

        AssertOnly("old");
    }

    [Fact]
    public void Sweep_LeftoversOfKilledProcesses_AreGoneAndWhatWasBeingReplacedIsBack()
    {
        DurableStorage.ReplaceFolder(Begin("old"), Target);
        Directory.Move(Target, Target + ".old.tmp");
        Begin("half");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "deep")).FullName, "metrics.jsonl.tmp"), "");
        DurableStorage.Sweep(_folder);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "deep")));

        Directory.Delete(Path.Combine(_folder, "deep"));
        AssertOnly("old");
        DurableStorage.Sweep(Path.Combine(_folder, "nowhere"));
    }

    [Fact]
    public void WriteFile_Failing_LeavesTheOldFile()
    {
        DurableStorage.WriteFile(Target, stream => stream.Write("old"u8));
        Assert.Throws<InvalidOperationException>(() => DurableStorage.WriteFile(Target, stream =>
        {
            stream.Write("ne"u8);
            throw new InvalidOperationException();
        }));

        Assert.Equal("old", File.ReadAllText(Target));
    }

    [Fact]
    public void FlushNames_NoSuchFolder_IsAnErrorThatNamesIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows flushes names itself.");
        IOException error = Assert.Throws<IOException>(() => DurableStorage.FlushNames(Target));
        Assert.Contains(Target, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Begin(string content)
    {
        string temporary = DurableStorage.BeginFolder(Target);
        Directory.CreateDirectory(Path.Combine(temporary, "inner"));
        File.WriteAllText(Path.Combine(temporary, "inner", "file"), content);
        return temporary;
    }

    private void AssertOnly(string content)
    {
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder));
        Assert.Equal([Path.Combine(Target, "inner")], Directory.GetFileSystemEntries(Target));
        Assert.Equal(content, File.ReadAllText(Path.Combine(Target, "inner", "file")));
    }
}
