using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ToolN1.Api.Tests.FineTuning;
using ToolN1.Api.Tests.Support;
using ToolN1.Training.Captures;

namespace ToolN1.Api.Tests.Captures;

/// <summary>A server that keeps its traffic, and what tests do with it.</summary>
internal sealed class CaptureServer : IDisposable
{
    public const string Route = "/admin/captures";
    public const string ApiKey = "api-key";

    /// <summary>A tool with one required parameter.</summary>
    public const string Weather =
        """{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1}},"required":["city"],"additionalProperties":false}}}""";

    public const string Answer = """<think>Paris it is.</think><tool_call>[{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}]</tool_call>""";

    private readonly TrainingServer _server;
    private readonly ConcurrentDictionary<string, long> _counts = [];
    private readonly MeterListener _listener = new();

    public CaptureServer(string answer = Answer, string? dataDirectory = null, bool isOn = true, params (string Key, string Value)[] settings)
    {
        _server = new TrainingServer(engine => engine.Answer = _ => answer, dataDirectory, [("ToolN1:Captures:Enabled", isOn ? "true" : "false"), .. settings]);

        // This server's own figures: what /metrics shows is the sum of all servers of the process.
        IMeterFactory meters = _server.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == CaptureQueue.MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => _counts.AddOrUpdate(instrument.Name + (tags.Length > 0 ? ":" + tags[0].Value : ""), value, (_, before) => before + value));
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => _counts[instrument.Name] = value);
        _listener.Start();
    }

    public TrainingServer Training => _server;

    public FakeEngine Engine => _server.Engine;

    public string DataDirectory => _server.DataDirectory;

    /// <summary>A chat request that offers <see cref="Weather"/>.</summary>
    public static JsonObject Request(string more = "", string content = "Weather in Paris?") =>
        Json.Chat($"\"tools\":[{Weather}]" + (more.Length == 0 ? "" : "," + more), content);

    /// <summary>Sends a request with a key and reads the answer to its end.</summary>
    public async Task<string> SendAsync(JsonObject request, string route = Json.ChatRoute, string key = ApiKey)
    {
        using HttpRequestMessage message = new(HttpMethod.Post, route) { Content = new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json") };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await _server.Client.SendAsync(message, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    /// <summary>Waits until there are as many captures, and returns them, oldest first, whole.</summary>
    public async Task<JsonNode[]> CapturesAsync(int count)
    {
        JsonArray page;
        for (int i = 0; (page = (await GetAsync(Route + "?limit=100"))["data"]!.AsArray()).Count != count; i++)
        {
            Assert.True(i < 3000 && page.Count < count, $"There are {page.Count} captures.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        List<JsonNode> captures = [];
        foreach (JsonNode? summary in page.Reverse())
        {
            captures.Add(await GetAsync($"{Route}/{Id(summary!)}"));
        }

        return [.. captures];
    }

    /// <summary>Sends one request and returns its first capture; there must be none before.</summary>
    public async Task<JsonNode> OneAsync(JsonObject? request = null, int choices = 1)
    {
        await SendAsync(request ?? Request());
        return (await CapturesAsync(choices))[0];
    }

    public Task<JsonNode> GetAsync(string route) => _server.GetAsync(route);

    public Task<JsonNode> PostOkAsync(string route, string json = "") => _server.PostOkAsync(route, json);

    /// <summary>Posts what must be refused; the error.</summary>
    public async Task<JsonNode> RefusedAsync(int status, string route, string json = "")
    {
        using HttpResponseMessage response = await _server.PostAsync(route, json);
        return await Json.ErrorAsync(response, status);
    }

    /// <summary>Captures written since the start.</summary>
    public long Kept => _counts.GetValueOrDefault("tooln1.captures.kept");

    /// <summary>Captures that wait.</summary>
    public long Queued
    {
        get
        {
            _listener.RecordObservableInstruments();
            return _counts.GetValueOrDefault("tooln1.captures.queued");
        }
    }

    /// <summary>Captures dropped for a reason since the start.</summary>
    public long Dropped(string reason) => _counts.GetValueOrDefault("tooln1.captures.dropped:" + reason);

    public static string Id(JsonNode capture) => capture["id"]!.GetValue<string>();

    public static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    public void Dispose()
    {
        _listener.Dispose();
        _server.Dispose();
    }
}
