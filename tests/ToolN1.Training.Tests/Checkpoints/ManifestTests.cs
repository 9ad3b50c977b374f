using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;

namespace ToolN1.Training.Tests.Checkpoints;

public sealed class ManifestTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-manifest-").FullName;

    public ManifestTests()
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), "a");
        File.WriteAllText(Path.Combine(_folder, "b.txt"), "b");
        Manifest.Write(_folder);
    }

    [Fact]
    public void Check_WholeFolder_Holds_WhateverMarksItGotSince()
    {
        Manifest.Check(_folder);
        File.WriteAllText(Path.Combine(_folder, "mark"), "");
        Manifest.Check(_folder);
        File.Delete(Path.Combine(_folder, "mark"));
        Manifest.Check(_folder);
    }

    [Theory]
    [InlineData("a.txt", "changed")]
    [InlineData("a.txt", null)]
    [InlineData("manifest.json", null)]
    [InlineData("manifest.json", "{")]
    [InlineData("manifest.json", "null")]
    public void Check_DamagedFolder_NamesTheFile(string name, string? content)
    {
        string file = Path.Combine(_folder, name);
        if (content is null)
        {
            File.Delete(file);
        }
        else
        {
            File.WriteAllText(file, content);
        }

        CheckpointException error = Assert.Throws<CheckpointException>(() => Manifest.Check(_folder));
        Assert.Equal(file, error.File);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FileThatTheDiskDoesNotGive_NamesIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc here.");
        string file = Path.Combine(_folder, "a.txt");
        File.Delete(file);

        // Its first byte is no memory of this process: reading ends with EIO, as on a damaged disk.
        File.CreateSymbolicLink(file, "/proc/self/mem");
        CheckpointException error = Assert.Throws<CheckpointException>(() => Manifest.Check(_folder));
        Assert.Equal(file, error.File);
        Assert.IsAssignableFrom<IOException>(error.InnerException);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
