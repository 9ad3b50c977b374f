using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class GraderTests : IDisposable
{
    private const string Route = "/v1/fine_tuning/alpha/graders/";

    private readonly ApiServer _server = new(("ToolN1:Auth:AdminKeys:0", "admin"), ("ToolN1:Auth:ApiKeys:0", "api"));

    public GraderTests() => _server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "admin");

    public void Dispose() => _server.Dispose();

    private static JsonObject ToolCall(string sample) => new()
    {
        ["grader"] = Json.Object("""{"type": "tool_call", "name": "calls", "reference": "{{item.answer}}"}"""),
        ["item"] = Json.Object("""{"answer": [{"name": "f", "arguments": {"a": 1}}]}"""),
        ["model_sample"] = sample,
    };

    [Theory]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call>""", 1, null)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": 1.0}}]</tool_call>""", 0, "mismatch")]
    [InlineData("Sorry.", 0, "no_block")]
    public async Task Run_ToolCall_AnswersInOpenAisShape(string sample, double reward, string? failure)
    {
        JsonNode answer = await _server.PostJsonAsync(Route + "run", ToolCall(sample));

        Assert.Equal(["reward", "sub_rewards", "metadata", "model_grader_token_usage_per_model"], answer.AsObject().Select(field => field.Key));
        Assert.Equal(reward, answer["reward"]!.GetValue<double>());
        JsonObject metadata = answer["metadata"]!.AsObject();
        Assert.Equal(("calls", "tool_call"), (metadata["name"]!.GetValue<string>(), metadata["type"]!.GetValue<string>()));
        Assert.Equal(reward, metadata["scores"]!["calls"]!.GetValue<double>());
        Assert.Equal(failure, metadata["failure"]?.GetValue<string>());
        Assert.Equal(14, metadata["errors"]!.AsObject().Count);
        Assert.All(metadata["errors"]!.AsObject(), error => Assert.True(error.Value is null || !error.Value.GetValue<bool>(), error.Key));
        Assert.True(metadata["execution_time"]!.GetValue<double>() >= 0);
        Assert.Null(metadata["sampled_model_name"]);
    }

    [Fact]
    public async Task Run_MissingVariable_IsAnErrorOfTheRunAndNotOfTheRequest()
    {
        JsonObject request = ToolCall("x");
        request["item"] = new JsonObject();

        JsonNode answer = await _server.PostJsonAsync(Route + "run", request);

        Assert.Equal(0, answer["reward"]!.GetValue<double>());
        Assert.True(answer["metadata"]!["errors"]!["invalid_variable_error"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Run_SampleWithHalfASurrogatePair_IsAnErrorOfTheRunAndNotOfTheServer()
    {
        JsonObject request = ToolCall("""{"a":"\ud800"}""");
        request["grader"] = Json.Object("""{"type": "string_check", "name": "s", "operation": "eq", "input": "{{sample.output_json.a}}", "reference": "x"}""");

        JsonNode answer = await _server.PostJsonAsync(Route + "run", request);

        Assert.Equal(0, answer["reward"]!.GetValue<double>());
        Assert.True(answer["metadata"]!["errors"]!["sample_parse_error"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("""{"type": "python", "name": "p", "source": "x"}""", "grader.type", "unsupported_parameter")]
    [InlineData("""{"type": "text_similarity", "name": "t", "evaluation_metric": "cosine", "input": "a", "reference": "b"}""", "grader.evaluation_metric", "unsupported_parameter")]
    [InlineData("""{"type": "text_similarity", "name": "t", "evaluation_metric": "vibes", "input": "a", "reference": "b"}""", "grader.evaluation_metric", "invalid_value")]
    [InlineData("""{"type": "string_check", "name": "s", "operation": "eq", "input": "{{oops}}", "reference": "b"}""", "grader.input", "invalid_value")]
    [InlineData("""{"type": "string_check", "name": "s", "operation": "eq", "input": "a", "reference": "b", "extra": 1}""", "grader.extra", "unknown_parameter")]
    [InlineData("""{"type": "multi", "name": "m", "graders": {"a": {"type": "string_check", "name": "s", "operation": "eq", "input": "a", "reference": "b"}}, "calculate_output": "b"}""", "grader.calculate_output", "invalid_value")]
    public async Task RunAndValidate_GraderThatCannotBeUsed_NameTheField(string grader, string param, string code)
    {
        foreach (string action in (string[])["run", "validate"])
        {
            JsonObject request = new() { ["grader"] = JsonNode.Parse(grader) };
            if (action == "run")
            {
                request["model_sample"] = "x";
            }

            using HttpResponseMessage response = await _server.PostAsync(Route + action, request.ToJsonString());
            JsonNode error = await Json.ErrorAsync(response, 400);

            Assert.Equal((param, code), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Validate_GraderThatCanBeUsed_ComesBack()
    {
        JsonNode grader = ToolCall("")["grader"]!.DeepClone();

        JsonNode answer = await _server.PostJsonAsync(Route + "validate", new JsonObject { ["grader"] = grader.DeepClone() });

        Assert.True(JsonNode.DeepEquals(grader, answer["grader"]));
    }

    [Theory]
    [InlineData("api", HttpStatusCode.Forbidden)]
    [InlineData("wrong", HttpStatusCode.Unauthorized)]
    public async Task Run_WithoutAnAdminKey_IsRefused(string key, HttpStatusCode status)
    {
        _server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

        using HttpResponseMessage response = await _server.PostAsync(Route + "run", ToolCall("x").ToJsonString());

        Assert.Equal(status, response.StatusCode);
    }
}
