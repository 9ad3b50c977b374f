using System.Collections.Concurrent;
using System.Text.Json;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class EvaluationRunnerTests
{
    private static List<BenchmarkCase> Cases(int count) => Enumerable.Range(0, count).Select(i => new BenchmarkCase
    {
        Category = i % 2 == 0 ? "even" : "odd",
        Id = $"case_{i}",
        ParityMessages = [],
        NativeMessages = [],
        Utterances = [],
        Tools = [],
        ExpectedTools = ["f"],
        Score = completion => new ScoredReply(completion == "right" ? EvaluationVerdict.Correct : EvaluationVerdict.Wrong("value_error:string", "f.a <b>"), null),
    }).ToList();

    [Fact]
    public async Task Run_CutOffAndStartedAgain_AsksNothingTwice()
    {
        using HandMadeFolder folder = new();
        List<BenchmarkCase> cases = Cases(9);
        FakeModel model = new(question => question.Id is "case_4" or "case_7" ? throw new EvaluationModelException("down") : "right");
        using (EvaluationStore store = EvaluationStore.Open(folder.Path, "s"))
        {
            IReadOnlyList<string> failures = await new EvaluationRunner(model, EvaluationMode.Parity, store, 3, TimeProvider.System)
                .RunAsync(cases, null, TestContext.Current.CancellationToken);
            Assert.Equal(2, failures.Count);
        }

        // A kill in the middle of a write leaves half a line.
        File.AppendAllText(Path.Combine(folder.Path, "results.jsonl"), """{"category": "ev""");
        FakeModel second = new(_ => "wrong");
        using (EvaluationStore store = EvaluationStore.Open(folder.Path, "s"))
        {
            Assert.Equal(7, store.Results.Count);
            Assert.Empty(await new EvaluationRunner(second, EvaluationMode.Parity, store, 3, TimeProvider.System).RunAsync(cases, null, TestContext.Current.CancellationToken));
        }

        Assert.Equal(["case_4", "case_7"], second.Asked.Order());
        Assert.Equal(9, EvaluationStore.Read(folder.Path).Count);
    }

    [Fact]
    public void Open_RunWithOtherSettings_IsRefused()
    {
        using HandMadeFolder folder = new();
        EvaluationStore.Open(folder.Path, "mode parity").Dispose();

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => EvaluationStore.Open(folder.Path, "mode native"));

        Assert.Contains("mode parity", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TheSameRunAgain_DoesNotWriteItsSettingsOnceMore()
    {
        // A kill while they were written again would leave half of them, and a run that nothing can go on with.
        using HandMadeFolder folder = new();
        EvaluationStore.Open(folder.Path, "mode parity").Dispose();
        string file = Path.Combine(folder.Path, "run.json");
        DateTime written = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, written);

        EvaluationStore.Open(folder.Path, "mode parity").Dispose();

        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        Assert.Equal(["results.jsonl", "run.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Summary_OfARun_CountsByCategoryFailureAndTool()
    {
        using HandMadeFolder folder = new();
        using EvaluationStore store = EvaluationStore.Open(folder.Path, "s");
        FakeModel model = new(question => question.Category == "even" ? "right" : "wrong");
        await new EvaluationRunner(model, EvaluationMode.Parity, store, 4, TimeProvider.System).RunAsync(Cases(6), null, TestContext.Current.CancellationToken);

        EvaluationSummary summary = EvaluationSummary.Create("api-bank", "fake", store.Results);

        Assert.Equal(new CategoryScore(3, 3), summary.Categories["even"]);
        Assert.Equal(new CategoryScore(3, 0), summary.Categories["odd"]);
        Assert.Equal([("wrong value", 3)], summary.Failures);
        Assert.Equal([("value_error:string", 3)], summary.ErrorTypes);
        Assert.Equal([("f", new CategoryScore(6, 3))], summary.Tools);
        Assert.Equal(0.5, Assert.Single(summary.Headlines).Value);
        using JsonDocument json = JsonDocument.Parse(summary.ToJson());
        Assert.Equal(0.5, json.RootElement.GetProperty("total").GetProperty("accuracy").GetDouble());
        string markdown = MarkdownReport.Write(summary, [new ReferenceRow("other", "a paper", new Dictionary<string, double> { ["Accuracy"] = 61.5 })]);
        Assert.Contains("| Model | even | odd | Accuracy |", markdown, StringComparison.Ordinal);
        Assert.Contains("| other (a paper) |  |  | 61.50 |", markdown, StringComparison.Ordinal);
        string html = HtmlReport.Write(summary, store.Results, []);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.DoesNotContain("f.a <b>", html, StringComparison.Ordinal);
        Assert.Contains("f.a \\u003Cb\\u003E", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_OfARun_HaveEachCategoryThenSimpleNonLiveLiveOverall()
    {
        string[] categories = ["simple", "java", "javascript", "multiple", "parallel", "parallel_multiple", "irrelevance"];
        List<EvaluationResult> results = [.. categories.Select((category, i) => new EvaluationResult
        {
            Category = category,
            Id = $"{category}_0",
            Prompt = "",
            Output = "",
            Valid = i % 2 == 0,
            ExpectedTools = [],
            LatencyMilliseconds = 1,
            FinishReason = "stop",
        })];
        EvaluationSummary summary = EvaluationSummary.Create("bfcl", "mine", results);
        string[] figures =
        [
            .. categories, "Simple", "Non-live", "Live (four call categories)", "Live (all cases, with irrelevance and relevance)", "Overall", "Overall (Live of all cases)",
        ];

        Assert.StartsWith($"# bfcl: mine\n\n| Model | {string.Join(" | ", figures)} |\n", MarkdownReport.Write(summary, PublishedRows.For("bfcl")), StringComparison.Ordinal);
        string html = HtmlReport.Write(summary, results, PublishedRows.For("bfcl"));
        Assert.Contains($"<tr><th>% correct</th><th>{string.Join("</th><th>", figures)}</th></tr>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_RunInTwoParts_CountsTheEngineStepsOfBoth()
    {
        using HandMadeFolder folder = new();
        using EvaluationStore store = EvaluationStore.Open(folder.Path, "s");

        EvaluationReport.Write(store, "api-bank", "fake", Cases(2), [], new EngineSteps(100, 90));
        EvaluationReport.Write(store, "api-bank", "fake", Cases(2), [], new EngineSteps(20, 0));

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Path, "summary.json")));
        Assert.Equal(0.75, summary.RootElement.GetProperty("full_batch_share").GetDouble());
        Assert.Contains("75.00 % of 120 engine steps at full batch", File.ReadAllText(Path.Combine(folder.Path, "report.html")), StringComparison.Ordinal);
        Assert.Contains("75.00 % of 120 engine steps at full batch", File.ReadAllText(Path.Combine(folder.Path, "summary.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_TwoRuns_PairsCasesAndTestsTheFlips()
    {
        using HandMadeFolder folder = new();
        IReadOnlyList<EvaluationResult> a = await Run("a", question => question.Category == "even" ? "right" : "wrong");
        IReadOnlyList<EvaluationResult> b = await Run("b", question => question.Id == "case_0" ? "wrong" : "right");

        EvaluationComparison comparison = EvaluationComparison.Create(a, b);

        Assert.Equal(12, comparison.Pairs);
        Assert.Single(comparison.Lost);
        Assert.Equal(6, comparison.Gained.Count);
        Assert.Equal(5 / 12.0, comparison.Difference, 12);
        Assert.Equal(0.125, comparison.PValue, 12);

        async Task<IReadOnlyList<EvaluationResult>> Run(string name, Func<BenchmarkCase, string> answer)
        {
            using EvaluationStore store = EvaluationStore.Open(Path.Combine(folder.Path, name), "s");
            await new EvaluationRunner(new FakeModel(answer), EvaluationMode.Parity, store, 2, TimeProvider.System).RunAsync(Cases(12), null, TestContext.Current.CancellationToken);
            return store.Results;
        }
    }

    private sealed class FakeModel(Func<BenchmarkCase, string> answer) : IEvaluationModel
    {
        public ConcurrentBag<string> Asked { get; } = [];

        public Task<EvaluationReply> AnswerAsync(BenchmarkCase question, EvaluationMode mode, CancellationToken cancellationToken)
        {
            Asked.Add(question.Id);
            string text = answer(question);
            return Task.FromResult(new EvaluationReply(text, text, "stop", 5, 2));
        }
    }
}
