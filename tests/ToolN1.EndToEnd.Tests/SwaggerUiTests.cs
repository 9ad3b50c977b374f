using Microsoft.Playwright;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The documentation page as a person uses it: a real browser, the real server, the embedded model.</summary>
public sealed class SwaggerUiTests
{
    private const float Patience = 180_000;

    // Debian's, Ubuntu's and Google's own names.
    private static readonly string[] Browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    [Fact]
    public async Task ChatRequest_SentFromThePage_ShowsACall()
    {
        string? browserPath = Array.Find(Browsers, File.Exists);
        Assert.SkipWhen(browserPath is null, "No Chromium or Chrome on this machine: apt-get install chromium");
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using ServerProcess server = await ServerProcess.StartAsync(model: null);
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = browserPath, Headless = true, Args = Flags, Timeout = Patience });
        IPage page = await browser.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        List<string> failures = [];
        page.PageError += (_, error) => failures.Add(error);
        await page.GotoAsync(new Uri(server.Address, "/swagger").ToString());

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
        Assert.Empty(failures);
    }
}
