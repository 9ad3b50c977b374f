using System.Globalization;
using System.Text;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A run's figures as Markdown tables (summary.md).</summary>
public static class MarkdownReport
{
    private const int WorstTools = 20;

    /// <summary>The report.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="references">Published rows to print beside it.</param>
    public static string Write(EvaluationSummary summary, IReadOnlyList<ReferenceRow> references)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {summary.Benchmark}: {summary.Model}\n\n");
        Dictionary<string, double> own = summary.Headlines.ToDictionary(figure => figure.Name, figure => figure.Value, StringComparer.Ordinal);
        foreach ((string name, CategoryScore score) in summary.Categories)
        {
            own.TryAdd(name, score.Accuracy);
        }

        // The published figures too where this run has no answer to them, so that the reader sees what is not compared.
        List<string> figures = summary.Headlines.Select(figure => figure.Name).Concat(references.SelectMany(row => row.Scores.Keys)).Concat(summary.Categories.Keys).Distinct().ToList();
        text.Append("| Model | ").AppendJoin(" | ", figures).Append(" |\n|---|").Insert(text.Length, "---|", figures.Count).Append('\n');
        text.Append("| ").Append(Cell(summary.Model)).Append(" | ")
            .AppendJoin(" | ", figures.Select(figure => own.TryGetValue(figure, out double value) ? Percent(value) : "")).Append(" |\n");
        foreach (ReferenceRow row in references)
        {
            text.Append("| ").Append(Cell($"{row.Name} ({row.Source})")).Append(" | ")
                .AppendJoin(" | ", figures.Select(figure => row.Scores.TryGetValue(figure, out double score) ? score.ToString("F2", CultureInfo.InvariantCulture) : "")).Append(" |\n");
        }

        text.Append("\n| Category | Cases | Correct | Accuracy | 95 % interval (Wilson) |\n|---|---|---|---|---|\n");
        foreach ((string name, CategoryScore score) in summary.Categories.Append(KeyValuePair.Create("all", summary.Total)))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(name)} | {score.Cases} | {score.Correct} | {Percent(score.Accuracy)} | {Percent(score.Low)} – {Percent(score.High)} |\n");
        }

        Counts(text, "What went wrong", summary.Failures, summary.Total.Cases);
        Counts(text, "Error type", summary.ErrorTypes, summary.Total.Cases);
        text.Append("\n| Function (worst first) | Cases | Correct | Accuracy |\n|---|---|---|---|\n");
        foreach ((string name, CategoryScore score) in summary.Tools.Take(WorstTools))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(name)} | {score.Cases} | {score.Correct} | {Percent(score.Accuracy)} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n{summary.PromptTokens} prompt tokens, {summary.CompletionTokens} generated; latency p50 {summary.LatencyQuantile(0.5):F0} ms, p95 {summary.LatencyQuantile(0.95):F0} ms");
        text.Append(summary.FullBatchShare is double share ? $"; engine steps at full batch {Percent(share)} %" : "").Append(".\n");
        return text.ToString();
    }

    private static void Counts(StringBuilder text, string title, IReadOnlyList<(string Name, int Count)> counts, int cases)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n| {title} | Answers | Share |\n|---|---|---|\n");
        foreach ((string name, int count) in counts)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(name)} | {count} | {Percent(count / (double)Math.Max(1, cases))} |\n");
        }
    }

    private static string Percent(double value) => (100 * value).ToString("F2", CultureInfo.InvariantCulture);

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
