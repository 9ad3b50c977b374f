using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;

namespace ToolN1.Api.Tests;

public sealed class CompletionTests
{
    private static readonly string[] ParallelArrays = ["tokens", "token_logprobs", "top_logprobs", "text_offset"];

    [Fact]
    public async Task Completion_Text_HasOpenAisShapeAndDefaults()
    {
        using ApiServer server = new();
        JsonNode answer = await server.PostJsonAsync(Json.CompletionRoute, Json.Completion("\"prompt\":\"Say it\""));

        Assert.Equal("text_completion", answer["object"]!.GetValue<string>());
        Assert.StartsWith("cmpl-", answer["id"]!.GetValue<string>());
        Assert.Equal("""{"index":0,"text":"Hello!","logprobs":null,"finish_reason":"stop"}""", answer["choices"]![0]!.ToJsonString());
        int prompt = ApiServer.Tokenizer.Encode("Say it").Length;
        int completion = ApiServer.Tokenizer.Encode("Hello!").Length + 1;
        Assert.Equal(
            $$$"""{"prompt_tokens":{{{prompt}}},"completion_tokens":{{{completion}}},"total_tokens":{{{prompt + completion}}},"prompt_tokens_details":{"cached_tokens":{{{prompt / 2}}}}}""",
            answer["usage"]!.ToJsonString());
        Assert.Equal(16, server.Engine.Requests.Single().MaxNewTokens);
    }

