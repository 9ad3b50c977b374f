namespace ToolN1.Training.Evaluation.Harness;

/// <summary>The questions of a benchmark and how its figures are made up.</summary>
public static class BenchmarkSuite
{
    /// <summary>The benchmarks that a model can be run on.</summary>
    public static IReadOnlyList<string> Names { get; } = ["bfcl", "api-bank", "acebench"];

    /// <summary>The one figure of a benchmark without others.</summary>
    internal const string Accuracy = "Accuracy";

    /// <summary>Reads a benchmark's questions.</summary>
    /// <param name="benchmark">One of <see cref="Names"/>.</param>
    /// <param name="folder">The user's copy of the data.</param>
    /// <param name="categories">Which ones; empty for all that the folder has.</param>
    /// <param name="fixedRules">True: put the official checker's quirks right.</param>
    /// <exception cref="ArgumentException">Unknown benchmark.</exception>
    /// <exception cref="InvalidDataException">The folder is not the benchmark's, or has no such category; the message says which.</exception>
    public static IReadOnlyList<BenchmarkCase> Load(string benchmark, string folder, IReadOnlyList<string> categories, bool fixedRules = false)
    {
        IReadOnlyList<BenchmarkCase> cases = benchmark switch
        {
            "bfcl" => BfclSuite.Load(folder, categories, fixedRules),
            "api-bank" => ApiBankSuite.Load(folder, categories, fixedRules),
            "acebench" => AceBenchSuite.Load(folder, categories, fixedRules),
            _ => throw new ArgumentException($"Unknown benchmark '{benchmark}'; one of {string.Join(", ", Names)}.", nameof(benchmark)),
        };
        return cases.Count > 0 ? cases : throw new InvalidDataException($"{folder} has no cases of {benchmark}.");
    }

    /// <summary>
    /// The version of a benchmark's data: of every file that questions and verdicts are read from, whatever categories are
    /// asked for, so that a run can go on with more of them.
    /// </summary>
    /// <param name="benchmark">One of <see cref="Names"/>.</param>
    /// <param name="folder">The user's copy of the data.</param>
    /// <returns>32 hexadecimal digits; the same wherever the folder lies.</returns>
    /// <exception cref="ArgumentException">Unknown benchmark.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string DataVersion(string benchmark, string folder)
    {
        (string Folder, string Pattern)[] parts = benchmark switch
        {
            "bfcl" => [("", "BFCL_v3_*.json"), ("questions", "BFCL_v3_*.json"), ("possible_answers", "BFCL_v3_*.json"), ("possible_answer", "BFCL_v3_*.json")],
            "api-bank" => [("", "level-1-api.json"), ("dialogues", "*.jsonl"), ("init_database", "*.json")],
            "acebench" => [("", "data_normal_*.json"), ("possible_answer", "data_normal_*.json")],
            _ => throw new ArgumentException($"Unknown benchmark '{benchmark}'; one of {string.Join(", ", Names)}.", nameof(benchmark)),
        };
        return FileHash.Of(folder, parts.Where(part => Directory.Exists(Path.Combine(folder, part.Folder))).SelectMany(part =>
            Directory.EnumerateFiles(Path.Combine(folder, part.Folder), part.Pattern).Select(file => Path.Combine(part.Folder, Path.GetFileName(file)))));
    }

    /// <summary>The names of a benchmark's headline figures, in the order in which tables print them.</summary>
    internal static IReadOnlyList<string> FigureNames(string benchmark) => benchmark switch
    {
        "bfcl" => [BfclSuite.Simple, BfclSuite.NonLive, BfclSuite.LiveOfCalls, BfclSuite.LiveOfAll, BfclSuite.OverallOfCalls, BfclSuite.OverallOfAll],
        "acebench" => [AceBenchSuite.Atom, AceBenchSuite.SingleTurn, AceBenchSuite.MeanOfAll],
        _ => [Accuracy],
    };

    /// <summary>A benchmark's headline figures from the accuracies of its categories.</summary>
    /// <param name="benchmark">One of <see cref="Names"/>.</param>
    /// <param name="categories">By name: cases and correct ones.</param>
    /// <returns>Name and value in 0..1; a figure is left out where a category that it needs was not run.</returns>
    public static IReadOnlyList<(string Name, double Value)> Headlines(string benchmark, IReadOnlyDictionary<string, CategoryScore> categories) => benchmark switch
    {
        "bfcl" => BfclSuite.Headlines(categories),
        "acebench" => AceBenchSuite.Headlines(categories),
        _ => categories.Count > 0 ? [(Accuracy, categories.Values.Sum(score => score.Correct) / (double)categories.Values.Sum(score => score.Cases))] : [],
    };
}
