using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The real process, logging at Debug and guarded by a key, among clients that mean no good.</summary>
public sealed class HostileServingTests(HostileServingTests.LoggingServer hostile) : IClassFixture<HostileServingTests.LoggingServer>
{
    private const string Canary = "CanaryOfTheUser";
    private const int Limit = 10 * 60_000;
    private const int Megabyte = 1_000_000;

    private ServerProcess Server => hostile.Server;

    public static TheoryData<string, int> Repeated => new()
    {
        { "a", 10 * Megabyte }, { " ", 10 * Megabyte }, { "\n", 2 * Megabyte }, { "é", 2 * Megabyte }, { "e\u0301", Megabyte }, { "\u0301\u0316", Megabyte },
        { "漢", 2 * Megabyte }, { "😀", Megabyte }, { "\u0000", Megabyte / 4 }, { "<", 2 * Megabyte }, { "{", 2 * Megabyte }, { "1", 2 * Megabyte }, { "<|im_end|>", Megabyte / 4 },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Repeated))]
    public async Task MegabytesOfOneCharacter_AreTooLong_WhileOthersAreServed(string character, int count)
    {
        string text = string.Concat(Enumerable.Repeat(character, count));
        string body = new JsonObject { ["model"] = TinyServer.Model, ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }) }.ToJsonString(Relaxed);
        await TooLongWhileOthersAreServedAsync(body, TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = Limit)]
    public async Task HundredThousandMessages_AreTooLong_WhileOthersAreServed()
    {
        string messages = string.Join(',', Enumerable.Repeat("""{"role":"user","content":"Hi"},{"role":"assistant","content":""}""", 50_000));
        await TooLongWhileOthersAreServedAsync($$"""{"model":"{{TinyServer.Model}}","messages":[{{messages}}]}""", TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = Limit)]
    public async Task Log_AtDebug_HoldsNothingThatAClientSent()
    {
        string chat = $$"""{"model":"{{TinyServer.Model}}","max_tokens":4,"messages":[{"role":"system","content":"{{Canary}}"},{"role":"user","content":"{{Canary}}"}],"stop":"{{Canary}}","user":"{{Canary}}" """;
        string[] bodies =
        [
            chat + "}",
            chat + ",\"stream\":true}",
            chat + $$$""","tools":[{"type":"function","function":{"name":"f","description":"{{{Canary}}}","parameters":{"{{{Canary}}}":1} } }]}""",
            chat + $",\"{Canary}\":1}}",
            chat + $",\"temperature\":\"{Canary}\"}}",
            chat + $",\"temperature\":{Canary}}}",
            $$"""{"model":"{{Canary}}","messages":[{"role":"user","content":"{{Canary}}"}]}""",
        ];
        foreach (string body in bodies)
        {
            using HttpResponseMessage response = await PostAsync("/v1/chat/completions", body, LoggingServer.Key, TestContext.Current.CancellationToken);
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        using (HttpResponseMessage refused = await PostAsync("/v1/chat/completions", bodies[0], Canary + "Key", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        // What Kestrel itself refuses, before any code of ours: the details of its complaint quote the line.
        foreach (string raw in new[]
        {
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Canary}\u0001\r\n\r\n",
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n{Canary} no colon\r\n\r\n",
            $"{Canary} nonsense\r\n\r\n",
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Canary}\r\n\r\n",
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {Canary} {Canary}\r\n\r\n",
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nAuthorization: Bearer {LoggingServer.Key}\r\n\r\n{Canary}\r\n",
        })
        {
            Assert.StartsWith("HTTP/1.1 4", await RawAsync(raw, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        Assert.Contains("dbug: ", Server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, Server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(LoggingServer.Key, Server.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task ThirtyTwoClientsHalfOfThemAborting_TenRounds_LeaveNoBlockAndNoMemoryBehind()
    {
        List<double> memory = [];
        for (int round = 0; round < 10; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 32).Select(client => ClientAsync((round * 32) + client, TestContext.Current.CancellationToken)));
            while (await MetricAsync("tooln1_sequences_running") + await MetricAsync("tooln1_sequences_waiting") > 0)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            Assert.Equal(0, await MetricAsync("tooln1_kv_blocks_used"));
            memory.Add(Server.ResidentMegabytes());
        }

        // The first rounds fill pools and compile code; after them nothing may grow. The margin is what a collector leaves lying about.
        double settled = memory.Take(3).Max();
        Assert.True(memory[^1] <= settled + 64, "MB after each round: " + string.Join(' ', memory.Select(value => value.ToString("F0", CultureInfo.InvariantCulture))));
    }

    private static System.Text.Json.JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Half of the clients read to the end; the others go away before the answer, at its headers, or within it.</summary>
    private async Task ClientAsync(int number, CancellationToken testEnds)
    {
        bool stream = number % 3 != 0;
        string body = (number % 4) switch
        {
            0 => $$"""{"model":"{{TinyServer.Model}}","prompt":"client {{number}}","max_tokens":48,"ignore_eos":true,"n":2,"stream":{{(stream ? "true" : "false")}}}""",
            _ => $$"""{"model":"{{TinyServer.Model}}","messages":[{"role":"user","content":"client {{number}} says {{new string('x', number % 40)}}"}],"max_tokens":48,"ignore_eos":true,"stream":{{(stream ? "true" : "false")}}}""",
        };
        string route = number % 4 == 0 ? "/v1/completions" : "/v1/chat/completions";
        using CancellationTokenSource leave = CancellationTokenSource.CreateLinkedTokenSource(testEnds);
        using HttpRequestMessage request = Request(route, body, LoggingServer.Key);
        if (number % 2 == 0)
        {
            using HttpResponseMessage whole = await Server.Http.SendAsync(request, testEnds);
            string text = await whole.Content.ReadAsStringAsync(testEnds);
            Assert.True(whole.IsSuccessStatusCode, text);
            Assert.True(!stream || text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal), text);
            return;
        }

        try
        {
            if (number % 8 == 1)
            {
                leave.CancelAfter(number % 20);
            }

            using HttpResponseMessage response = await Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leave.Token);
            if (number % 8 != 3)
            {
                await using Stream content = await response.Content.ReadAsStreamAsync(leave.Token);
                await content.ReadAtLeastAsync(new byte[200], 200, throwOnEndOfStream: false, leave.Token);
            }
        }
        catch (OperationCanceledException) when (!testEnds.IsCancellationRequested)
        {
            // Gone before the answer came.
        }
    }

    private async Task TooLongWhileOthersAreServedAsync(string body, CancellationToken token)
    {
        Task<HttpResponseMessage> heavy = PostAsync("/v1/chat/completions", body, LoggingServer.Key, token);
        do
        {
            using HttpResponseMessage other = await PostAsync(
                "/v1/chat/completions", $$"""{"model":"{{TinyServer.Model}}","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""", LoggingServer.Key, token);
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }
        while (!heavy.IsCompleted);

        using HttpResponseMessage response = await heavy;
        string text = await response.Content.ReadAsStringAsync(token);
        Assert.Equal((HttpStatusCode.BadRequest, "context_length_exceeded"), (response.StatusCode, JsonNode.Parse(text)!["error"]!["code"]!.GetValue<string>()));
        Assert.InRange(text.Length, 1, 2000);
    }

    private async Task<HttpResponseMessage> PostAsync(string route, string body, string key, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(route, body, key);
        return await Server.Http.SendAsync(request, cancellationToken);
    }

    private static HttpRequestMessage Request(string route, string body, string key)
    {
        HttpRequestMessage request = new(HttpMethod.Post, route) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private Task<double> MetricAsync(string name) => Server.MetricAsync(name, LoggingServer.Key);

    private async Task<string> RawAsync(string request, CancellationToken cancellationToken)
    {
        using TcpClient client = new();
        await client.ConnectAsync(Server.Address.Host, Server.Address.Port, cancellationToken);
        await using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request), cancellationToken);
        byte[] answer = new byte[512];
        int read = await stream.ReadAsync(answer, cancellationToken);
        return Encoding.ASCII.GetString(answer, 0, read);
    }

    /// <summary>A server over random weights that logs everything down to Debug.</summary>
    public sealed class LoggingServer : IAsyncLifetime
    {
        public const string Key = "TheKeyOfThisServer";

        private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-hostile-").FullName;
        private ServerProcess? _server;

        internal ServerProcess Server => _server ?? throw new InvalidOperationException("Not started.");

        public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(
            TestSupport.TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model)),
            [("ToolN1__Auth__ApiKeys__0", Key), ("Logging__LogLevel__Default", "Debug"), ("Logging__LogLevel__Microsoft.AspNetCore", "Debug")]);

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }

            Directory.Delete(_folder, recursive: true);
        }
    }
}