    [Fact]
    public async Task Completion_ControlTextInARawPrompt_IsRecognised()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.CompletionRoute, Json.Completion("\"prompt\":\"<|im_start|>user\""));

        Assert.Equal(ApiServer.Tokenizer.FindAddedToken("<|im_start|>"), server.Engine.Requests.Single().PromptTokenIds[0]);
    }

    [Theory]
    [InlineData("[40,41,42]", 1)]
    [InlineData("[[40,41],[42]]", 2)]
    [InlineData("[\"a\",\"b\",\"c\"]", 3)]
    public async Task Completion_PromptForms_EachGetsItsChoicesInOrder(string prompt, int prompts)
    {
        using ApiServer server = new();
        server.Engine.Answer = request => ApiServer.Tokenizer.Decode(request.PromptTokenIds) + "!";
        JsonNode answer = await server.PostJsonAsync(Json.CompletionRoute, Json.Completion($"\"prompt\":{prompt},\"n\":2"));

        JsonArray choices = answer["choices"]!.AsArray();
        Assert.Equal(Enumerable.Range(0, prompts * 2), choices.Select(choice => choice!["index"]!.GetValue<int>()));
        Assert.Equal(choices[0]!["text"]!.GetValue<string>(), choices[1]!["text"]!.GetValue<string>());
        Assert.Equal(prompts, choices.Select(choice => choice!["text"]!.GetValue<string>()).Distinct().Count());
        int promptTokens = server.Engine.Requests.DistinctBy(request => string.Join(',', request.PromptTokenIds)).Sum(request => request.PromptTokenIds.Count);
        Assert.Equal(promptTokens, answer["usage"]!["prompt_tokens"]!.GetValue<int>());
        int cached = server.Engine.Requests.DistinctBy(request => string.Join(',', request.PromptTokenIds)).Sum(request => request.PromptTokenIds.Count / 2);
        Assert.Equal(cached, answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        int generated = choices.Sum(choice => ApiServer.Tokenizer.Encode(choice!["text"]!.GetValue<string>()).Length + 1);
        Assert.Equal((generated, promptTokens + generated), (answer["usage"]!["completion_tokens"]!.GetValue<int>(), answer["usage"]!["total_tokens"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Completion_EchoWithLogProbs_AlignsTokensOffsetsAndText()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "on it";
        JsonNode choice = (await server.PostJsonAsync(Json.CompletionRoute, Json.Completion("\"prompt\":\"The é cat\",\"echo\":true,\"logprobs\":2")))["choices"]![0]!;

        Assert.Equal("The é caton it", choice["text"]!.GetValue<string>());
        JsonNode logProbs = choice["logprobs"]!;
        int prompt = ApiServer.Tokenizer.Encode("The é cat").Length;
        int total = prompt + ApiServer.Tokenizer.Encode("on it").Length + 1;
        Assert.All(ParallelArrays, name => Assert.Equal(total, logProbs[name]!.AsArray().Count));
        Assert.Null(logProbs["token_logprobs"]![0]);
        Assert.Null(logProbs["top_logprobs"]![0]);
        Assert.Contains("bytes:\\xc3", logProbs["tokens"]!.AsArray().Select(token => token!.GetValue<string>()));
        for (int i = 1; i < total; i++)
        {
            // The sampled token itself is always among the alternatives.
            Assert.True(logProbs["top_logprobs"]![i]!.AsObject().ContainsKey(logProbs["tokens"]![i]!.GetValue<string>()));
        }

        int[] offsets = [.. logProbs["text_offset"]!.AsArray().Select(offset => offset!.GetValue<int>())];
        Assert.Equal(offsets.Order(), offsets);
        Assert.Equal("The é cat".Length, offsets[prompt]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\":true,")]
    public async Task Completion_ZeroTokensWithEcho_OnlyScoresThePrompt(string more)
    {
        using ApiServer server = new();
        JsonObject request = Json.Completion($"{more}\"prompt\":[40,41,42],\"max_tokens\":0,\"echo\":true,\"logprobs\":1");
        JsonNode choice = more.Length == 0
            ? (await server.PostJsonAsync(Json.CompletionRoute, request))["choices"]![0]!
            : (await server.StreamAsync(Json.CompletionRoute, request))[0]["choices"]![0]!;

        Assert.Equal(ApiServer.Tokenizer.Decode([40, 41, 42]), choice["text"]!.GetValue<string>());
        Assert.Equal(3, choice["logprobs"]!["tokens"]!.AsArray().Count);
        Assert.Equal("length", choice["finish_reason"]!.GetValue<string>());
        GenerationRequest sent = server.Engine.Requests.Single();
        Assert.Equal((0, 1), (sent.MaxNewTokens, sent.PromptLogProbs));
    }

    [Fact]
    public async Task Completion_StopTextAcrossTokens_EndsTheTextAndTheSequence()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "one two\n\nthree";
        JsonNode choice = (await server.PostJsonAsync(Json.CompletionRoute, Json.Completion("\"prompt\":\"x\",\"max_tokens\":50,\"stop\":\"o\\n\\nt\"")))["choices"]![0]!;

        Assert.Equal("one tw", choice["text"]!.GetValue<string>());
        Assert.Equal("stop", choice["finish_reason"]!.GetValue<string>());
        Assert.Equal(0, server.Engine.Active);
    }

    [Fact]
    public async Task Completion_Streamed_EqualsTheWhole()
    {
        using ApiServer server = new();
        server.Engine.Answer = _ => "Grüße, 世界!";
        string more = "\"prompt\":[\"a\",\"b\"],\"echo\":true,\"logprobs\":1,\"max_tokens\":50";
        JsonNode whole = await server.PostJsonAsync(Json.CompletionRoute, Json.Completion(more));
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.CompletionRoute, Json.Completion(more + ",\"stream_options\":{\"include_usage\":true}"));

        Assert.Equal(whole["usage"]!.ToJsonString(), chunks[^1]["usage"]!.ToJsonString());
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.All(chunks.SkipLast(1), chunk => Assert.True(chunk.AsObject().TryGetPropertyValue("usage", out JsonNode? usage) && usage is null));
        Assert.All(chunks, chunk => Assert.Equal("text_completion", chunk["object"]!.GetValue<string>()));
        Assert.Single(chunks.Select(chunk => (chunk["id"]!.GetValue<string>(), chunk["created"]!.GetValue<long>(), chunk["model"]!.GetValue<string>(), chunk["system_fingerprint"]!.GetValue<string>())).Distinct());
        for (int index = 0; index < 2; index++)
        {
            JsonNode[] pieces = [.. chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Where(choice => choice!["index"]!.GetValue<int>() == index)!];
            JsonNode expected = whole["choices"]![index]!;
            Assert.Equal(expected["text"]!.GetValue<string>(), string.Concat(pieces.Select(piece => piece["text"]!.GetValue<string>())));
            Assert.Equal(
                expected["logprobs"]!["text_offset"]!.ToJsonString(),
                new JsonArray([.. pieces.SelectMany(piece => piece["logprobs"]!["text_offset"]!.AsArray()).Select(offset => offset!.DeepClone())]).ToJsonString());
            Assert.Equal("stop", pieces[^1]["finish_reason"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Completion_PromptTooLong_IsRefusedWithBothCounts()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.CompletionRoute, Json.Completion("\"prompt\":[40,41],\"max_tokens\":8191").ToJsonString());

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal(("prompt", "context_length_exceeded"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Contains("2 in the prompt, 8191 for the completion", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"prompt\":[40,41,42],\"echo\":true,\"logprobs\":20,\"max_tokens\":0,\"n\":128", "n")]
    [InlineData("\"prompt\":[40,41,42],\"echo\":true,\"logprobs\":0,\"n\":2", "n")]
    public async Task Completion_AnswersThatWouldRepeatThePromptsLogProbs_AreRefused(string more, string param)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.CompletionRoute, Json.Completion(more).ToJsonString());

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData(512, 2, true)]
    [InlineData(513, 2, false)]
    [InlineData(9, 128, false)]
    public async Task Completion_PromptsTimesChoices_AreBounded(int prompts, int choices, bool isTaken)
    {
        using ApiServer server = new();
        JsonObject request = Json.Completion($"\"prompt\":[{string.Join(',', Enumerable.Repeat("[40]", prompts))}],\"max_tokens\":1,\"n\":{choices}");
        using HttpResponseMessage response = await server.PostAsync(Json.CompletionRoute, request.ToJsonString());

        if (isTaken)
        {
            Assert.True(response.IsSuccessStatusCode);
            return;
        }

        Assert.Equal("n", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData("\"logprobs\":20,\"echo\":true", false)]
    [InlineData("\"logprobs\":1,\"echo\":true", true)]
    [InlineData("\"logprobs\":20", true)]
    public async Task Completion_LogProbsOfThePrompts_AreBounded(string more, bool isTaken)
    {
        // Seven prompts of 7000 tokens.
        using ApiServer server = new();
        string prompt = $"[{string.Join(',', Enumerable.Repeat(40, 7000))}]";
        JsonObject request = Json.Completion($"\"prompt\":[{string.Join(',', Enumerable.Repeat(prompt, 7))}],\"max_tokens\":1,{more}");
        using HttpResponseMessage response = await server.PostAsync(Json.CompletionRoute, request.ToJsonString());

        if (isTaken)
        {
            Assert.True(response.IsSuccessStatusCode);
            return;
        }

        Assert.Equal("logprobs", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData(null, "\"logprobs\":20,\"max_tokens\":8000,\"n\":5", true)]
    [InlineData(null, "\"logprobs\":20,\"max_tokens\":8000,\"n\":6", false)]
    [InlineData(null, "\"max_tokens\":8000,\"n\":128", true)]
    [InlineData("100", "\"logprobs\":9,\"max_tokens\":8,\"echo\":true", true)]
    [InlineData("100", "\"logprobs\":9,\"max_tokens\":9,\"echo\":true", false)]
    public async Task Completion_LogProbsOfTheAnswers_AreBounded(string? option, string more, bool isTaken)
    {
        using ApiServer server = option is null ? new() : new(("ToolN1:Server:MaxLogProbs", option));
        using HttpResponseMessage response = await server.PostAsync(Json.CompletionRoute, Json.Completion("\"prompt\":[40,41]," + more).ToJsonString());

        if (isTaken)
        {
            Assert.True(response.IsSuccessStatusCode);
            return;
        }

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal("logprobs", error["param"]!.GetValue<string>());
        Assert.Contains("ToolN1:Server:MaxLogProbs", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(server.Engine.Requests);
    }
}
