using Microsoft.Playwright;

namespace ToolN1.EndToEnd.Tests;

/// <summary>A real browser of this machine without a window; the test skips, visibly, where there is none.</summary>
internal sealed class TestBrowser : IAsyncDisposable
{
    private const float Patience = 180_000;

    // Debian's, Ubuntu's and Google's own names.
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private TestBrowser(IPlaywright playwright, IBrowser browser)
    {
        _playwright = playwright;
        _browser = browser;
    }

    /// <summary>What went wrong in the pages' scripts.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>The addresses that pages asked for.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Starts it.</summary>
    public static async Task<TestBrowser> LaunchAsync()
    {
        string? program = Array.Find(Programs, File.Exists);
        Assert.SkipWhen(program is null, "No Chromium or Chrome on this machine: apt-get install chromium");
        IPlaywright playwright = await Playwright.CreateAsync();
        try
        {
            return new TestBrowser(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Headless = true, Args = Flags, Timeout = Patience }));
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>Opens a page.</summary>
    public async Task<IPage> OpenAsync(Uri address)
    {
        IPage page = await _browser.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        page.PageError += (_, error) => Failures.Add(error);
        page.Request += (_, request) => Requests.Add(request.Url);
        await page.GotoAsync(address.ToString());
        return page;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
