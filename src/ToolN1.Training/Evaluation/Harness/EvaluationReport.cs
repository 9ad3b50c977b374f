using ToolN1.Engine.Weights;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>What a run leaves beside its results: summary.json, summary.md and report.html.</summary>
public static class EvaluationReport
{
    /// <summary>The files of a run's folder that are meant to be read.</summary>
    public static IReadOnlyList<string> Files { get; } = ["results.jsonl", "summary.json", "summary.md", "report.html"];

    /// <summary>Sums up a run and writes the files.</summary>
    /// <param name="store">The run's folder.</param>
    /// <param name="benchmark">One of <see cref="BenchmarkSuite.Names"/>.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="cases">The questions that count, in the benchmark's order: the folder may hold answers to more.</param>
    /// <param name="references">Rows of the user's to print beside the paper's.</param>
    /// <param name="steps">Engine steps of the part that ended now, added to those of earlier parts; null for a model behind HTTP.</param>
    public static EvaluationSummary Write(
        EvaluationStore store, string benchmark, string model, IReadOnlyList<BenchmarkCase> cases, IReadOnlyList<ReferenceRow> references, EngineSteps? steps)
    {
        Dictionary<(string, string), EvaluationResult> byCase = store.Results.ToDictionary(result => (result.Category, result.Id));
        List<EvaluationResult> results = cases.Where(question => byCase.ContainsKey((question.Category, question.Id)))
            .Select(question => byCase[(question.Category, question.Id)]).ToList();
        string file = Path.Combine(store.Folder, "summary.json");
        EngineSteps earlier = EngineSteps.Read(file);
        EngineSteps? all = steps is null ? null : new EngineSteps(earlier.Total + steps.Total, earlier.Full + steps.Full);
        EvaluationSummary summary = EvaluationSummary.Create(benchmark, model, results, all);
        IReadOnlyList<ReferenceRow> rows = [.. PublishedRows.For(benchmark), .. references];
        DurableStorage.WriteText(file, summary.ToJson() + "\n");
        DurableStorage.WriteText(Path.Combine(store.Folder, "summary.md"), MarkdownReport.Write(summary, rows));
        DurableStorage.WriteText(Path.Combine(store.Folder, "report.html"), HtmlReport.Write(summary, results, rows));
        return summary;
    }
}
