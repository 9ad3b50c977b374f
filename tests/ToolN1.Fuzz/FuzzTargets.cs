using ToolN1.Fuzz.Targets;
using ToolN1.TestSupport;

namespace ToolN1.Fuzz;

/// <summary>All targets, and the inputs they start from.</summary>
public static class FuzzTargets
{
    private static readonly Dictionary<string, Func<IFuzzTarget>> Makers = new()
    {
        ["request"] = () => new RequestTarget(),
        ["chat"] = () => new ChatParserTarget(),
        ["safetensors"] = () => new SafetensorsTarget(),
        ["tokenizer"] = () => new TokenizerFileTarget(),
        ["config"] = () => new ModelConfigTarget(),
        ["schema"] = () => new SchemaTarget(),
    };

    /// <summary>The targets' names. Asking for them runs no code that a fuzzer instruments: such code must not run before the fuzzer has set up its memory.</summary>
    public static IReadOnlyCollection<string> Names => Makers.Keys;

    /// <summary>A target by its name.</summary>
    public static IFuzzTarget Create(string name) => Makers[name]();

    /// <summary>Where a target's committed inputs lie.</summary>
    public static string CorpusFolder(IFuzzTarget target) => Path.Combine(TestPaths.Root, "tests", "ToolN1.Fuzz", "corpus", target.Name);

    /// <summary>The committed inputs of a target, in a fixed order.</summary>
    public static IReadOnlyList<byte[]> Corpus(IFuzzTarget target) =>
        [.. Directory.GetFiles(CorpusFolder(target)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
