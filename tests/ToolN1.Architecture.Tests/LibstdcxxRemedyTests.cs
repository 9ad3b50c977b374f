using System.Text;
using ToolN1.Build;
using ToolN1.TestSupport;

namespace ToolN1.Architecture.Tests;

public sealed class LibstdcxxRemedyTests
{
    [Fact]
    public void Rewrite_RealLibrary_AsksNoLongerForTheNewVersionAndChangesNothingElse()
    {
        byte[] original = File.ReadAllBytes(RequirePackagedLibrary());
        byte[]? rewritten = LibstdcxxRemedy.Rewrite(original);

        Assert.NotNull(rewritten);
        Assert.Equal(original.Length, rewritten.Length);
        Assert.True(Contains(original, "\0_ZSt21ios_base_library_initv\0"));
        Assert.False(Contains(rewritten, "\0_ZSt21ios_base_library_initv\0"));
        Assert.True(Contains(rewritten, "\0_ZSt15get_new_handlerv\0"));

        // The symbol's name (23 bytes with its end) and eight bytes of one Elf64_Vernaux: the hash, the name's offset.
        int changed = original.Zip(rewritten).Count(pair => pair.First != pair.Second);
        Assert.InRange(changed, 10, 31);
    }

    [Fact]
    public void Rewrite_RewrittenLibrary_HasNothingLeftToDo()
    {
        byte[] rewritten = LibstdcxxRemedy.Rewrite(File.ReadAllBytes(RequirePackagedLibrary()))!;
        Assert.Null(LibstdcxxRemedy.Rewrite(rewritten));
    }

    [Fact]
    public void Rewrite_NotAnElfFile_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => LibstdcxxRemedy.Rewrite(Encoding.ASCII.GetBytes(new string('x', 100))));

    [Fact]
    public void Build_OutputCopy_IsRewrittenExactlyWhereTheHostNeedsIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the remedy concerns Linux only");
        string copy = Directory.GetFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).Single();
        Assert.Equal(LibstdcxxRemedy.HostNeedsIt(), LibstdcxxRemedy.Rewrite(File.ReadAllBytes(copy)) is null);
    }

    [Fact]
    public void Build_PackageCache_IsLeftAsItWas()
    {
        // Output files are hard links into the cache where the file system allows it; the remedy must not write through them.
        Assert.NotNull(LibstdcxxRemedy.Rewrite(File.ReadAllBytes(RequirePackagedLibrary())));
    }

    [Fact]
    public void TorchSharp_LoadsInThisProcess()
    {
        using TorchSharp.torch.Tensor ones = TorchSharp.torch.ones(3);
        Assert.Equal(3f, ones.sum().item<float>());
    }

    private static string RequirePackagedLibrary()
    {
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string props = File.ReadAllText(Path.Combine(TestPaths.Root, "Directory.Packages.props"));
        string version = System.Text.RegularExpressions.Regex.Match(props, "<TorchSharpVersion>(.*?)<").Groups[1].Value;
        string library = Path.Combine(packages, "torchsharp", version, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        Assert.SkipUnless(File.Exists(library), "the TorchSharp package is not in this machine's package cache: " + library);
        return library;
    }

    private static bool Contains(byte[] bytes, string text) => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) >= 0;
}
