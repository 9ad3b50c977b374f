using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using ToolN1.Api.Tests.Support;
using ToolN1.TestSupport;

namespace ToolN1.Api.Tests.Captures;

/// <summary>What is kept of requests and answers, and what never disturbs them.</summary>
public sealed class CaptureTests
{
    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Answer_WholeOrStreamed_ByEitherApi_IsKeptAlike(string provider)
    {
        using CaptureServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string whole = await server.SendAsync(CaptureServer.Request());
        await server.SendAsync(CaptureServer.Request("\"stream\":true"));
        JsonObject response = Json.Object($$"""{"model":"{{FakeEngine.ModelName}}","input":"Weather in Paris?","tools":[{{JsonNode.Parse(CaptureServer.Weather)!["function"]!.ToJsonString().Insert(1, "\"type\":\"function\",")}}]}""");
        await server.SendAsync(response, "/v1/responses");
        response["stream"] = true;
        await server.SendAsync(response, "/v1/responses");
        JsonNode[] captures = await server.CapturesAsync(4);

        Assert.Equal(["chat", "chat", "response", "response"], captures.Select(capture => CaptureServer.Text(capture, "endpoint")));
        Assert.Equal(JsonNode.Parse(whole)!["id"]!.GetValue<string>(), CaptureServer.Text(captures[0], "answer_id"));
        string tenant = "key-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(CaptureServer.ApiKey)))[..8];
        Assert.All(captures, capture =>
        {
            Assert.Equal(("pending", "tool_calls", tenant, FakeEngine.ModelName, "0123456789abcdef"), (
                CaptureServer.Text(capture, "status"), CaptureServer.Text(capture, "finish_reason"), CaptureServer.Text(capture, "tenant"), CaptureServer.Text(capture, "model"), CaptureServer.Text(capture, "weight_version")));
            Assert.Equal("""[{"role":"user","content":"Weather in Paris?"}]""", capture["messages"]!.ToJsonString());
            Assert.Equal("get_weather", capture["tools"]!.AsArray().Single()!["name"]!.GetValue<string>());
            Assert.Equal("""[{"name":"get_weather","arguments":{"city":"Paris","days":2}}]""", capture["calls"]!.ToJsonString());
            Assert.Equal(("Paris it is.", "Weather in Paris?", """["get_weather"]"""), (CaptureServer.Text(capture, "reasoning"), CaptureServer.Text(capture, "request"), capture["called_tools"]!.ToJsonString()));
            Assert.Null(capture["content"]);
            Assert.Null(capture["reviewed_at"]);
        });
        Assert.Equal(4, server.Kept);
        Assert.Contains("tooln1_captures_kept_total", await server.Training.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conversation_WithEarlierCalls_IsKeptWhole()
    {
        using CaptureServer server = new("<think>Done.</think>It rains.");
        JsonNode capture = await server.OneAsync(Json.Object($$$"""
            {"model":"{{{FakeEngine.ModelName}}}","n":2,"tools":[{{{CaptureServer.Weather}}}],"tool_choice":"none","messages":[
              {"role":"system","content":"Be brief."},{"role":"user","name":"Ann","content":"Weather?"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Oslo\"}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"rain\u0000"}]}
            """), 2);

        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"user","name":"Ann","content":"Weather?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\u0022city\u0022: \u0022Oslo\u0022}"}}]},{"role":"tool","content":"rain\u0000","tool_call_id":"c1"}]""",
            capture["messages"]!.ToJsonString());
        // The tools were hidden from the model: they are no part of what it was asked.
        Assert.Equal(("stop", "It rains.", "[]", "[]"), (CaptureServer.Text(capture, "finish_reason"), CaptureServer.Text(capture, "content"), capture["tools"]!.ToJsonString(), capture["calls"]!.ToJsonString()));
    }

    [Fact]
    public async Task OffOrStoreFalse_KeepsNothing()
    {
        using CaptureServer off = new(isOn: false);
        await off.SendAsync(CaptureServer.Request());
        using CaptureServer on = new();
        await on.SendAsync(CaptureServer.Request("\"store\":false"));
        await on.SendAsync(CaptureServer.Request(content: "kept"));

        Assert.Equal("kept", CaptureServer.Text((await on.CapturesAsync(1))[0], "request"));
        Assert.Empty((await off.GetAsync(CaptureServer.Route))["data"]!.AsArray());
    }

    [Fact]
    public async Task CallerGone_IsKeptAsCancelled_AndCannotBeConfirmed()
    {
        using CaptureServer server = new("It rains in Paris.");
        TaskCompletionSource reached = new();
        server.Engine.BeforeToken = async (_, token, cancellation) =>
        {
            if (token == 3)
            {
                reached.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellation);
            }
        };
        using (CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken))
        {
            using HttpRequestMessage message = new(HttpMethod.Post, Json.ChatRoute) { Content = new StringContent(CaptureServer.Request("\"stream\":true").ToJsonString(), Encoding.UTF8, "application/json") };
            Task<HttpResponseMessage> answer = server.Training.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            using HttpResponseMessage response = await answer;
            await reached.Task.WaitAsync(TestContext.Current.CancellationToken);
            await leaving.CancelAsync();
        }

        JsonNode capture = (await server.CapturesAsync(1))[0];
        Assert.Equal("cancelled", CaptureServer.Text(capture, "finish_reason"));
        JsonNode error = await server.RefusedAsync(409, $"{CaptureServer.Route}/{CaptureServer.Id(capture)}/confirm");
        Assert.Equal("capture_unfinished", CaptureServer.Text(error, "code"));
        JsonNode corrected = await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(capture)}/correct", """{"calls":[{"name":"get_weather","arguments":{"city":"Paris"}}]}""");
        Assert.Equal("corrected", CaptureServer.Text(corrected, "status"));
    }

    [Fact]
    public async Task FailedAnswer_IsKeptAsFailed()
    {
        using CaptureServer server = new();
        server.Engine.BeforeToken = (_, token, _) => token == 2 ? throw new InvalidOperationException("broken") : Task.CompletedTask;
        using HttpResponseMessage response = await server.Training.PostAsync(Json.ChatRoute, CaptureServer.Request().ToJsonString());
        await Json.ErrorAsync(response, 500);

        Assert.Equal("failed", CaptureServer.Text((await server.CapturesAsync(1))[0], "finish_reason"));
    }

    [Fact]
    public async Task FullQueue_DropsAndCounts_AndRequestsAreAnswered()
    {
        using CaptureServer server = new(settings: ("ToolN1:Captures:QueueLength", "2"));
        int sent = 0;
        await using (SqliteConnection connection = await ServerDatabase.OpenAsync(server.DataDirectory))
        {
            // Nothing can be written while this transaction is open.
            await using SqliteTransaction held = connection.BeginTransaction(deferred: false);
            do
            {
                await server.SendAsync(CaptureServer.Request());
                Assert.True(++sent < 300);
            }
            while (server.Dropped("queue_full") == 0 || server.Queued < 2);
        }

        long dropped = server.Dropped("queue_full");
        Assert.InRange(dropped, 1, sent - 1);
        Assert.Equal(sent - dropped, (await server.CapturesAsync(sent - (int)dropped)).Length);
    }

    [Fact]
    public async Task FailingStore_DropsAndCounts_AndRequestsAreAnswered()
    {
        using CaptureServer server = new();
        await server.OneAsync();
        await ServerDatabase.ExecuteAsync(server.DataDirectory, "ALTER TABLE captures RENAME TO elsewhere");
        await server.SendAsync(CaptureServer.Request(content: "PRIVATE"));
        await server.SendAsync(CaptureServer.Request("\"stream\":true", "PRIVATE"));
        for (int i = 0; server.Dropped("failed") < 2; i++)
        {
            Assert.True(i < 3000);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await ServerDatabase.ExecuteAsync(server.DataDirectory, "ALTER TABLE elsewhere RENAME TO captures");
        await server.SendAsync(CaptureServer.Request());
        await server.CapturesAsync(2);
        Assert.Contains(server.Training.Log.Lines, line => line.Text.Contains("could not be kept", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Training.Log.Lines, line => line.Text.Contains("PRIVATE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TooLarge_IsDroppedAndCounted()
    {
        using CaptureServer server = new(settings: ("ToolN1:Captures:MaxCharacters", "1000"));
        await server.SendAsync(CaptureServer.Request(content: new string('x', 1000)));
        await server.SendAsync(CaptureServer.Request());

        Assert.Equal("Weather in Paris?", CaptureServer.Text((await server.CapturesAsync(1))[0], "request"));
        Assert.Equal(1, server.Dropped("too_large"));
    }

    [Fact]
    public async Task StoppedServer_WritesWhatIsQueued()
    {
        using TemporaryFolder data = new("captures");
        using (CaptureServer server = new(dataDirectory: data.Path))
        {
            for (int i = 0; i < 20; i++)
            {
                await server.SendAsync(CaptureServer.Request());
            }
        }

        using CaptureServer next = new(dataDirectory: data.Path, isOn: false);
        Assert.Equal(20, (await next.GetAsync(CaptureServer.Route + "?limit=100"))["data"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Bounds_OldestGoFirst_ReviewedOnesLast(string provider)
    {
        using CaptureServer server = new(settings: [("ToolN1:Captures:MaxRows", "3"), .. await TestDatabase.CreateAsync(provider)]);
        foreach (string content in new[] { "one", "two", "three" })
        {
            await server.SendAsync(CaptureServer.Request(content: content));
        }

        JsonNode[] first = await server.CapturesAsync(3);
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(first[0])}/confirm");
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(first[2])}/reject");
        await server.SendAsync(CaptureServer.Request(content: "four"));
        await server.SendAsync(CaptureServer.Request(content: "five"));
        string[] left = [];
        for (int i = 0; left.FirstOrDefault() != "five"; i++)
        {
            left = [.. (await server.GetAsync(CaptureServer.Route))["data"]!.AsArray().Select(capture => CaptureServer.Text(capture!, "request"))];
            Assert.True(i < 3000);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Equal(["five", "four", "one"], left);
    }

    [Fact]
    public async Task Bounds_Age_TakesReviewedOnesToo_EvenWhenNothingMoreIsKept()
    {
        using TemporaryFolder data = new("captures");
        using (CaptureServer server = new(dataDirectory: data.Path))
        {
            await server.SendAsync(CaptureServer.Request(content: "old"));
            JsonNode old = (await server.CapturesAsync(1))[0];
            await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(old)}/confirm");
            await ServerDatabase.ExecuteAsync(server.DataDirectory, "UPDATE captures SET CreatedAt = CreatedAt - 31 * 86400");
            await server.SendAsync(CaptureServer.Request(content: "new"));
            for (int i = 0; (await server.GetAsync(CaptureServer.Route))["data"]!.AsArray() is not [JsonNode only] || CaptureServer.Text(only, "request") != "new"; i++)
            {
                Assert.True(i < 3000);
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }

            await ServerDatabase.ExecuteAsync(server.DataDirectory, "UPDATE captures SET CreatedAt = CreatedAt - 31 * 86400");
        }

        using CaptureServer off = new(dataDirectory: data.Path, isOn: false);
        Assert.Empty(await off.CapturesAsync(0));
    }
}
