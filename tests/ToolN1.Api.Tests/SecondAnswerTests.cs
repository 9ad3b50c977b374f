using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;

namespace ToolN1.Api.Tests;

/// <summary>Where the model calls no tool and writes nothing, it is asked again for words.</summary>
public sealed class SecondAnswerTests
{
    private const string Nothing = "<think>No tool fits.</think><tool_call>[]</tool_call>";
    private const string Words = "I cannot cook.";
    private const string Tools = $"\"tools\":[{Json.Weather}]";

    [Theory]
    [InlineData(Nothing, "")]
    [InlineData("", "")]
    [InlineData("<think>Hm.</think>", "")]
    [InlineData(Nothing, "\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}]}}")]
    public async Task Auto_ModelSaysNothing_AnswersInWordsWithoutTheToolSection(string first, string more)
    {
        using ApiServer server = Server(first);
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"{Tools}{(more.Length > 0 ? "," : "")}{more}", "Cook!"));

        JsonNode choice = answer["choices"]![0]!;
        Assert.Equal((Words, "stop"), (choice["message"]!["content"]!.GetValue<string>(), choice["finish_reason"]!.GetValue<string>()));
        Assert.Null(choice["message"]!["tool_calls"]);
        GenerationRequest[] asked = [.. server.Engine.Requests];
        Assert.Equal(2, asked.Length);
        Assert.Contains("get_weather", ApiServer.Tokenizer.Decode(asked[0].PromptTokenIds), StringComparison.Ordinal);
        string second = ApiServer.Tokenizer.Decode(asked[1].PromptTokenIds);
        Assert.DoesNotContain("get_weather", second, StringComparison.Ordinal);
        Assert.Contains("Cook!", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondAnswer_MustBeginWithVisibleText()
    {
        using ApiServer server = Server(Nothing);
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(Tools));

        GenerationRequest second = server.Engine.Requests.Last();
        Assert.True(second.Constraint!.Accepts("I cannot."u8));
        Assert.True(second.Constraint.Accepts("é"u8));
        Assert.False(second.Constraint.Accepts(""u8));
        Assert.False(second.Constraint.Accepts(" "u8));
        Assert.False(second.Constraint.Accepts("<tool_call>[]</tool_call>"u8));
    }

    [Fact]
    public async Task Stream_GoesOnInTheSameResponseAndCountsBoth()
    {
        using ApiServer server = Server(Nothing);
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat($"{Tools},\"stream_options\":{{\"include_usage\":true}}"));

        JsonNode[] deltas = [.. chunks.SkipLast(1).Select(chunk => chunk["choices"]![0]!["delta"]!)];
        Assert.Equal(Words, string.Concat(deltas.Select(delta => delta["content"]?.GetValue<string>())));
        Assert.Equal("No tool fits.", string.Concat(deltas.Select(delta => delta["reasoning_content"]?.GetValue<string>())));
        Assert.Single(chunks.Select(chunk => chunk["id"]!.GetValue<string>()).Distinct());
        Assert.Single(chunks.SkipLast(1), chunk => chunk["choices"]![0]!["finish_reason"] is not null);
        JsonNode usage = chunks[^1]["usage"]!;
        GenerationRequest[] asked = [.. server.Engine.Requests];
        Assert.Equal(asked.Sum(request => request.PromptTokenIds.Count), usage["prompt_tokens"]!.GetValue<int>());
        int words = ApiServer.Tokenizer.Encode(Words).Length + 1;
        int nothing = ApiServer.Tokenizer.Encode(Nothing).Length;
        Assert.Equal(nothing + words, usage["completion_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task LastMessageIsAToolsResult_EndsInText()
    {
        using ApiServer server = Server("<tool_call>[]</tool_call>");
        JsonObject request = Json.Chat(Tools, "Paris?");
        request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"get_weather","arguments":"{}"}}]}"""));
        request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"tool","tool_call_id":"a","content":"21 degrees"}"""));
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, request);

        Assert.Equal(Words, answer["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Contains("21 degrees", ApiServer.Tokenizer.Decode(server.Engine.Requests.Last().PromptTokenIds), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Text.", Tools)]
    [InlineData("<tool_call>[{\"name\": \"get_weather\"}]</tool_call>", Tools)]
    [InlineData(Nothing, Tools + ",\"tool_choice\":\"none\"")]
    [InlineData(Nothing, Tools + ",\"tool_choice\":\"required\"")]
    [InlineData("STOP", Tools + ",\"stop\":\"STOP\"")]
    [InlineData(Nothing, Tools + ",\"max_tokens\":5")]
    [InlineData(Nothing, "\"n\":1")]
    public async Task AnythingElse_IsAskedOnce(string first, string more)
    {
        using ApiServer server = Server(first);
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat(more));

        Assert.Single(server.Engine.Requests);
    }

    [Fact]
    public async Task Option_TurnsItOff()
    {
        using ApiServer server = new(engine => engine.Answer = Answer(Nothing), ("ToolN1:Chat:AnswerInWords", "false"));
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat(Tools));

        Assert.Equal("", answer["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Single(server.Engine.Requests);
    }

    [Fact]
    public async Task TokenLimit_CountsForBothTogether()
    {
        using ApiServer server = Server(Nothing);
        int nothing = ApiServer.Tokenizer.Encode(Nothing).Length;
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"{Tools},\"max_tokens\":{nothing + 3}"));

        Assert.Equal("length", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(nothing + 3, answer["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.Equal(3, server.Engine.Requests.Last().MaxNewTokens);
    }

    [Fact]
    public async Task SeveralChoices_EachIsAskedAgainAndTheSecondPromptCountsOnce()
    {
        using ApiServer server = Server(Nothing);
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"{Tools},\"n\":3"));

        Assert.All(answer["choices"]!.AsArray(), choice => Assert.Equal(Words, choice!["message"]!["content"]!.GetValue<string>()));
        int[] prompts = [.. server.Engine.Requests.Select(request => request.PromptTokenIds.Count).Distinct()];
        Assert.Equal(6, server.Engine.Requests.Count);
        Assert.Equal(prompts.Sum(), answer["usage"]!["prompt_tokens"]!.GetValue<int>());
    }

    private static ApiServer Server(string first) => new(engine => engine.Answer = Answer(first));

    private static Func<GenerationRequest, string> Answer(string first) =>
        request => request.RequestId.EndsWith("-words", StringComparison.Ordinal) ? Words : first;
}
