using System.Globalization;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A run's figures beside published rows: what both reports print.</summary>
internal sealed class FigureTable
{
    private FigureTable(IReadOnlyList<string> figures, IReadOnlyList<(string Model, IReadOnlyList<string> Cells)> rows)
    {
        Figures = figures;
        Rows = rows;
    }

    /// <summary>
    /// Names of the columns: each category, other figures of the published rows, then the benchmark's own in its order (BFCL:
    /// Simple, Non-live, Live, Overall), those included that only published rows have.
    /// </summary>
    public IReadOnlyList<string> Figures { get; }

    /// <summary>The run, then the published rows; a cell is in percent, or empty where the row has no such figure.</summary>
    public IReadOnlyList<(string Model, IReadOnlyList<string> Cells)> Rows { get; }

    /// <summary>Lays the table out.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="references">Rows to print beside it.</param>
    public static FigureTable Create(EvaluationSummary summary, IReadOnlyList<ReferenceRow> references)
    {
        Dictionary<string, double> own = summary.Headlines.ToDictionary(figure => figure.Name, figure => 100 * figure.Value, StringComparer.Ordinal);
        foreach ((string name, CategoryScore score) in summary.Categories)
        {
            own.TryAdd(name, 100 * score.Accuracy);
        }

        // The published figures too where this run has no answer to them, so that the reader sees what is not compared.
        IReadOnlyList<string> headlines = BenchmarkSuite.FigureNames(summary.Benchmark);
        List<string> known = summary.Categories.Keys.Concat(references.SelectMany(row => row.Scores.Keys)).Concat(summary.Headlines.Select(figure => figure.Name)).Distinct().ToList();
        List<string> figures = [.. known.Except(headlines), .. headlines.Intersect(known)];
        return new FigureTable(
            figures,
            [(summary.Model, Cells(own)), .. references.Select(row => ($"{row.Name} ({row.Source})", Cells(row.Scores)))]);

        IReadOnlyList<string> Cells(IReadOnlyDictionary<string, double> scores) =>
            figures.ConvertAll(figure => scores.TryGetValue(figure, out double percent) ? percent.ToString("F2", CultureInfo.InvariantCulture) : "");
    }
}
