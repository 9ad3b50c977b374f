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
        FigureTable table = FigureTable.Create(summary, references);
        text.Append("| Model | ").AppendJoin(" | ", table.Figures).Append(" |\n|---|").Insert(text.Length, "---|", table.Figures.Count).Append('\n');
        foreach ((string model, IReadOnlyList<string> cells) in table.Rows)
        {
            text.Append("| ").Append(Cell(model)).Append(" | ").AppendJoin(" | ", cells).Append(" |\n");
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

        text.Append(CultureInfo.InvariantCulture, $"\n{summary.Usage}\n");
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
