using ToolN1.Training.Evaluation;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class EvaluationReportTests
{
    [Theory]
    [InlineData(0, 10, 0, 0.2775)]
    [InlineData(10, 10, 0.7225, 1)]
    [InlineData(425, 500, 0.8161, 0.8786)]
    public void Wilson_KnownCounts_GivesPublishedInterval(int successes, int cases, double low, double high)
    {
        WilsonInterval interval = new(successes, cases);
        Assert.Equal(low, interval.Low, 3);
        Assert.Equal(high, interval.High, 3);
    }

    [Fact]
    public void Markdown_SetsAndKinds_AreRowsAndColumns()
    {
        EvaluationCase Case(string category, bool correct) => new(category, 0, correct, "q", "[]", "", 1);
        string table = EvaluationTable.Markdown([Case("seen-one", true), Case("seen-one", false), Case("seen-none", true), Case("unseen-one", false)]);
        string[] lines = table.TrimEnd().Split('\n');
        Assert.Equal("| Set | one | none | all |", lines[0]);
        Assert.StartsWith("| seen | 50.0 (", lines[2], StringComparison.Ordinal);
        Assert.Contains("| – |", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Svg_TwoRuns_ContinuesTokensAndMarksTheBorder()
    {
        string folder = Directory.CreateTempSubdirectory("tooln1-curve-").FullName;
        try
        {
            string[] files = [Path.Combine(folder, "a.jsonl"), Path.Combine(folder, "b.jsonl")];
            File.WriteAllText(files[0], "{\"tokens\": 100, \"answer_loss\": 2.5, \"answer_accuracy\": 0}\n{\"tokens\": 200, \"answer_loss\": 2, \"answer_accuracy\": 0.1}\n");
            File.WriteAllText(files[1], "{\"tokens\": 200, \"answer_loss\": 1, \"answer_accuracy\": 0.5}\n");
            string svg = LossCurve.Svg(files);
            Assert.Contains("stroke-dasharray", svg, StringComparison.Ordinal);
            Assert.Contains("784,", svg, StringComparison.Ordinal);
            File.AppendAllText(files[1], "{}\n");
            Assert.Contains("b.jsonl:2", Assert.Throws<InvalidDataException>(() => LossCurve.Svg(files)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
