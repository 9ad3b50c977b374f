using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>What <c>dotnet publish</c> makes, away from the build's output.</summary>
public sealed class PublishTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-publish-").FullName;

    [Fact]
    public async Task PublishedCommand_FindsItsNativeLibrariesInItsOwnFolder()
    {
        string published = Path.Combine(_folder, "published");
        string checkpoint = Path.Combine(_folder, "checkpoint");

        // libtorch comes from the package cache and not from the build's output: it is made loadable for this host once more.
        await RunAsync(
            "publish", Path.Combine(TestPaths.Root, "src", "ToolN1.Cli"), "-c", CommandProcess.Configuration, "--no-build", "-o", published,
            "-nodeReuse:false", "-p:CreateHardLinksForPublishFilesIfPossible=true");
        string version = await RunAsync(Path.Combine(published, "tooln1.dll"), "--version");
        await RunAsync(Path.Combine(published, "tooln1.dll"), "model", "random", "--preset", "tiny", "--out", checkpoint, "--seed", "1");

        Assert.StartsWith("0.1.0", version.Trim(), StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(checkpoint, "model.safetensors")).Length > 10_000);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs dotnet to its end; anything but success fails the test.</summary>
    private static async Task<string> RunAsync(params string[] arguments)
    {
        await using CommandProcess command = CommandProcess.StartDotnet([], arguments);
        int exitCode = await command.ExitAsync();
        Assert.True(exitCode == 0, command.Output);
        return command.Output;
    }
}
