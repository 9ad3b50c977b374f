using System.Collections.Concurrent;
using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Sft;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Checkpoints;

public sealed class RunCheckpointsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-checkpoints-").FullName;
    private readonly RunCheckpoints<SftState> _checkpoints;
    private readonly Tensor _weight = ones(3);

    public RunCheckpointsTests() => _checkpoints = new RunCheckpoints<SftState>(_folder, keep: 1, SftStateJson.Default.SftState);

    [Fact]
    public void Save_Pinned_StaysWhole_AndStillIsUnpinned()
    {
        Save(1);
        string pin = Path.Combine(_checkpoints.PathOf(1), RunCheckpointFiles.Pin);
        File.WriteAllBytes(pin, []);
        Save(1);
        Save(2);
        Assert.Equal([1, 2], Steps());
        Assert.True(File.Exists(pin));

        // The mark is none of the files that the manifest answers for.
        File.Delete(pin);
        Assert.Equal(1, _checkpoints.Restore(_checkpoints.PathOf(1), [("w", _weight)], []).Step);
        Save(3);
        Assert.Equal([3], Steps());
    }

    [Fact]
    public void Save_OldCheckpoint_LosesItsNameBeforeItsFiles()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems tell of changes in other orders.");
        Save(1);
        using BlockingCollection<string> changes = [];
        using FileSystemWatcher watcher = new(_folder) { NotifyFilter = NotifyFilters.DirectoryName };
        watcher.Renamed += (_, change) => changes.Add($"renamed {change.OldName} {change.Name}");
        watcher.Deleted += (_, change) => changes.Add($"deleted {change.Name}");
        watcher.EnableRaisingEvents = true;
        Save(2);

        string[] expected = ["renamed step-00000002.tmp step-00000002", "renamed step-00000001 step-00000001.tmp", "deleted step-00000001.tmp"];
        string?[] seen = [.. expected.Select(_ => changes.TryTake(out string? change, TimeSpan.FromSeconds(30)) ? change : null)];
        Assert.Equal(expected, seen);
    }

    [Fact]
    public void Save_AfterAKill_SweepsWhatWasHalfWrittenOrHalfRemoved()
    {
        Directory.CreateDirectory(_checkpoints.PathOf(1) + ".tmp");
        Directory.CreateDirectory(_checkpoints.PathOf(5) + ".tmp");
        Save(2);

        Assert.Equal([_checkpoints.PathOf(2)], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("masters.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void Restore_DamagedFile_NamesIt(string name)
    {
        Save(1);
        string file = Path.Combine(_checkpoints.PathOf(1), name);
        File.AppendAllText(file, " ");

        Assert.Equal(file, Assert.Throws<CheckpointException>(() => _checkpoints.Restore([("w", _weight)], [])).File);
    }

    public void Dispose()
    {
        _weight.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Save(int step) => _checkpoints.Save([("w", _weight)], [], new SftState { Step = step });

    private IEnumerable<int?> Steps() => _checkpoints.List().Select(RunCheckpointFiles.StepOf);
}
