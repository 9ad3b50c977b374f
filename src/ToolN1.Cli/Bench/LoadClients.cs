using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace ToolN1.Cli.Bench;

/// <summary>A closed loop of clients that stream answers from a server and note when each piece of text comes.</summary>
/// <param name="http">Speaks to the server; stays the caller's.</param>
/// <param name="model">The served model's id.</param>
/// <param name="clients">Requests in flight.</param>
/// <param name="tokens">Tokens of every answer, through any end of sequence.</param>
internal sealed class LoadClients(HttpClient http, string model, int clients, int tokens)
{
    private const string Words = "tide table harbour ship light rope anchor wind chart pilot ";

    private int _requests;

    /// <summary>Asks until a time is over; requests in flight then are awaited and count.</summary>
    /// <param name="duration">How long new requests are sent.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public async Task<LoadResult> RunAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        LoadResult[] results = await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            LoadResult mine = new();
            do
            {
                await AskAsync(mine, cancellationToken);
            }
            while (Stopwatch.GetElapsedTime(start) < duration);
            return mine;
        }));
        return LoadResult.Join(results);
    }

    private async Task AskAsync(LoadResult result, CancellationToken cancellationToken)
    {
        // A number in front: no two prompts share a prefix that the server has already computed.
        string prompt = Interlocked.Increment(ref _requests).ToString(CultureInfo.InvariantCulture) + " " + string.Concat(Enumerable.Repeat(Words, 8));
        using HttpRequestMessage request = new(HttpMethod.Post, "v1/completions")
        {
            Content = JsonContent.Create(new Dictionary<string, object>
            {
                ["model"] = model,
                ["prompt"] = prompt,
                ["max_tokens"] = tokens,
                ["temperature"] = 0,
                ["ignore_eos"] = true,
                ["stream"] = true,
            }),
        };
        try
        {
            result.Requests++;
            long sent = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                result.Failures.Add($"HTTP {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
                return;
            }

            await ReadAsync(response, sent, result, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            result.Failures.Add(e.Message);
        }
    }

    private static async Task ReadAsync(HttpResponseMessage response, long sent, LoadResult result, CancellationToken cancellationToken)
    {
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        long first = 0;
        long last = 0;
        int pieces = 0;
        bool done = false;
        while (await reader.ReadLineAsync(cancellationToken) is string line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
            {
                continue;
            }

            string data = line["data: ".Length..];
            done = data == "[DONE]";
            if (done || !HasText(data))
            {
                continue;
            }

            long now = Stopwatch.GetTimestamp();
            (last == 0 ? result.FirstMilliseconds : result.GapMilliseconds).Add(Stopwatch.GetElapsedTime(last == 0 ? sent : last, now).TotalMilliseconds);
            first = last == 0 ? now : first;
            last = now;
            pieces++;
        }

        if (pieces > 1)
        {
            result.PerTokenMilliseconds.Add(Stopwatch.GetElapsedTime(first, last).TotalMilliseconds / (pieces - 1));
        }

        if (!done)
        {
            result.Failures.Add("An answer ended without [DONE].");
        }
    }

    private static bool HasText(string data)
    {
        using JsonDocument chunk = JsonDocument.Parse(data);
        return chunk.RootElement.TryGetProperty("choices", out JsonElement choices) && choices.GetArrayLength() > 0
            && choices[0].TryGetProperty("text", out JsonElement text) && text.GetString() is { Length: > 0 };
    }
}
