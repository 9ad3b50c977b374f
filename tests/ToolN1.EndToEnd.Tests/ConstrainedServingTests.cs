using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Whatever is demanded of an answer holds over random weights, whole and streamed, at several seeds.</summary>
public sealed class ConstrainedServingTests(LoopServer loop) : IClassFixture<LoopServer>
{
    private const string Tools =
        """
        [{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string","maxLength":12},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"],"additionalProperties":false}}},
         {"type":"function","function":{"name":"set_unit","parameters":{"type":"object","properties":{"unit":{"type":"string","enum":["°C","°F"]}},"required":["unit"],"additionalProperties":false}}},
         {"type":"function","function":{"name":"ping"}}]
        """;

    private static readonly string[] Tags = ["a", "b"];
    private static readonly string[] Units = ["°C", "°F"];

    [Theory]
    [InlineData("\"required\"", true, "get_weather set_unit ping", 1, 100)]
    [InlineData("\"required\"", false, "get_weather set_unit ping", 1, 1)]
    [InlineData("{\"type\":\"function\",\"function\":{\"name\":\"set_unit\"}}", false, "set_unit", 1, 1)]
    [InlineData("{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}},{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}]}}", true, "get_weather ping", 1, 100)]
    [InlineData("{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}]}}", true, "ping", 0, 100)]
    [InlineData("\"none\"", true, "", 0, 0)]
    [InlineData("\"auto\"", false, "get_weather set_unit ping", 0, 1)]
    public async Task ToolChoice_EveryCallIsValid_WholeAndStreamed(string choice, bool parallel, string names, int least, int most)
    {
        for (int seed = 0; seed < 4; seed++)
        {
            JsonObject request = Request($"\"tools\":{Tools},\"tool_choice\":{choice},\"parallel_tool_calls\":{(parallel ? "true" : "false")},\"max_tokens\":160,\"seed\":{seed}");
            JsonNode whole = (await PostAsync(request))["choices"]![0]!;
            (JsonArray calls, string? finish) = await StreamAsync(request);

            JsonArray wholeCalls = whole["message"]!["tool_calls"]?.AsArray() ?? [];
            Assert.Equal(Text(wholeCalls), Text(calls));
            Assert.Equal(whole["finish_reason"]!.GetValue<string>(), finish);
            Assert.InRange(calls.Count, least, most);
            Assert.True((calls.Count > 0) == (finish == "tool_calls"), whole.ToJsonString());
            Assert.Equal(calls.Count, calls.Select(call => call!["id"]!.GetValue<string>()).Distinct().Count());
            Assert.All(calls, call => AssertValid(call!["function"]!, names.Split(' ')));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Schema_WholeAndStreamedAnswer_FollowsIt(bool responses)
    {
        const string Schema = """{"type":"object","properties":{"city":{"type":"string","maxLength":8},"tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":3}},"required":["city","tags"],"additionalProperties":false}""";
        for (int seed = 0; seed < 3; seed++)
        {
            string text;
            if (responses)
            {
                JsonNode answer = await PostAsync(
                    JsonNode.Parse($$$"""{"model":"{{{LoopServer.Model}}}","input":"Hi","text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{{{Schema}}}}},"seed":{{{seed}}},"max_output_tokens":200}""")!.AsObject(),
                    "/v1/responses");
                text = answer["output"]!.AsArray().Single(item => item!["type"]!.GetValue<string>() == "message")!["content"]![0]!["text"]!.GetValue<string>();
            }
            else
            {
                JsonNode answer = await PostAsync(Request($$$""" "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{{{Schema}}}}},"seed":{{{seed}}},"max_tokens":200 """));
                text = answer["choices"]![0]!["message"]!["content"]!.GetValue<string>();
            }

            JsonObject value = JsonNode.Parse(text)!.AsObject();
            Assert.Equal(["city", "tags"], value.Select(pair => pair.Key));
            Assert.True(value["city"]!.GetValue<string>().EnumerateRunes().Count() <= 8);
            Assert.All(value["tags"]!.AsArray(), tag => Assert.Contains(tag!.GetValue<string>(), Tags));
        }
    }

    [Fact]
    public async Task ReasoningEffort_BoundsTheReasoningTokens()
    {
        foreach ((string effort, int most) in new[] { ("none", 0), ("minimal", 64 + 16) })
        {
            JsonNode answer = await PostAsync(Request($"\"tools\":{Tools},\"tool_choice\":\"required\",\"reasoning_effort\":\"{effort}\",\"max_tokens\":400,\"parallel_tool_calls\":false"));

            int reasoning = answer["usage"]!["completion_tokens_details"]!["reasoning_tokens"]!.GetValue<int>();
            Assert.InRange(reasoning, 0, most);
            Assert.Equal(most == 0, answer["choices"]![0]!["message"]!["reasoning_content"] is null);
            Assert.Equal("tool_calls", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task ModelThatEndsItsTurnAtOnce_AnswersInWordsAllTheSame()
    {
        // The bias makes the end of the turn (token 1) the likeliest everywhere, so that the first answer is empty.
        const string AtOnce = "\"logit_bias\":{\"1\":100},\"temperature\":0,\"max_tokens\":20";
        JsonNode plain = await PostAsync(Request(AtOnce));
        JsonNode asked = await PostAsync(Request($"\"tools\":{Tools},{AtOnce}"));

        Assert.Equal("", plain["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.False(string.IsNullOrWhiteSpace(asked["choices"]![0]!["message"]!["content"]!.GetValue<string>()));
        Assert.Equal("stop", asked["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.InRange(asked["usage"]!["completion_tokens"]!.GetValue<int>(), 3, 20);
    }

    [Fact]
    public async Task SeveralChoices_ComputeTheirPromptOnce()
    {
        string text = string.Concat(Enumerable.Range(0, 200).Select(number => $"Line {number}. "));
        double before = await loop.Server.MetricAsync("tooln1_tokens_prompt_total");
        JsonNode answer = await PostAsync(Request("\"n\":16,\"max_tokens\":4", text));
        double computed = await loop.Server.MetricAsync("tooln1_tokens_prompt_total") - before;

        int prompt = answer["usage"]!["prompt_tokens"]!.GetValue<int>();
        Assert.Equal(16, answer["choices"]!.AsArray().Count);

        // Each further choice computes what does not fill a block of 16, and the last token at least.
        Assert.InRange(computed, prompt, prompt + (15 * 16));
    }

    private static JsonObject Request(string more, string content = "Hi") => JsonNode.Parse(
        $$"""{"model":"{{LoopServer.Model}}","messages":[{"role":"user","content":{{JsonValue.Create(content).ToJsonString()}}}],{{more}}}""")!.AsObject();

    private static void AssertValid(JsonNode function, string[] names)
    {
        string name = function["name"]!.GetValue<string>();
        Assert.Contains(name, names);
        JsonObject arguments = JsonNode.Parse(function["arguments"]!.GetValue<string>())!.AsObject();
        switch (name)
        {
            case "get_weather":
                Assert.Equal(["city", "days"], arguments.Select(pair => pair.Key));
                Assert.Equal(JsonValueKind.String, arguments["city"]!.GetValueKind());
                Assert.InRange(arguments["days"]!.GetValue<int>(), 1, 7);
                break;
            case "set_unit":
                Assert.Contains(arguments.Single().Value!.GetValue<string>(), Units);
                break;
            default:
                Assert.Empty(arguments);
                break;
        }
    }

    private static string Text(JsonArray calls) => string.Join('\n', calls.Select(call => call!["function"]!.ToJsonString()));

    private async Task<JsonNode> PostAsync(JsonObject request, string route = "/v1/chat/completions")
    {
        using StringContent body = new(request.ToJsonString(), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await loop.Server.Http.PostAsync(route, body, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<(JsonArray Calls, string? Finish)> StreamAsync(JsonObject request)
    {
        JsonObject streamed = request.DeepClone().AsObject();
        streamed["stream"] = true;
        using StringContent body = new(streamed.ToJsonString(), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await loop.Server.Http.PostAsync("/v1/chat/completions", body, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        JsonArray calls = [];
        string? finish = null;
        foreach (string line in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).SkipLast(1))
        {
            JsonNode choice = JsonNode.Parse(line["data: ".Length..])!["choices"]![0]!;
            finish = choice["finish_reason"]?.GetValue<string>() ?? finish;
            foreach (JsonNode? piece in choice["delta"]!["tool_calls"]?.AsArray() ?? [])
            {
                if (piece!["id"] is not null)
                {
                    Assert.Equal(calls.Count, piece["index"]!.GetValue<int>());
                    calls.Add(new JsonObject { ["id"] = piece["id"]!.GetValue<string>(), ["function"] = piece["function"]!.DeepClone() });
                }
                else
                {
                    JsonNode function = calls[piece["index"]!.GetValue<int>()]!["function"]!;
                    function["arguments"] = function["arguments"]!.GetValue<string>() + piece["function"]!["arguments"]!.GetValue<string>();
                }
            }
        }

        return (calls, finish);
    }
}
