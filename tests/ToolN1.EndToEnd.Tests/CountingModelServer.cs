using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ToolN1.EndToEnd.Tests;

/// <summary>
/// A stand-in for somebody's OpenAI-compatible server, on a real port: it counts how often each question of a
/// <see cref="TideBenchmark"/> is asked and answers it rightly, unless a test has other plans for it.
/// </summary>
internal sealed partial class CountingModelServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<int, int> _asked = new();
    private int _requests;

    private CountingModelServer(WebApplication application) => _application = application;

    /// <summary>Where it listens.</summary>
    public string Address => _application.Urls.Single();

    /// <summary>How often each question has been asked.</summary>
    public IReadOnlyDictionary<int, int> Asked => _asked;

    /// <summary>Called with the request, how many there were with it, the question and how often it has been asked; true where it has answered.</summary>
    public Func<HttpContext, int, int, int, Task<bool>>? Instead { get; set; }

    /// <summary>Starts one on a free port of this machine.</summary>
    public static async Task<CountingModelServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        CountingModelServer server = new(application);
        application.MapPost("/v1/completions", server.AnswerAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using JsonDocument body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        int question = int.Parse(Day().Match(body.RootElement.GetProperty("prompt").GetString()!).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        int times = _asked.AddOrUpdate(question, 1, (_, before) => before + 1);
        int requests = Interlocked.Increment(ref _requests);
        if (Instead is not null && await Instead(context, requests, question, times))
        {
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new
            {
                choices = new[] { new { text = TideBenchmark.Right(question), finish_reason = "stop" } },
                usage = new { prompt_tokens = 100, completion_tokens = 20 },
            },
            context.RequestAborted);
    }

    [GeneratedRegex("Tide on day ([0-9]+)[?]")]
    private static partial Regex Day();
}
