using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class ChatStreamingTests
{
    private const string ResponseRoute = "/v1/responses";

    private const string TwoCalls =
        """<think>Two cities.</think><tool_call>[{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "made_up", "arguments": {}}]</tool_call>""";

    [Fact]
    public async Task Stream_Chunks_CarryRoleFirstConstantIdsAndFinishLast()
    {
        using ApiServer server = new();
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat());

        Assert.Equal("""{"role":"assistant"}""", chunks[0]["choices"]![0]!["delta"]!.ToJsonString());
        Assert.Single(chunks.Select(chunk => (chunk["id"]!.GetValue<string>(), chunk["created"]!.GetValue<long>(), chunk["model"]!.GetValue<string>(), chunk["system_fingerprint"]!.GetValue<string>())).Distinct());
        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", chunk["object"]!.GetValue<string>()));
        Assert.All(chunks, chunk => Assert.False(chunk.AsObject().ContainsKey("usage")));
        Assert.All(chunks.SkipLast(1), chunk => Assert.Null(chunk["choices"]![0]!["finish_reason"]));
        Assert.Equal("stop", chunks[^1]["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.True(chunks.Count(chunk => chunk["choices"]![0]!["delta"]!["content"] is not null) > 1);
    }

    [Fact]
    public async Task Stream_ToolCalls_BeginWithIndexIdAndNameThenArgumentPieces()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => TwoCalls;
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{Json.Weather}]"));

        JsonNode[] pieces = [.. chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["tool_calls"]?.AsArray().Single()!).Where(piece => piece is not null)];
        HashSet<int> begun = [];
        foreach (JsonNode piece in pieces)
        {
            if (begun.Add(piece["index"]!.GetValue<int>()))
            {
                Assert.Equal("function", piece["type"]!.GetValue<string>());
                Assert.NotEmpty(piece["id"]!.GetValue<string>());
                Assert.NotEmpty(piece["function"]!["name"]!.GetValue<string>());
            }
            else
            {
                Assert.Equal(["index", "function"], piece.AsObject().Select(pair => pair.Key));
                Assert.Equal(["arguments"], piece["function"]!.AsObject().Select(pair => pair.Key));
            }
        }

        Assert.Equal([0, 1], begun.Order());
        Assert.Equal("tool_calls", chunks[^1]["choices"]![0]!["finish_reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Stream_LongArguments_ComeInPiecesThatMakeTheModelsText()
    {
        string arguments = $$"""{"text":  "{{string.Concat(Enumerable.Repeat("Grüße, \\n 世界 😀 ", 60))}}", "n": 1.50}""";
        using ApiServer server = new(engine => engine.Answer = _ => $$"""<tool_call>[{"name": "get_weather", "arguments": {{arguments}}}]</tool_call>""");
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{Json.Weather}]"));

        JsonNode[] calls = [.. chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["tool_calls"]?.AsArray().Single()!).Where(call => call is not null)];
        string[] pieces = [.. calls.Skip(1).Select(call => call["function"]!["arguments"]!.GetValue<string>())];
        Assert.Equal("", calls[0]["function"]!["arguments"]!.GetValue<string>());
        Assert.True(pieces.Length > 3);
        Assert.All(pieces, piece => Assert.InRange(piece.Length, 1, 256));
        Assert.Equal(arguments, string.Concat(pieces));
    }

    [Theory]
    [InlineData("Hello, world!")]
    [InlineData("")]
    [InlineData("<think>only thinking")]
    [InlineData("<think>a</think>")]
    [InlineData("<think>why</think>The answer is 世界 é.")]
    [InlineData("<tool_call>[]</tool_call>")]
    [InlineData("text <tool_call>{broken</tool_call> more")]
    [InlineData(TwoCalls)]
    public async Task Stream_Folded_EqualsTheWholeAnswer(string text)
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => text;
        string more = $"\"logprobs\":true,\"top_logprobs\":1,\"tools\":[{Json.Weather}]";
        JsonNode whole = await server.PostJsonAsync(Json.ChatRoute, Json.Chat(more));
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat(more + ",\"stream_options\":{\"include_usage\":true}"));

        JsonNode expected = WithoutIds(whole["choices"]![0]!);
        Assert.Equal(expected.ToJsonString(), WithoutIds(Fold(chunks)).ToJsonString());
        Assert.Equal(whole["usage"]!.ToJsonString(), chunks[^1]["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task Stream_IncludeUsage_EveryChunkHasTheFieldAndTheLastHasNoChoices()
    {
        using ApiServer server = new();
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat("\"stream_options\":{\"include_usage\":true}"));

        Assert.All(chunks, chunk => Assert.True(chunk.AsObject().ContainsKey("usage")));
        Assert.All(chunks.SkipLast(1), chunk => Assert.Null(chunk["usage"]));
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.True(chunks[^1]["usage"]!["total_tokens"]!.GetValue<int>() > 0);
    }

    [Fact]
    public async Task Stream_SeveralChoices_EachHasItsRoleItsTextAndItsEnd()
    {
        using ApiServer server = new();
        server.Engine.Answer = request => request.RequestId[^1..] + " says hello";
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat("\"n\":3"));

        for (int choice = 0; choice < 3; choice++)
        {
            JsonNode folded = Fold([.. chunks.Where(chunk => chunk["choices"]![0]!["index"]!.GetValue<int>() == choice)]);
            Assert.Equal($"{choice} says hello", folded["message"]!["content"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Stream_TextWithLineBreaksOfAnyKind_IsOneLineAnEvent()
    {
        // Clients split lines at more than the standard's two characters.
        const string Breaks = "\r\n\u000b\u000c\u001c\u001d\u001e\u0085\u2028\u2029";
        using ApiServer server = new();
        server.Engine.Answer = _ => $"a{Breaks}b";
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat("\"stream\":true").ToJsonString());
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain(text.Replace("\n\n", "", StringComparison.Ordinal), character => Breaks.Contains(character, StringComparison.Ordinal));
        Assert.Equal($"a{Breaks}b", string.Concat(ApiServer.Events(text).Select(chunk => chunk["choices"]![0]!["delta"]!["content"]?.GetValue<string>())));
    }

    [Fact]
    public async Task Stream_Headers_ForbidBuffering()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat("\"stream\":true").ToJsonString());

        Assert.Equal("no-cache", response.Headers.CacheControl!.ToString());
        Assert.Equal("no", response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.True(response.Headers.Contains("x-request-id"));
    }

    [Theory]
    [InlineData(Json.ChatRoute)]
    [InlineData(Json.CompletionRoute)]
    public async Task Stream_FailureAfterTheStart_IsAnErrorEventWithoutDone(string route)
    {
        using ApiServer server = new();
        server.Engine.BeforeToken = (_, token, _) => token == 2 ? throw new InvalidOperationException("secret") : Task.CompletedTask;
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(route, Body(route));

        Assert.Equal("server_error", chunks[^1]["error"]!["type"]!.GetValue<string>());
        Assert.DoesNotContain("secret", chunks[^1].ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(0, server.Engine.Active);
    }

    [Theory]
    [InlineData(Json.ChatRoute, "\"stream\":true")]
    [InlineData(Json.ChatRoute, "\"stream\":true,\"n\":3")]
    [InlineData(Json.ChatRoute, "\"stream\":false")]
    [InlineData(Json.CompletionRoute, "\"stream\":true,\"n\":3")]
    [InlineData(Json.CompletionRoute, "\"stream\":false")]
    [InlineData(ResponseRoute, "\"stream\":true")]
    [InlineData(ResponseRoute, "\"stream\":false")]
    public async Task Client_GoesAway_EndsItsSequences(string route, string more)
    {
        using ApiServer server = new();
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Engine.BeforeToken = (_, token, cancellation) =>
        {
            if (token < 2)
            {
                return Task.CompletedTask;
            }

            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellation);
        };
        using CancellationTokenSource client = new();
        using HttpRequestMessage request = new(HttpMethod.Post, route) { Content = new StringContent(Body(route, more).ToJsonString(), Encoding.UTF8, "application/json") };
        Task<HttpResponseMessage> answer = server.Client.SendAsync(request, HttpCompletionOption.ResponseContentRead, client.Token);
        await reached.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.True(server.Engine.Active > 0);

        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await WaitUntilAsync(() => server.Engine.Active == 0);
    }

    /// <summary>The least request of a route that generates, with further fields.</summary>
    private static JsonObject Body(string route, string? more = null) => route switch
    {
        Json.ChatRoute => Json.Chat(more ?? ""),
        ResponseRoute => Json.Completion("\"input\":\"Hi\"" + (more is null ? "" : "," + more)),
        _ => Json.Completion("\"prompt\":\"Hi\"" + (more is null ? "" : "," + more)),
    };

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static JsonNode WithoutIds(JsonNode choice)
    {
        JsonNode copy = choice.DeepClone();
        foreach (JsonNode? call in copy["message"]!["tool_calls"]?.AsArray() ?? [])
        {
            Assert.NotEmpty(call!["id"]!.GetValue<string>());
            call["id"] = "id";
        }

        return copy;
    }

    /// <summary>What a client makes of the chunks of one choice.</summary>
    private static JsonObject Fold(IReadOnlyList<JsonNode> chunks)
    {
        string? content = null;
        string? reasoning = null;
        string? finish = null;
        JsonArray logProbs = [];
        JsonArray calls = [];
        JsonNode[] choices = [.. chunks.Select(chunk => chunk["choices"]!.AsArray().SingleOrDefault()!).Where(choice => choice is not null)];
        foreach (JsonNode choice in choices)
        {
            JsonNode delta = choice["delta"]!;
            content = delta["content"] is JsonNode text ? content + text.GetValue<string>() : content;
            reasoning = delta["reasoning_content"] is JsonNode thought ? reasoning + thought.GetValue<string>() : reasoning;
            finish = choice["finish_reason"]?.GetValue<string>() ?? finish;
            foreach (JsonNode? entry in choice["logprobs"]?["content"]?.AsArray() ?? [])
            {
                logProbs.Add(entry!.DeepClone());
            }

            foreach (JsonNode? piece in delta["tool_calls"]?.AsArray() ?? [])
            {
                int index = piece!["index"]!.GetValue<int>();
                if (index == calls.Count)
                {
                    JsonObject call = piece.DeepClone().AsObject();
                    call.Remove("index");
                    calls.Add(call);
                }
                else
                {
                    JsonNode function = calls[index]!["function"]!;
                    function["arguments"] = function["arguments"]!.GetValue<string>() + piece["function"]!["arguments"]!.GetValue<string>();
                }
            }
        }

        Assert.Equal("assistant", choices[0]["delta"]!["role"]!.GetValue<string>());
        JsonObject message = new() { ["role"] = "assistant", ["content"] = content, ["refusal"] = null };
        if (reasoning is not null)
        {
            message["reasoning_content"] = reasoning;
        }

        if (calls.Count > 0)
        {
            message["tool_calls"] = calls;
        }

        return new JsonObject
        {
            ["index"] = choices[0]["index"]!.GetValue<int>(),
            ["message"] = message,
            ["logprobs"] = new JsonObject { ["content"] = logProbs, ["refusal"] = null },
            ["finish_reason"] = finish,
        };
    }
}
