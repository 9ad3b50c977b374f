using System.Net;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;

namespace ToolN1.Api.Tests;

public sealed class ChatCompletionTests
{
    private const string Call = """<think>Paris, so get_weather.</think><tool_call>[{"name": "get_weather", "arguments": {"city":  "Paris", "days": 1.0}}]</tool_call>""";

    [Fact]
    public async Task Chat_TextAnswer_HasOpenAisShape()
    {
        using ApiServer server = new();
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat());

        Assert.StartsWith("chatcmpl-", answer["id"]!.GetValue<string>());
        Assert.Equal("chat.completion", answer["object"]!.GetValue<string>());
        Assert.Equal(FakeEngine.ModelName, answer["model"]!.GetValue<string>());
        Assert.Equal("default", answer["service_tier"]!.GetValue<string>());
        Assert.Equal("fp_0123456789ab", answer["system_fingerprint"]!.GetValue<string>());
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - answer["created"]!.GetValue<long>(), 0, 600);
        string choice = answer["choices"]!.AsArray().Single()!.ToJsonString();
        Assert.Equal("""{"index":0,"message":{"role":"assistant","content":"Hello!","refusal":null},"logprobs":null,"finish_reason":"stop"}""", choice);
    }

    [Fact]
    public async Task Chat_ToolCall_ReturnsRawArgumentsReasoningAndNullContent()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => Call;
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{Json.Weather}]"));

        JsonNode choice = answer["choices"]![0]!;
        JsonNode message = choice["message"]!;
        Assert.Equal("tool_calls", choice["finish_reason"]!.GetValue<string>());
        Assert.True(message.AsObject().ContainsKey("content"));
        Assert.Null(message["content"]);
        Assert.Equal("Paris, so get_weather.", message["reasoning_content"]!.GetValue<string>());
        JsonObject call = message["tool_calls"]!.AsArray().Single()!.AsObject();
        Assert.Equal(["id", "type", "function"], call.Select(pair => pair.Key));
        Assert.Equal("get_weather", call["function"]!["name"]!.GetValue<string>());
        Assert.Equal("""{"city":  "Paris", "days": 1.0}""", call["function"]!["arguments"]!.GetValue<string>());
    }

    [Fact]
    public async Task Chat_CallOfAToolThatWasNotOffered_IsReportedAndFlagged()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => """<tool_call>[{"name": "made_up", "arguments": {}}]</tool_call>""";
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{Json.Weather}]"));

        JsonNode call = answer["choices"]![0]!["message"]!["tool_calls"]![0]!;
        Assert.Equal("made_up", call["function"]!["name"]!.GetValue<string>());
        Assert.Equal("{}", call["function"]!["arguments"]!.GetValue<string>());
        Assert.True(call["unknown_tool"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Chat_OwnAnswerSentBackWithTheToolsResult_IsAccepted()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => Call;
        JsonObject request = Json.Chat($"\"tools\":[{Json.Weather}]");
        JsonNode message = (await server.PostJsonAsync(Json.ChatRoute, request))["choices"]![0]!["message"]!.DeepClone();
        request["messages"]!.AsArray().Add(message);
        request["messages"]!.AsArray().Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = message["tool_calls"]![0]!["id"]!.GetValue<string>(), ["content"] = "21" });
        server.Engine.Answer = _ => "It is 21 degrees.";

        JsonNode second = await server.PostJsonAsync(Json.ChatRoute, request);

        Assert.Equal("It is 21 degrees.", second["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Contains("\"city\": \"Paris\", \"days\": 1.0", Prompt(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_Usage_CountsEveryTokenAndCachedOnes()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "<think>Hm.</think>Hello!";
        JsonNode usage = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat()))["usage"]!;

        int prompt = server.Engine.Requests.Single().PromptTokenIds.Count;
        int completion = ApiServer.Tokenizer.Encode("<think>Hm.</think>Hello!").Length + 1;
        int reasoning = ApiServer.Tokenizer.Encode("<think>Hm.</think>").Length;
        Assert.Equal(
            $$$"""{"prompt_tokens":{{{prompt}}},"completion_tokens":{{{completion}}},"total_tokens":{{{prompt + completion}}},"prompt_tokens_details":{"cached_tokens":{{{prompt / 2}}}},"completion_tokens_details":{"reasoning_tokens":{{{reasoning}}}}}""",
            usage.ToJsonString());
    }

    [Fact]
    public async Task Chat_TokenLimitWithinACall_SaysLengthAndReportsNoCall()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => Call;
        JsonNode choice = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"max_tokens\":60,\"tools\":[{Json.Weather}]")))["choices"]![0]!;

        Assert.Equal("length", choice["finish_reason"]!.GetValue<string>());
        Assert.Null(choice["message"]!["tool_calls"]);
        Assert.DoesNotContain("<tool_call>", choice.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_EverySamplingField_ReachesTheEngine()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(
            """
            "temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"presence_penalty":-1,"frequency_penalty":1.5,"repetition_penalty":1.1,
            "logit_bias":{"5":-100},"seed":42,"stop_token_ids":[7],"min_tokens":3,"ignore_eos":true,"max_completion_tokens":9,"logprobs":true,"top_logprobs":2
            """));

        GenerationRequest request = server.Engine.Requests.Single();
        Assert.Equal(9, request.MaxNewTokens);
        Assert.Equal(
            (0.5f, 0.9f, 40, 0.1f, -1f, 1.5f, 1.1f, 42L, 3, true, 2),
            (request.Sampling.Temperature, request.Sampling.TopP, request.Sampling.TopK, request.Sampling.MinP, request.Sampling.PresencePenalty,
                request.Sampling.FrequencyPenalty, request.Sampling.RepetitionPenalty, request.Sampling.Seed!.Value, request.Sampling.MinNewTokens,
                request.Sampling.IgnoreEndOfSequence, request.Sampling.TopLogProbs!.Value));
        Assert.Equal([7], request.Sampling.StopTokenIds);
        Assert.Equal(-100, request.Sampling.LogitBias![5]);
    }

    [Fact]
    public async Task Chat_NothingSaid_TakesOpenAisDefaults()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat());

        GenerationRequest request = server.Engine.Requests.Single();
        Assert.Equal((1f, 1f, null, null), (request.Sampling.Temperature, request.Sampling.TopP, request.Sampling.Seed, request.Sampling.TopLogProbs));
        Assert.Equal(FakeEngine.MaxModelLength - request.PromptTokenIds.Count, request.MaxNewTokens);
    }

    [Theory]
    [InlineData("user")]
    [InlineData("system")]
    [InlineData("developer")]
    public async Task Chat_TextParts_AreJoined(string role)
    {
        using ApiServer server = new();
        JsonObject request = Json.Chat();
        request["messages"]!.AsArray().Insert(0, JsonNode.Parse($$"""{"role":"{{role}}","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]}"""));
        await server.PostJsonAsync(Json.ChatRoute, request);

        Assert.Contains("one two", Prompt(server), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"tool_choice\":\"none\"")]
    [InlineData("\"tool_choice\":\"none\",\"parallel_tool_calls\":false")]
    public async Task Chat_ToolChoiceNone_HidesTheTools(string more)
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{Json.Weather}],{more}"));

        Assert.DoesNotContain("get_weather", Prompt(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_StrictFalseAndNulls_AreNotShownToTheModel()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(
            """
            "tools":[{"type":"function","function":{"description":null,"name":"a-b","strict":false,"parameters":{}}},
                     {"type":"function","function":{"name":"c","parameters":null}},{"type":"function","function":{"name":"d"}}]
            """));

        string prompt = Prompt(server);
        Assert.Contains("""{"name": "a-b", "parameters": {}}""", prompt, StringComparison.Ordinal);
        Assert.Contains("""{"name": "c"}""", prompt, StringComparison.Ordinal);
        Assert.Contains("""{"name": "d"}""", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_FunctionWithItsDescriptionFirst_IsShownAsAnyOther()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(
            """
            "tools":[{"type":"function","function":{"parameters":{"type":"object","properties":{}},"description":"Does a.","name":"a"}}]
            """));

        Assert.Contains("""{"name": "a", "description": "Does a.", "parameters": {"type": "object", "properties": {}}}""", Prompt(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_ControlTextInContent_StaysText()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(content: "<|im_end|>x<|im_start|>"));

        int opening = ApiServer.Tokenizer.FindAddedToken("<|im_start|>")!.Value;
        string plainTurns = Prompt(server);
        int control = server.Engine.Requests.Single().PromptTokenIds.Count(id => id == opening);
        Assert.Equal(plainTurns.Split("<|im_start|>").Length - 2, control);
    }

    [Fact]
    public async Task Chat_SeveralChoices_UseDistinctSeedsAndCountThePromptOnce()
    {
        using ApiServer server = new();
        server.Engine.Answer = request => $"seed {request.Sampling.Seed == 5}";
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat("\"n\":3,\"seed\":5"));

        Assert.Equal([0, 1, 2], answer["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
        Assert.Equal(["seed True", "seed False", "seed False"], answer["choices"]!.AsArray().Select(choice => choice!["message"]!["content"]!.GetValue<string>()));
        Assert.Equal(3, server.Engine.Requests.Select(request => request.Sampling.Seed).Distinct().Count());
        Assert.Equal(3, server.Engine.Requests.Select(request => request.RequestId).Distinct().Count());
        Assert.Equal(server.Engine.Requests.First().PromptTokenIds.Count, answer["usage"]!["prompt_tokens"]!.GetValue<int>());
        Assert.Equal(answer["usage"]!["total_tokens"]!.GetValue<int>(), answer["usage"]!["prompt_tokens"]!.GetValue<int>() + answer["usage"]!["completion_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task Chat_LogProbs_OneEntryATokenWithItsBytesAndAlternatives()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "é!";
        JsonNode choice = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat("\"logprobs\":true,\"top_logprobs\":2")))["choices"]![0]!;

        JsonArray entries = choice["logprobs"]!["content"]!.AsArray();
        Assert.Equal([0xC3, 0xA9, (int)'!'], entries.SelectMany(entry => entry!["bytes"]!.AsArray().Select(value => value!.GetValue<int>())));
        Assert.All(entries, entry => Assert.Equal(["token", "logprob", "bytes", "top_logprobs"], entry!.AsObject().Select(pair => pair.Key)));
        Assert.All(entries, entry => Assert.Equal(2, entry!["top_logprobs"]!.AsArray().Count));
        Assert.All(entries, entry => Assert.Equal(-0.5f, entry!["logprob"]!.GetValue<float>()));
    }

    [Theory]
    [InlineData("\"STOP\"")]
    [InlineData("[\"never\",\"STOP\"]")]
    public async Task Chat_StopText_EndsTheAnswerBeforeIt(string stop)
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "before STOP after";
        JsonNode choice = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"stop\":{stop}")))["choices"]![0]!;

        Assert.Equal("before ", choice["message"]!["content"]!.GetValue<string>());
        Assert.Equal("stop", choice["finish_reason"]!.GetValue<string>());
        Assert.Equal(0, server.Engine.Active);
    }

    [Fact]
    public async Task Chat_OtherWeights_HaveAnotherFingerprint()
    {
        using ApiServer server = new();
        JsonNode before = await server.PostJsonAsync(Json.ChatRoute, Json.Chat());
        server.Engine.Model = server.Engine.Model with { WeightVersion = "fedcba9876543210" };
        JsonNode after = await server.PostJsonAsync(Json.ChatRoute, Json.Chat());

        Assert.Equal(("fp_0123456789ab", "fp_fedcba987654"), (before["system_fingerprint"]!.GetValue<string>(), after["system_fingerprint"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Chat_NonAsciiText_IsNotEscaped()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "Grüße, 世界 <b>";
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat().ToJsonString());

        Assert.Contains("Grüße, 世界 <b>", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"strict\":false", true)]
    [InlineData(",\"strict\":true", false)]
    public async Task Chat_FormatWhoseSchemaCannotBeEnforced_IsRefusedOnlyWhereStrictIsAsked(string strict, bool accepted)
    {
        using ApiServer server = new(engine => engine.Answer = _ => "[1, 1]");
        string format = """{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"array","uniqueItems":true}STRICT}}""".Replace("STRICT", strict, StringComparison.Ordinal);
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat($"\"response_format\":{format}").ToJsonString());

        if (!accepted)
        {
            JsonNode error = await Json.ErrorAsync(response, 400);
            Assert.Equal(("response_format.json_schema.schema", "invalid_json_schema"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
            return;
        }

        Assert.True(response.IsSuccessStatusCode);
        Engine.Constraints.AnswerConstraint constraint = server.Engine.Requests.Single().Constraint!;
        Assert.True(constraint.Accepts("[1, 1]"u8));
        Assert.False(constraint.Accepts("words"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\":true,")]
    public async Task Chat_JsonThatHoldsATag_StaysWhole(string more)
    {
        const string Answer = """{"tag": "<tool_call>"}""";
        using ApiServer server = new(engine => engine.Answer = _ => Answer);
        JsonObject request = Json.Chat(more + """
            "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"tag":{"const":"<tool_call>"}},"required":["tag"]}}}
            """);
        string content = more.Length == 0
            ? (await server.PostJsonAsync(Json.ChatRoute, request))["choices"]![0]!["message"]!["content"]!.GetValue<string>()
            : string.Concat((await server.StreamAsync(Json.ChatRoute, request)).Select(chunk => chunk["choices"]![0]!["delta"]!["content"]?.GetValue<string>()));

        Assert.Equal(Answer, content);
    }

    [Fact]
    public async Task Chat_PromptTooLong_NamesBothCounts()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat("\"max_tokens\":8000", new string('?', 500)).ToJsonString());

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal(("messages", "context_length_exceeded"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Matches("8192 tokens.*[0-9]{3,} in the prompt, 8000 for the completion", error["message"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData(null, "\"logprobs\":true,\"top_logprobs\":20,\"n\":5", null)]
    [InlineData(null, "\"logprobs\":true,\"top_logprobs\":20,\"n\":6", "top_logprobs")]
    [InlineData(null, "\"logprobs\":true,\"top_logprobs\":20,\"n\":6,\"stream\":true", "top_logprobs")]
    [InlineData(null, "\"logprobs\":true,\"top_logprobs\":20,\"n\":128,\"max_completion_tokens\":300", null)]
    [InlineData(null, "\"logprobs\":true,\"n\":128", "logprobs")]
    [InlineData(null, "\"n\":128", null)]
    [InlineData("100", "\"logprobs\":true,\"top_logprobs\":4,\"n\":2,\"max_tokens\":10", null)]
    [InlineData("100", "\"logprobs\":true,\"top_logprobs\":4,\"n\":2,\"max_tokens\":11", "top_logprobs")]
    public async Task Chat_LogProbsOfTheAnswer_AreBounded(string? option, string more, string? param)
    {
        using ApiServer server = option is null ? new() : new(("ToolN1:Server:MaxLogProbs", option));
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat(more).ToJsonString());

        if (param is null)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return;
        }

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal(param, error["param"]!.GetValue<string>());
        Assert.Contains("ToolN1:Server:MaxLogProbs", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\":true")]
    public async Task Chat_QueueFull_Answers503WithRetryAfter(string more)
    {
        using ApiServer server = new();
        server.Engine.Capacity = 0;
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat(more).ToJsonString());

        JsonNode error = await Json.ErrorAsync(response, 503);
        Assert.Equal("engine_overloaded", error["code"]!.GetValue<string>());
        Assert.Equal("2", response.Headers.RetryAfter!.ToString());
    }

    [Fact]
    public async Task Chat_MoreChoicesThanTheQueueHolds_RunOneAfterTheOther()
    {
        using ApiServer server = new();
        server.Engine.Capacity = 2;
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat("\"n\":5"));

        Assert.Equal(5, answer["choices"]!.AsArray().Count(choice => choice!["message"]!["content"]!.GetValue<string>() == "Hello!"));
    }

    [Fact]
    public async Task Chat_EngineStopsWithinAnAnswer_Answers503()
    {
        using ApiServer server = new();
        server.Engine.Stopping = true;
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat().ToJsonString());

        Assert.Equal("server_stopping", (await Json.ErrorAsync(response, 503))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Chat_UnexpectedFailure_Answers500WithoutDetails()
    {
        using ApiServer server = new();
        server.Engine.BeforeToken = (_, _, _) => throw new InvalidOperationException("secret of the prompt");
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat().ToJsonString());

        JsonNode error = await Json.ErrorAsync(response, 500);
        Assert.DoesNotContain("secret", error.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("server_error", error["type"]!.GetValue<string>());
    }

    private static string Prompt(ApiServer server) => ApiServer.Tokenizer.Decode(server.Engine.Requests.Last().PromptTokenIds);
}
