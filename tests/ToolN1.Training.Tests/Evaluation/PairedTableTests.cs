using ToolN1.Training.Evaluation;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class PairedTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-paired-").FullName;

    [Fact]
    public void Markdown_TwoRunsOnTheSameRows_CountsWhatChangedByCategory()
    {
        // Six gained and none lost: p = 2 · ½⁶.
        EvaluationCase[] before = [.. Cases("seen-one", 10, correct: index => index < 4), .. Cases("unseen-one", 4, correct: index => index == 0)];
        EvaluationCase[] after = [.. Cases("seen-one", 10, correct: _ => true), .. Cases("unseen-one", 4, correct: index => index == 1)];
        string[] lines = PairedTable.Markdown(PairedTable.Read(Write("a", before)), PairedTable.Read(Write("b", after))).TrimEnd().Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.StartsWith("| seen-one | 10 | 40.0 (", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("| 6 | 0 | 0.031 |", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("| 1 | 1 | 1 |", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("| all | 14 | 35.7 (", lines[4], StringComparison.Ordinal);
        Assert.EndsWith("| 7 | 1 | 0.07 |", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_OtherRows_IsRefused()
    {
        Assert.Throws<InvalidDataException>(() => PairedTable.Markdown(Cases("a", 2, _ => true), Cases("a", 3, _ => true)));
        Assert.Throws<InvalidDataException>(() => PairedTable.Markdown(Cases("a", 2, _ => true), Cases("b", 2, _ => true)));
    }

    [Fact]
    public void Read_LineThatIsNoCase_IsNamed()
    {
        string file = Write("c", Cases("a", 1, _ => true));
        Assert.True(PairedTable.IsCases(file));
        File.AppendAllText(file, "{\"category\": 1}\n");
        Assert.Contains("results.jsonl:2", Assert.Throws<InvalidDataException>(() => PairedTable.Read(file)).Message, StringComparison.Ordinal);
        File.WriteAllText(file, "{\"id\":\"x\",\"category\":\"simple\"}\n");
        Assert.False(PairedTable.IsCases(file));
        Assert.False(PairedTable.IsCases(Path.Combine(_folder, "none.jsonl")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static EvaluationCase[] Cases(string category, int count, Func<int, bool> correct) =>
        [.. Enumerable.Range(0, count).Select(index => new EvaluationCase(category, index, correct(index), $"request {index}", "[]", "…", 3))];

    private string Write(string name, EvaluationCase[] cases)
    {
        string file = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, "results.jsonl");
        File.WriteAllLines(file, cases.Select(RowEvaluator.ToJson));
        return file;
    }
}
