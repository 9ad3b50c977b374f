namespace ToolN1.TestSupport;

/// <summary>Where tests find their files.</summary>
public static class TestPaths
{
    /// <summary>The repository's root: the folder that holds ToolN1.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Our own small checkpoints with float64 reference numbers.</summary>
    public static string Fixtures => Path.Combine(Root, "tests", "fixtures");

    /// <summary>The embedded model.</summary>
    public static string NanoModel => Path.Combine(Root, "models", "tool-n1-nano");

    /// <summary>
    /// A file or folder of the shared data beside the checkout (other people's data, never committed), or null where it
    /// is not there; the caller then skips visibly with <c>Assert.SkipWhen</c>. A worktree in a folder beside the checkout
    /// finds the same data one level further up.
    /// </summary>
    public static string? Shared(params string[] parts)
    {
        string beside = Path.GetDirectoryName(Root)!;
        return new[] { beside, Path.GetDirectoryName(beside) }
            .Where(folder => folder is not null)
            .Select(folder => Path.Combine([folder!, "shared", .. parts]))
            .FirstOrDefault(Path.Exists);
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ToolN1.sln")))
        {
            folder = Path.GetDirectoryName(folder.TrimEnd(Path.DirectorySeparatorChar));
        }

        return folder ?? throw new InvalidOperationException("ToolN1.sln not found above " + AppContext.BaseDirectory);
    }
}
