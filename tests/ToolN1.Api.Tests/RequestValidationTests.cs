using System.Text.Json.Nodes;
using ToolN1.Api.Contracts;
using ToolN1.Api.Shapes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class RequestValidationTests
{
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    [Theory]
    [InlineData("nobody_knows", "1", "nobody_knows", "unknown_parameter")]
    [InlineData("temperature", "3", "temperature", "invalid_value")]
    [InlineData("temperature", "1e999", "temperature", "invalid_value")]
    [InlineData("temperature", "\"hot\"", "temperature", "invalid_type")]
    [InlineData("top_p", "-0.1", "top_p", "invalid_value")]
    [InlineData("top_k", "1.5", "top_k", "invalid_value")]
    [InlineData("min_p", "2", "min_p", "invalid_value")]
    [InlineData("repetition_penalty", "0", "repetition_penalty", "invalid_value")]
    [InlineData("presence_penalty", "2.1", "presence_penalty", "invalid_value")]
    [InlineData("frequency_penalty", "[]", "frequency_penalty", "invalid_type")]
    [InlineData("logit_bias", "{\"cat\":1}", "logit_bias.cat", "invalid_value")]
    [InlineData("logit_bias", "{\"99999\":1}", "logit_bias.99999", "invalid_value")]
    [InlineData("logit_bias", "{\"5\":101}", "logit_bias.5", "invalid_value")]
    [InlineData("seed", "\"x\"", "seed", "invalid_type")]
    [InlineData("seed", "99999999999999999999", "seed", "invalid_value")]
    [InlineData("stop", "[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop", "invalid_value")]
    [InlineData("stop", "\"\"", "stop", "invalid_value")]
    [InlineData("stop", "[\"a\",1]", "stop[1]", "invalid_type")]
    [InlineData("stop", "7", "stop", "invalid_type")]
    [InlineData("stop_token_ids", "[1,99999]", "stop_token_ids[1]", "invalid_value")]
    [InlineData("min_tokens", "99999", "min_tokens", "invalid_value")]
    [InlineData("ignore_eos", "1", "ignore_eos", "invalid_type")]
    [InlineData("max_tokens", "0", "max_tokens", "invalid_value")]
    [InlineData("max_completion_tokens", "-1", "max_completion_tokens", "invalid_value")]
    [InlineData("max_completion_tokens", "99999999999", "max_completion_tokens", "invalid_value")]
    [InlineData("n", "0", "n", "invalid_value")]
    [InlineData("n", "129", "n", "invalid_value")]
    [InlineData("logprobs", "1", "logprobs", "invalid_type")]
    [InlineData("top_logprobs", "2", "top_logprobs", "invalid_value")]
    [InlineData("stream", "\"yes\"", "stream", "invalid_type")]
    [InlineData("stream_options", "{\"include_usage\":true}", "stream_options", "invalid_value")]
    [InlineData("tool_choice", "\"required\"", "tool_choice", "invalid_value")]
    [InlineData("tool_choice", "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "tool_choice.function.name", "invalid_value")]
    [InlineData("tool_choice", "{\"type\":\"function\",\"name\":\"f\"}", "tool_choice.name", "unknown_parameter")]
    [InlineData("tool_choice", "{\"type\":\"function\"}", "tool_choice.function", "missing_required_parameter")]
    [InlineData("tool_choice", "{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}", "tool_choice.type", "unsupported_parameter")]
    [InlineData("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[]}}", "tool_choice.allowed_tools.tools", "invalid_value")]
    [InlineData("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}}", "tool_choice.allowed_tools.tools[0].function.name", "invalid_value")]
    [InlineData("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"never\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}}", "tool_choice.allowed_tools.mode", "invalid_value")]
    [InlineData("response_format", "{\"type\":\"json_schema\"}", "response_format.json_schema", "missing_required_parameter")]
    [InlineData("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\"}}", "response_format.json_schema.schema", "missing_required_parameter")]
    [InlineData("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"two words\",\"schema\":{}}}", "response_format.json_schema.name", "invalid_value")]
    [InlineData("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"strict\":true,\"schema\":{\"type\":\"cat\"}}}", "response_format.json_schema.schema", "invalid_json_schema")]
    [InlineData("response_format", "{\"type\":\"grammar\"}", "response_format.type", "invalid_value")]
    [InlineData("reasoning_effort", "\"huge\"", "reasoning_effort", "invalid_value")]
    [InlineData("reasoning_effort", "3", "reasoning_effort", "invalid_type")]
    [InlineData("include_reasoning", "\"yes\"", "include_reasoning", "invalid_type")]
    [InlineData("cache_salt", "\"\"", "cache_salt", "invalid_value")]
    [InlineData("verbosity", "\"low\"", "verbosity", "invalid_value")]
    [InlineData("functions", "[]", "functions", "invalid_value")]
    [InlineData("functions", "[{\"name\":\"f\",\"strict\":true}]", "functions[0].strict", "unknown_parameter")]
    [InlineData("functions", "[{\"name\":\"f\"},{\"name\":\"f\"}]", "functions[1].name", "invalid_value")]
    [InlineData("function_call", "{\"name\":\"f\"}", "function_call.name", "invalid_value")]
    [InlineData("function_call", "\"required\"", "function_call", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"a.b\"}}]", "tools[0].function.name", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"\"}}]", "tools[0].function.name", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcde\"}}]", "tools[0].function.name", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"g\",\"strict\":true,\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"cat\"}}}}}]", "tools[1].function.parameters", "invalid_function_parameters")]
    [InlineData("tool_choice", "\"sometimes\"", "tool_choice", "invalid_value")]
    [InlineData("response_format", "{}", "response_format.type", "missing_required_parameter")]
    [InlineData("modalities", "[\"text\",\"audio\"]", "modalities", "invalid_value")]
    [InlineData("modalities", "[\"audio\"]", "modalities[0]", "invalid_value")]
    [InlineData("audio", "{}", "audio", "unsupported_parameter")]
    [InlineData("prediction", "{}", "prediction", "unsupported_parameter")]
    [InlineData("web_search_options", "{}", "web_search_options", "unsupported_parameter")]
    [InlineData("store", "true", "store", "unsupported_parameter")]
    [InlineData("service_tier", "\"flex\"", "service_tier", "invalid_value")]
    [InlineData("metadata", "{\"a\":1}", "metadata.a", "invalid_type")]
    [InlineData("user", "1", "user", "invalid_type")]
    [InlineData("tools", "{}", "tools", "invalid_type")]
    [InlineData("tools", "[{\"type\":\"function\"}]", "tools[0].function", "missing_required_parameter")]
    [InlineData("tools", "[{\"type\":\"custom\",\"custom\":{}}]", "tools[0].type", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{}}]", "tools[0].function.name", "missing_required_parameter")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"two words\"}}]", "tools[0].function.name", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "tools[1].function.name", "invalid_value")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":\"{}\"}}]", "tools[0].function.parameters", "invalid_type")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"returns\":{}}}]", "tools[0].function.returns", "unknown_parameter")]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"a\":1,\"a\":2}}}]", "tools[0].function.parameters.a", "duplicate_parameter")]
    public async Task Chat_FieldThatIsWrong_IsA400NamingIt(string field, string value, string param, string code)
    {
        using ApiServer server = new();
        string body = $"{{\"model\":\"{FakeEngine.ModelName}\",{Messages},\"{field}\":{value}}}";
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, body);

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal((param, code, "invalid_request_error"), (error["param"]?.GetValue<string>(), error["code"]?.GetValue<string>(), error["type"]!.GetValue<string>()));
        Assert.Contains(param.Split('.')[0].Split('[')[0], error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData("[]", "messages", "invalid_value")]
    [InlineData("\"Hi\"", "messages", "invalid_type")]
    [InlineData("[\"Hi\"]", "messages[0]", "invalid_type")]
    [InlineData("[{\"content\":\"Hi\"}]", "messages[0].role", "missing_required_parameter")]
    [InlineData("[{\"role\":\"robot\",\"content\":\"Hi\"}]", "messages[0].role", "invalid_value")]
    [InlineData("[{\"role\":\"function\",\"name\":\"f\",\"content\":\"Hi\"}]", "messages[0].name", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":\"g\",\"content\":\"Hi\"}]", "messages[1].name", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":\"[]\"}}]", "messages[0].function_call.arguments", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":\"user\",\"content\":\"Hi\"}]", "messages[0].function_call", "invalid_value")]
    [InlineData("[{\"role\":\"user\",\"content\":\"Hi\",\"name\":\"two words\"}]", "messages[0].name", "invalid_value")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}]", "messages[0].content[0].type", "unsupported_parameter")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"user\",\"content\":\"x\"}]", "messages[0].tool_calls[0].id", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"a\"},{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"a\"}]", "messages[2].tool_call_id", "invalid_value")]
    [InlineData("[{\"role\":\"user\"}]", "messages[0].content", "missing_required_parameter")]
    [InlineData("[{\"role\":\"user\",\"content\":null}]", "messages[0].content", "missing_required_parameter")]
    [InlineData("[{\"role\":\"user\",\"content\":7}]", "messages[0].content", "invalid_type")]
    [InlineData("[{\"role\":\"user\",\"content\":[]}]", "messages[0].content", "invalid_value")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]", "messages[0].content[0].type", "unsupported_parameter")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages[0].content[0].text", "missing_required_parameter")]
    [InlineData("[{\"role\":\"user\",\"content\":\"Hi\",\"tool_calls\":[]}]", "messages[0].tool_calls", "unknown_parameter")]
    [InlineData("[{\"role\":\"assistant\"}]", "messages[0].content", "missing_required_parameter")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"[1]\"}}]}]", "messages[0].tool_calls[0].function.arguments", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}]", "messages[0].tool_calls[0].function.arguments", "invalid_value")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]", "messages[0].tool_calls[0].function.arguments", "invalid_type")]
    [InlineData("[{\"role\":\"assistant\",\"content\":\"x\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]", "messages[0].tool_calls[1].id", "invalid_value")]
    [InlineData("[{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"nope\"}]", "messages[0].tool_call_id", "invalid_value")]
    [InlineData("[{\"role\":\"tool\",\"content\":\"x\"}]", "messages[0].tool_call_id", "missing_required_parameter")]
    [InlineData("[{\"role\":\"user\",\"content\":\"\\ud800\"}]", "messages[0].content", "invalid_unicode")]
    public async Task Chat_MessageThatIsWrong_IsA400NamingIt(string messages, string param, string code)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, $"{{\"model\":\"{FakeEngine.ModelName}\",\"messages\":{messages}}}");

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal((param, code), (error["param"]?.GetValue<string>(), error["code"]?.GetValue<string>()));
    }

    [Theory]
    [InlineData("\"temperature\":null,\"stop\":null,\"tools\":null,\"tool_choice\":null,\"n\":null,\"logit_bias\":null,\"audio\":null,\"functions\":null,\"stream_options\":null")]
    [InlineData("\"user\":\"u\",\"safety_identifier\":\"s\",\"prompt_cache_key\":\"k\",\"metadata\":{\"a\":\"b\"},\"service_tier\":\"auto\",\"store\":false")]
    [InlineData("\"response_format\":{\"type\":\"text\"},\"modalities\":[\"text\"],\"parallel_tool_calls\":true,\"top_p\":0")]
    [InlineData("\"tools\":[],\"tool_choice\":\"none\",\"parallel_tool_calls\":false")]
    public async Task Chat_NullsAndNoOps_AreAccepted(string more)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat(more).ToJsonString());

        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("\"functions\":[{\"name\":\"f\"}],\"tools\":[]", "functions")]
    [InlineData("\"functions\":[{\"name\":\"f\"}],\"tool_choice\":\"auto\"", "functions")]
    [InlineData("\"function_call\":\"none\",\"tools\":[]", "function_call")]
    public async Task Chat_OlderAndNewerForm_AreNotMixed(string more, string param)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat(more).ToJsonString());

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
    }

    [Fact]
    public async Task Chat_SchemaThatCannotBeEnforced_TheMessageHoldsItsPointer()
    {
        using ApiServer server = new();
        const string Tools = """[{"type":"function","function":{"name":"g","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"cat"}}}}}]""";
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat($"\"tools\":{Tools}").ToJsonString());

        Assert.Contains("/properties/a", (await Json.ErrorAsync(response, 400))["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public async Task Chat_Tools_UpTo128(int count, bool accepted)
    {
        using ApiServer server = new();
        string tools = string.Join(',', Enumerable.Range(0, count).Select(number => $"{{\"type\":\"function\",\"function\":{{\"name\":\"f{number}\"}}}}"));
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat($"\"tools\":[{tools}]").ToJsonString());

        Assert.Equal(accepted, response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Chat_BothTokenLimits_AreRefused()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, Json.Chat("\"max_tokens\":1,\"max_completion_tokens\":1").ToJsonString());

        Assert.Equal("max_tokens", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("/v1/chat/completions", "{\"model\":\"other\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")]
    [InlineData("/v1/completions", "{\"model\":\"other\",\"prompt\":\"Hi\"}")]
    [InlineData("/tokenize", "{\"model\":\"other\",\"prompt\":\"Hi\"}")]
    [InlineData("/detokenize", "{\"model\":\"other\",\"tokens\":[5]}")]
    public async Task AnyRoute_UnknownModel_Is404(string route, string body)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(route, body);

        JsonNode error = await Json.ErrorAsync(response, 404);
        Assert.Equal(("model", "model_not_found"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", "model")]
    [InlineData("/v1/chat/completions", "{\"model\":\"org/test-model\"}", "messages")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\"}", "prompt")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":\"\"}", "prompt")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":[]}", "prompt")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":[5,99999]}", "prompt[1]")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":[5,-1]}", "prompt[1]")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":[[5],[6,\"x\"]]}", "prompt[1][1]")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":[\"a\",\"\"]}", "prompt[1]")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":{\"a\":1}}", "prompt")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":\"a\",\"best_of\":2}", "best_of")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":\"a\",\"suffix\":\"b\"}", "suffix")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":\"a\",\"logprobs\":21}", "logprobs")]
    [InlineData("/v1/completions", "{\"model\":\"org/test-model\",\"prompt\":\"a\",\"messages\":[]}", "messages")]
    [InlineData("/tokenize", "{}", "prompt")]
    [InlineData("/tokenize", "{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", "messages")]
    [InlineData("/tokenize", "{\"prompt\":\"a\",\"tools\":[]}", "tools")]
    [InlineData("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"add_special_tokens\":true}", "add_special_tokens")]
    [InlineData("/detokenize", "{\"tokens\":[5,99999]}", "tokens[1]")]
    [InlineData("/detokenize", "{\"tokens\":[5,-1]}", "tokens[1]")]
    public async Task AnyRoute_FieldThatIsMissingOrWrong_IsA400NamingIt(string route, string body, string param)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(route, body);

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]?.GetValue<string>());
    }

    [Fact]
    public void Shapes_EveryFieldOfOpenAisChatRequest_IsKnown()
    {
        // The request fields of OpenAI's API reference (chat completions), deprecated ones included.
        string[] openAi =
        [
            "messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
            "metadata", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort",
            "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
            "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
        ];
        ObjectShape shape = ChatCompletionShape.Shape;
        Assert.Empty(openAi.Except(shape.Fields.Select(field => field.Name)).Except(shape.Refused.Keys));
    }
}
