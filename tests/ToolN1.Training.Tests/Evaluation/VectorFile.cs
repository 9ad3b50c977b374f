using ToolN1.TestSupport;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

/// <summary>The official verdicts beside the checkout; tests skip visibly where they are absent.</summary>
internal static class VectorFile
{
    public static string Folder(string benchmark)
    {
        string? folder = TestPaths.Shared("benchmarks", benchmark);
        Assert.SkipWhen(folder is null, $"shared/benchmarks/{benchmark} is not beside this checkout");
        return folder;
    }

    public static IEnumerable<PyDict> Read(string benchmark, string file) =>
        JsonLines.Stream(Path.Combine(Folder(benchmark), file)).Select(line => line.Value.Entries);

    public static string? OptionalText(this PyDict line, string key) => line.TryGetValue(key, out PyValue? value) && value.IsString ? value.Text : null;
}
