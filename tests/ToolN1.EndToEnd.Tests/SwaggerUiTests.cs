using Microsoft.Playwright;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The documentation page as a person uses it: a real browser, the real server, the embedded model.</summary>
public sealed class SwaggerUiTests
{
    [Fact]
    public async Task ChatRequest_SentFromThePage_ShowsACall()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using TestBrowser browser = await TestBrowser.LaunchAsync();
        await using ServerProcess server = await ServerProcess.StartAsync(model: null);
        IPage page = await browser.OpenAsync(new Uri(server.Address, "/swagger"));

        // 1. Unfold the operation, which can be tried out at once, and send the example as it stands.
        ILocator operation = page.Locator(".opblock-post").Filter(new LocatorFilterOptions { Has = page.Locator("[data-path='/v1/chat/completions']") });
        await operation.Locator(".opblock-summary-control").ClickAsync();
        await operation.Locator("button.execute").ClickAsync();

        // 2. The answer that the page shows.
        ILocator response = operation.Locator(".live-responses-table .response");
        Assert.Equal("200", (await response.Locator(".response-col_status").InnerTextAsync()).Trim().Split('\n')[0]);
        string body = await response.Locator(".response-col_description .highlight-code").First.InnerTextAsync();
        Assert.Contains("\"tool_calls\"", body, StringComparison.Ordinal);
        Assert.Contains("get_weather", body, StringComparison.Ordinal);
        Assert.Empty(browser.Failures);
    }
}
