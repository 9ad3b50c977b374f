using ToolN1.Fuzz.Targets;
using ToolN1.TestSupport;

namespace ToolN1.Fuzz;

/// <summary>All targets, and the inputs they start from.</summary>
public static class FuzzTargets
{
    /// <summary>The targets.</summary>
    public static IReadOnlyList<IFuzzTarget> All { get; } =
        [new RequestTarget(), new ChatParserTarget(), new SafetensorsTarget(), new TokenizerFileTarget(), new ModelConfigTarget(), new SchemaTarget()];

    /// <summary>Where a target's committed inputs lie.</summary>
    public static string CorpusFolder(IFuzzTarget target) => Path.Combine(TestPaths.Root, "tests", "ToolN1.Fuzz", "corpus", target.Name);

    /// <summary>The committed inputs of a target, in a fixed order.</summary>
    public static IReadOnlyList<byte[]> Corpus(IFuzzTarget target) =>
        [.. Directory.GetFiles(CorpusFolder(target)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
