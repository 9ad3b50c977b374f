namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// The paper's rows (arXiv:2505.00024, Table 2 and Figure 3) as far as they could be had: the table's halves and Overall
/// from public summaries of the paper that agree with each other, Qwen2.5's halves from papers that quote the same
/// leaderboard and whose mean is the paper's Overall. The table's columns by category, and the figure's other bars, could
/// not.
/// </summary>
/// <remarks>
/// The published baselines' Live covers all live cases with irrelevance and relevance; Tool-N1's columns are the four call
/// categories. Each stands under the figure that it is comparable with.
/// </remarks>
public static class PublishedRows
{
    private const string Table = "paper, Table 2";
    private const string Figure = "paper, Figure 3";

    /// <summary>The rows of a benchmark.</summary>
    /// <param name="benchmark">One of <see cref="BenchmarkSuite.Names"/>.</param>
    public static IReadOnlyList<ReferenceRow> For(string benchmark) => benchmark switch
    {
        "bfcl" =>
        [
            Baseline("GPT-4o", 88.10, 79.83, 83.97),
            Baseline("Qwen2.5-7B-Instruct", 86.46, 67.44, 76.95),
            Baseline("xLAM-2-70b-fc-r", 88.44, 72.95, 80.70),
            Baseline("ToolACE-8B", 87.54, 78.59, 82.57),
            Baseline("Hammer2.1-7B", 88.65, 75.11, 81.88),
            ToolN1("Tool-N1-7B", 89.25, 80.38, 84.82),
            ToolN1("Tool-N1-14B", 90.52, 81.42, 85.97),
        ],
        "api-bank" => [One("GPT-4o", BenchmarkSuite.Accuracy, 77.16), One("Tool-N1-7B", BenchmarkSuite.Accuracy, 81.28)],
        "acebench" => [One("GPT-4o", AceBenchSuite.MeanOfAll, 87.00), One("Tool-N1-14B", AceBenchSuite.MeanOfAll, 87.00)],
        _ => [],
    };

    private static ReferenceRow Baseline(string name, double nonLive, double live, double overall) => new(name, Table, new Dictionary<string, double>
    {
        [BfclSuite.NonLive] = nonLive,
        [BfclSuite.LiveOfAll] = live,
        [BfclSuite.OverallOfAll] = overall,
    });

    private static ReferenceRow ToolN1(string name, double nonLive, double live, double overall) => new(name, Table, new Dictionary<string, double>
    {
        [BfclSuite.NonLive] = nonLive,
        [BfclSuite.LiveOfCalls] = live,
        [BfclSuite.OverallOfCalls] = overall,
    });

    private static ReferenceRow One(string name, string figure, double score) => new(name, Figure, new Dictionary<string, double> { [figure] = score });
}
