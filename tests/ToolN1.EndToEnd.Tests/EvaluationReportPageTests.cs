using Microsoft.Playwright;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.EndToEnd.Tests;

/// <summary>A run's report.html as a person reads it, in a real browser.</summary>
public sealed class EvaluationReportPageTests : IDisposable
{
    private const string Hostile = "</script><img src=\"http://elsewhere.invalid/x.png\"><script>alert(1)</script>";

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("tooln1-report-").FullName, "report.html");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public async Task Report_OpenedFromDisk_ShowsFiguresPlotsAndFailuresWithoutAskingForAnythingElse()
    {
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        Write();
        IPage page = await browser.OpenAsync(new Uri(_file));

        // 1. The table: the run and the published row beside it.
        Assert.Equal(["mine", "other (a paper)"], await page.Locator("#figures tr td:first-child").AllInnerTextsAsync());
        Assert.Contains("61.50", await page.Locator("#figures").InnerTextAsync(), StringComparison.Ordinal);

        // 2. The plots: nothing is cut off at their edges, and bars are as long as what they stand for: 1 of 2, 0 of 3, 1 of 5 right.
        ILocator plots = page.Locator("svg");
        Assert.Equal(4, await plots.CountAsync());
        Assert.Equal(
            "",
            await page.EvaluateAsync<string>(
                """
                () => [...document.querySelectorAll('svg')].flatMap(svg => {
                  const frame = svg.getBoundingClientRect();
                  return [...svg.querySelectorAll('text, rect, path')].filter(part => {
                    const box = part.getBoundingClientRect();
                    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || (part.tagName === 'rect' && box.height < 5);
                  }).map(part => svg.getAttribute('aria-label') + ': ' + part.outerHTML);
                }).join('\n')
                """));
        double[] lengths = await page.EvaluateAsync<double[]>("() => [...document.querySelectorAll('svg')[0].querySelectorAll('rect')].map(bar => bar.getBoundingClientRect().width)");
        Assert.Equal(3, lengths.Length);
        Assert.InRange(lengths[0] / lengths[2], 2.49, 2.51);
        Assert.Equal(0, lengths[1]);

        // 3. The wrong answers: all, then fewer by category, error type and words, then all again.
        ILocator shown = page.Locator("#list details");
        Assert.Equal(4, await shown.CountAsync());
        await page.Locator("#category").SelectOptionAsync("odd");
        Assert.Equal(3, await shown.CountAsync());
        await page.Locator("#error").SelectOptionAsync("type_error:simple");
        Assert.Equal("1 of 4", await page.Locator("#count").InnerTextAsync());
        await page.Locator("#clear").ClickAsync();
        Assert.Equal(4, await shown.CountAsync());
        await page.Locator("#text").FillAsync("HARBOUR 3");
        Assert.Contains("case_3", await shown.InnerTextAsync(), StringComparison.Ordinal);

        // 4. One of them, unfolded: what a model wrote is text, whatever it looks like.
        await shown.Locator("summary").ClickAsync();
        await shown.Locator("h4").First.WaitForAsync();
        Assert.Equal(["Output", "Calls read", "Prompt"], await shown.Locator("h4").AllInnerTextsAsync());
        Assert.Equal(Hostile, await shown.Locator("pre").First.InnerTextAsync());

        Assert.Empty(browser.Failures);
        Assert.Equal([new Uri(_file).ToString()], browser.Requests);
    }

    private void Write()
    {
        (string Category, string? Error, string? Failure)[] answers =
        [
            ("even", null, null), ("even", "parallel_function_checker_no_order:cannot_find_match", "wrong value"),
            ("odd", "value_error:string", "wrong value"), ("odd", "value_error:string", "wrong value"), ("odd", "type_error:simple", "wrong type"),
        ];
        List<EvaluationResult> results = [.. answers.Select((answer, i) => new EvaluationResult
        {
            Category = answer.Category,
            Id = $"case_{i}",
            Prompt = $"The tide of harbour {i}?",
            Output = i == 3 ? Hostile : "no call",
            CallsJson = "[]",
            Valid = answer.Error is null,
            ErrorType = answer.Error,
            Failure = answer.Failure,
            ExpectedTools = ["tide"],
            LatencyMilliseconds = 100 * (i + 1),
            FinishReason = "stop",
        })];

        EvaluationSummary summary = EvaluationSummary.Create("api-bank", "mine", results);
        File.WriteAllText(_file, HtmlReport.Write(summary, results, [new ReferenceRow("other", "a paper", new Dictionary<string, double> { ["Accuracy"] = 61.5 })]));
    }
}
