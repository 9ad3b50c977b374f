using System.Text.Json.Nodes;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Shapes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;

namespace ToolN1.Api.Tests;

public sealed class ResponsesTests
{
    private const string Route = "/v1/responses";
    private const string Weather = """{"type":"function","name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}""";
    private const string Call = """<think>Paris.</think><tool_call>[{"name": "get_weather", "arguments": {"city": "Paris"}}]</tool_call>""";

    [Fact]
    public async Task Text_IsAMessageItem()
    {
        using ApiServer server = new();
        JsonNode response = await server.PostJsonAsync(Route, Request("\"input\":\"Hi\",\"instructions\":\"Be kind.\",\"metadata\":{\"a\":\"b\"},\"temperature\":0.5,\"max_output_tokens\":50"));

        Assert.StartsWith("resp_", response["id"]!.GetValue<string>());
        Assert.Equal(("response", "completed"), (response["object"]!.GetValue<string>(), response["status"]!.GetValue<string>()));
        JsonObject item = response["output"]!.AsArray().Single()!.AsObject();
        Assert.StartsWith("msg_", item["id"]!.GetValue<string>());
        item.Remove("id");
        Assert.Equal("""{"type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello!","annotations":[],"logprobs":[]}]}""", item.ToJsonString());
        Assert.Equal("Be kind.", response["instructions"]!.GetValue<string>());
        Assert.Equal("""{"a":"b"}""", response["metadata"]!.ToJsonString());
        Assert.Equal((0.5, 50), (response["temperature"]!.GetValue<double>(), response["max_output_tokens"]!.GetValue<int>()));
        Assert.Equal("""{"format":{"type":"text"}}""", response["text"]!.ToJsonString());
        Assert.False(response["store"]!.GetValue<bool>());
        GenerationRequest asked = server.Engine.Requests.Single();
        JsonNode usage = response["usage"]!;
        Assert.Equal(asked.PromptTokenIds.Count, usage["input_tokens"]!.GetValue<int>());
        Assert.Equal(ApiServer.Tokenizer.Encode("Hello!").Length + 1, usage["output_tokens"]!.GetValue<int>());
        Assert.Equal(0, usage["output_tokens_details"]!["reasoning_tokens"]!.GetValue<int>());
        Assert.Equal(asked.PromptTokenIds.Count / 2, usage["input_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        string prompt = ApiServer.Tokenizer.Decode(asked.PromptTokenIds);
        Assert.Contains("system\nBe kind.", prompt, StringComparison.Ordinal);
        Assert.Contains("user\nHi", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_IsAFunctionCallItemBehindTheReasoning_AndComesBackAsInput()
    {
        using ApiServer server = new(engine => engine.Answer = _ => Call);
        JsonObject request = Request($"\"input\":[{{\"role\":\"user\",\"content\":\"Paris?\"}}],\"tools\":[{Weather}]");
        JsonNode first = await server.PostJsonAsync(Route, request);

        JsonArray output = first["output"]!.AsArray();
        Assert.Equal(["reasoning", "function_call"], output.Select(item => item!["type"]!.GetValue<string>()));
        Assert.Equal("""[{"type":"reasoning_text","text":"Paris."}]""", output[0]!["content"]!.ToJsonString());
        Assert.Equal("get_weather", output[1]!["name"]!.GetValue<string>());
        Assert.Equal("{\"city\": \"Paris\"}", output[1]!["arguments"]!.GetValue<string>());
        Assert.Equal("completed", output[1]!["status"]!.GetValue<string>());

        foreach (JsonNode? item in output)
        {
            request["input"]!.AsArray().Add(item!.DeepClone());
        }

        request["input"]!.AsArray().Add(new JsonObject { ["type"] = "function_call_output", ["call_id"] = output[1]!["call_id"]!.GetValue<string>(), ["output"] = "21 degrees" });
        server.Engine.Answer = _ => "It is warm.";
        JsonNode second = await server.PostJsonAsync(Route, request);

        Assert.Equal("It is warm.", second["output"]![0]!["content"]![0]!["text"]!.GetValue<string>());
        string prompt = ApiServer.Tokenizer.Decode(server.Engine.Requests.Last().PromptTokenIds);
        Assert.Contains("<tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]</tool_call>", prompt, StringComparison.Ordinal);
        Assert.Contains("21 degrees", prompt, StringComparison.Ordinal);
        Assert.DoesNotContain("Paris.", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ItemsOfOneAnswer_AreOneMessageAsInAChatCompletion()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Route, Request(
            $$"""
            "tools":[{{Weather}}],"input":[
              {"type":"message","role":"user","content":[{"type":"input_text","text":"Paris "},{"type":"input_text","text":"and Rome?"}]},
              {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Two."}]},
              {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Looking.","annotations":[]}]},
              {"type":"function_call","call_id":"a","name":"get_weather","arguments":"{\"city\":\"Paris\"}"},
              {"type":"function_call","call_id":"b","name":"get_weather","arguments":"{\"city\":\"Rome\"}"},
              {"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"30"}]},
              {"type":"function_call_output","call_id":"a","output":"21"}]
            """));
        await server.PostJsonAsync(Json.ChatRoute, Json.Object(
            $$$"""
            {"model":"{{{FakeEngine.ModelName}}}","tools":[{{{Json.Weather}}}],"messages":[
              {"role":"user","content":"Paris and Rome?"},
              {"role":"assistant","content":"Looking.","tool_calls":[
                {"id":"a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},
                {"id":"b","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},
              {"role":"tool","tool_call_id":"a","content":"21"},{"role":"tool","tool_call_id":"b","content":"30"}]}
            """));

        string[] prompts = [.. server.Engine.Requests.Select(request => ApiServer.Tokenizer.Decode(request.PromptTokenIds))];
        Assert.Equal(prompts[1], prompts[0]);
    }

    [Fact]
    public async Task Stream_NamedEvents_InOrderWithSequenceNumbers()
    {
        using ApiServer server = new(engine => engine.Answer = _ => "<think>Hm.</think>Hello!");
        IReadOnlyList<(string Name, JsonNode Data)> events = await StreamAsync(server, "\"input\":\"Hi\"");

        Assert.All(events, item => Assert.Equal(item.Name, item.Data["type"]!.GetValue<string>()));
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(item => item.Data["sequence_number"]!.GetValue<int>()));
        Assert.Equal(
            [
                "response.created", "response.in_progress",
                "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ],
            events.Select(item => item.Name).Where((name, index) => index == 0 || name != events[index - 1].Name));
        Assert.Equal("Hello!", Deltas(events, "response.output_text.delta"));
        Assert.Equal("Hello!", events.Single(item => item.Name == "response.output_text.done").Data["text"]!.GetValue<string>());
        Assert.Equal([0, 0, 1, 1], events.Where(item => item.Name.Contains("output_item", StringComparison.Ordinal)).Select(item => item.Data["output_index"]!.GetValue<int>()));
        JsonNode whole = events[^1].Data["response"]!;
        Assert.Equal(2, whole["output"]!.AsArray().Count);
        Assert.NotNull(whole["usage"]);
        Assert.Null(events[0].Data["response"]!["usage"]);
        Assert.Equal("in_progress", events[0].Data["response"]!["status"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("Hello!")]
    [InlineData("")]
    [InlineData("<think>Hm.</think>Hello!")]
    [InlineData(Call)]
    [InlineData("<tool_call>[{\"name\": \"get_weather\", \"arguments\": {}}, {\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}]</tool_call>")]
    public async Task Stream_LastEventAndItems_EqualTheWholeResponse(string text)
    {
        using ApiServer server = new(engine => engine.Answer = _ => text);
        string fields = $"\"input\":\"Hi\",\"tools\":[{Weather}]";
        JsonNode whole = await server.PostJsonAsync(Route, Request(fields));
        IReadOnlyList<(string Name, JsonNode Data)> events = await StreamAsync(server, fields);

        Assert.Equal(WithoutIds(whole["output"]!), WithoutIds(events[^1].Data["response"]!["output"]!));
        JsonArray done = [.. events.Where(item => item.Name == "response.output_item.done").Select(item => item.Data["item"]!.DeepClone())];
        Assert.Equal(WithoutIds(whole["output"]!), WithoutIds(done));
        string arguments = string.Concat(whole["output"]!.AsArray().Select(item => item!["arguments"]?.GetValue<string>()));
        Assert.Equal(arguments, Deltas(events, "response.function_call_arguments.delta"));
        Assert.Equal(whole["usage"]!.ToJsonString(), events[^1].Data["response"]!["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task ReasoningSummary_IsTheReasoningAgain()
    {
        using ApiServer server = new(engine => engine.Answer = _ => "<think>Hm, well.</think>Hello!");
        const string Fields = "\"input\":\"Hi\",\"reasoning\":{\"summary\":\"auto\"}";
        JsonNode whole = await server.PostJsonAsync(Route, Request(Fields));
        IReadOnlyList<(string Name, JsonNode Data)> events = await StreamAsync(server, Fields);

        Assert.Equal("""[{"type":"summary_text","text":"Hm, well."}]""", whole["output"]![0]!["summary"]!.ToJsonString());
        Assert.Equal(whole["output"]![0]!["summary"]!.ToJsonString(), events[^1].Data["response"]!["output"]![0]!["summary"]!.ToJsonString());
        Assert.Equal("Hm, well.", Deltas(events, "response.reasoning_summary_text.delta"));
        Assert.Equal("Hm, well.", Deltas(events, "response.reasoning_text.delta"));
    }

    [Fact]
    public async Task TokenLimit_IsIncomplete()
    {
        using ApiServer server = new(engine => engine.Answer = _ => "Hello, hello, hello!");
        JsonNode response = await server.PostJsonAsync(Route, Request("\"input\":\"Hi\",\"max_output_tokens\":3"));
        IReadOnlyList<(string Name, JsonNode Data)> events = await StreamAsync(server, "\"input\":\"Hi\",\"max_output_tokens\":3");

        Assert.Equal("incomplete", response["status"]!.GetValue<string>());
        Assert.Equal("max_output_tokens", response["incomplete_details"]!["reason"]!.GetValue<string>());
        Assert.Equal("incomplete", response["output"]![0]!["status"]!.GetValue<string>());
        Assert.Equal("response.incomplete", events[^1].Name);
    }

    [Fact]
    public async Task Stream_FailureAfterTheStart_IsAFailedResponse()
    {
        using ApiServer server = new();
        server.Engine.BeforeToken = (_, token, _) => token == 2 ? throw new InvalidOperationException("secret") : Task.CompletedTask;
        IReadOnlyList<(string Name, JsonNode Data)> events = await StreamAsync(server, "\"input\":\"Hi\"");

        Assert.Equal("response.failed", events[^1].Name);
        Assert.Equal("failed", events[^1].Data["response"]!["status"]!.GetValue<string>());
        Assert.Equal("internal_error", events[^1].Data["response"]!["error"]!["code"]!.GetValue<string>());
        Assert.DoesNotContain("secret", events[^1].Data.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_TooLongForTheModel_IsNamed()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Route, Request($"\"input\":\"{new string('?', 500)}\",\"max_output_tokens\":8000").ToJsonString());

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal(("input", "context_length_exceeded"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"strict\":false", true)]
    [InlineData(",\"strict\":true", false)]
    public async Task FormatWhoseSchemaCannotBeEnforced_IsRefusedOnlyWhereStrictIsAsked(string strict, bool accepted)
    {
        using ApiServer server = new(engine => engine.Answer = _ => "[1, 1]");
        string format = """{"type":"json_schema","name":"n","schema":{"type":"array","uniqueItems":true}STRICT}""".Replace("STRICT", strict, StringComparison.Ordinal);
        using HttpResponseMessage response = await server.PostAsync(Route, Request($"\"input\":\"Hi\",\"text\":{{\"format\":{format}}}").ToJsonString());

        if (!accepted)
        {
            Assert.Equal("text.format.schema", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
            return;
        }

        Assert.True(response.IsSuccessStatusCode);
        Engine.Constraints.AnswerConstraint constraint = server.Engine.Requests.Single().Constraint!;
        Assert.True(constraint.Accepts("[1, 1]"u8));
        Assert.True(constraint.Accepts("{}"u8));
        Assert.False(constraint.Accepts("words"u8));
    }

    [Fact]
    public async Task ModelSaysNothing_IsAskedAgainForWords()
    {
        using ApiServer server = new(engine => engine.Answer = request => request.RequestId.EndsWith("-words", StringComparison.Ordinal) ? "No." : "<tool_call>[]</tool_call>");
        JsonNode response = await server.PostJsonAsync(Route, Request($"\"input\":\"Cook!\",\"tools\":[{Weather}]"));

        Assert.Equal("No.", response["output"]![0]!["content"]![0]!["text"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("\"tool_choice\":\"required\"", false, true)]
    [InlineData("\"tool_choice\":{\"type\":\"function\",\"name\":\"get_weather\"}", false, true)]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"name\":\"get_weather\"}]}", false, true)]
    [InlineData("\"text\":{\"format\":{\"type\":\"json_object\"}}", false, false)]
    [InlineData("\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"type\":\"object\"}}}", false, false)]
    [InlineData("\"tool_choice\":\"auto\"", true, false)]
    public async Task Fields_Constrain(string more, bool mayWrite, bool mustThink)
    {
        using ApiServer server = new(engine => engine.Answer = _ => Call);
        JsonNode answer = await server.PostJsonAsync(Route, Request($"\"input\":\"Hi\",\"tools\":[{Weather}],{more}"));
        Assert.True(answer["error"] is null, answer.ToJsonString());
        Engine.Constraints.AnswerConstraint constraint = server.Engine.Requests.First().Constraint!;

        Assert.Equal(mayWrite, constraint.Accepts("Hello!"u8));
        Assert.Equal(!mustThink, constraint.Accepts("<tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]</tool_call>"u8));
        Assert.True(constraint.Accepts("<think>Hm.</think><tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]</tool_call>"u8));

        // Strict is the default here.
        Assert.False(constraint.Accepts("<think>Hm.</think><tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": 1}}]</tool_call>"u8));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"strict\":false", true)]
    [InlineData(",\"strict\":true", false)]
    public async Task ToolWhoseSchemaCannotBeEnforced_IsRefusedOnlyWhereStrictIsAsked(string strict, bool accepted)
    {
        using ApiServer server = new();
        string tool = """{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{"type":"cat"}}}STRICT}""".Replace("STRICT", strict, StringComparison.Ordinal);
        using HttpResponseMessage response = await server.PostAsync(Route, Request($"\"input\":\"Hi\",\"tools\":[{tool},{Weather}]").ToJsonString());

        Assert.Equal(accepted, response.IsSuccessStatusCode);
        if (!accepted)
        {
            Assert.Equal("tools[0].parameters", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task ManyToolsWhoseSchemasCannotBeEnforced_LeaveTheirStrictnessTogether()
    {
        using ApiServer server = new();
        string tools = string.Join(',', Enumerable.Range(0, 20).Select(number => """{"type":"function","name":"fN","parameters":{"type":"object","properties":{"a":{"type":"cat"}}}}""".Replace("fN", $"f{number}", StringComparison.Ordinal)));
        JsonNode answer = await server.PostJsonAsync(Route, Request($"\"input\":\"Hi\",\"tools\":[{tools},{Weather}]"));

        Assert.Equal("completed", answer["status"]!.GetValue<string>());
        Assert.Null(server.Engine.Requests.First().Constraint);
    }

    [Fact]
    public async Task ManyCallsInARow_AreOneMessage()
    {
        using ApiServer server = new();
        const int Count = 20_000;
        string calls = string.Join(',', Enumerable.Range(0, Count).Select(number => $"{{\"type\":\"function_call\",\"call_id\":\"c{number}\",\"name\":\"f\",\"arguments\":\"{{}}\"}}"));
        using HttpResponseMessage response = await server.PostAsync(Route, $"{{\"model\":\"{FakeEngine.ModelName}\",\"input\":[{calls}]}}");

        Assert.Equal("input[0].call_id", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("previous_response_id", "\"resp_1\"")]
    [InlineData("conversation", "\"conv_1\"")]
    [InlineData("store", "true")]
    [InlineData("background", "true")]
    [InlineData("prompt", "{\"id\":\"p\"}")]
    [InlineData("context_management", "[]")]
    [InlineData("max_tool_calls", "3")]
    [InlineData("top_logprobs", "3")]
    [InlineData("truncation", "\"auto\"")]
    [InlineData("include", "[\"file_search_call.results\"]")]
    [InlineData("frobnicate", "1")]
    [InlineData("tools", "[{\"type\":\"web_search\"}]")]
    [InlineData("tool_choice", "{\"type\":\"mcp\",\"server_label\":\"x\"}")]
    [InlineData("tool_choice", "{\"type\":\"function\",\"name\":\"f\"}")]
    [InlineData("stream_options", "{}")]
    [InlineData("model", "7")]
    public async Task StatefulAndUnknownFields_AreRefusedByName(string field, string value)
    {
        using ApiServer server = new();
        JsonObject request = Request("\"input\":\"Hi\"");
        request[field] = JsonNode.Parse(value);
        using HttpResponseMessage response = await server.PostAsync(Route, request.ToJsonString());

        Assert.StartsWith(field, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7", "input")]
    [InlineData("[]", "input")]
    [InlineData("[{\"type\":\"item_reference\",\"id\":\"x\"}]", "input[0].type")]
    [InlineData("[{\"type\":\"web_search_call\"}]", "input[0].type")]
    [InlineData("[{\"role\":\"robot\",\"content\":\"x\"}]", "input[0].role")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"x\"}]}]", "input[0].content[0].type")]
    [InlineData("[{\"type\":\"function_call_output\",\"call_id\":\"x\",\"output\":\"1\"}]", "input[0].call_id")]
    [InlineData("[{\"role\":\"user\",\"content\":\"x\"},{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{\"}]", "input[1].arguments")]
    [InlineData("[{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call\",\"call_id\":\"b\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"1\"}]", "input[1].call_id")]
    [InlineData("[{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"abc\"}]", "input[0].encrypted_content")]
    [InlineData("[{\"type\": \"reasoning\", \"summary\": [], \"content\": null}]", "input")]
    public async Task Input_ThatIsWrong_IsA400NamingIt(string input, string param)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Route, Request($"\"input\":{input}").ToJsonString());

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
    }

    [Fact]
    public void Shape_EveryFieldOfOpenAisResponseRequest_IsKnown()
    {
        // The request fields of OpenAI's API reference (create a response).
        string[] openAi =
        [
            "background", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
            "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier",
            "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
        ];
        ObjectShape shape = ResponseShape.Shape;
        Assert.Empty(openAi.Except(shape.Fields.Select(field => field.Name)).Except(shape.Refused.Keys));
    }

    private static JsonObject Request(string fields) => Json.Object($$"""{"model":"{{FakeEngine.ModelName}}",{{fields}}}""");

    private static async Task<IReadOnlyList<(string Name, JsonNode Data)>> StreamAsync(ApiServer server, string fields)
    {
        using HttpResponseMessage response = await server.PostAsync(Route, Request(fields + ",\"stream\":true").ToJsonString());
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(block =>
        {
            string[] lines = block.Split('\n');
            Assert.Equal(2, lines.Length);
            return (lines[0]["event: ".Length..], JsonNode.Parse(lines[1]["data: ".Length..])!);
        })];
    }

    private static string Deltas(IReadOnlyList<(string Name, JsonNode Data)> events, string name) =>
        string.Concat(events.Where(item => item.Name == name).Select(item => item.Data["delta"]!.GetValue<string>()));

    private static string WithoutIds(JsonNode output)
    {
        JsonNode copy = output.DeepClone();
        foreach (JsonNode? item in copy.AsArray())
        {
            item!.AsObject().Remove("id");
            item.AsObject().Remove("call_id");
        }

        return copy.ToJsonString();
    }
}
