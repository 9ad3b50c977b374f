using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class InformationRouteTests
{
    [Fact]
    public async Task Models_ListAndLookup_AgreeOnTheServedModel()
    {
        using ApiServer server = new();
        JsonNode list = JsonNode.Parse(await server.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken))!;
        JsonNode one = JsonNode.Parse(await server.Client.GetStringAsync("/v1/models/" + FakeEngine.ModelName, TestContext.Current.CancellationToken))!;

        Assert.Equal("list", list["object"]!.GetValue<string>());
        Assert.Equal("""{"id":"org/test-model","object":"model","created":1234,"owned_by":"tool-n1","max_model_len":8192}""", one.ToJsonString());
        Assert.Equal(one.ToJsonString(), list["data"]!.AsArray().Single()!.ToJsonString());
    }

    [Theory]
    [InlineData("org%2Ftest-model")]
    [InlineData("org%2ftest-model")]
    public async Task Models_IdWhoseSlashIsEscaped_IsFound(string id)
    {
        using ApiServer server = new();
        HttpContext context = await server.Server.SendAsync(request =>
        {
            // As Kestrel gives it, which unescapes a path but for its slashes; the tests' client would unescape them too.
            request.Request.Path = "/v1/models/" + id;
            request.Request.Host = new("localhost");
            request.Request.Method = "GET";
        }, TestContext.Current.CancellationToken);

        Assert.Equal(StatusCodes.Status200OK, context.Response.StatusCode);
    }

    [Fact]
    public async Task Models_UnknownId_IsTheModelNotFoundEnvelope()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.Client.GetAsync("/v1/models/none", TestContext.Current.CancellationToken);

        Assert.Equal("model_not_found", (await Json.ErrorAsync(response, 404))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Tokenize_RawText_RecognisesControlTokensAndDetokenizeReturnsIt()
    {
        using ApiServer server = new();
        JsonNode tokens = await server.PostJsonAsync("/tokenize", Json.Object("""{"prompt":"<|im_start|>the cat","return_token_strs":true}"""));
        JsonNode text = await server.PostJsonAsync("/detokenize", new JsonObject { ["tokens"] = tokens["tokens"]!.DeepClone() });

        Assert.Equal(2, tokens["tokens"]![0]!.GetValue<int>());
        Assert.Equal(tokens["tokens"]!.AsArray().Count, tokens["count"]!.GetValue<int>());
        Assert.Equal(8192, tokens["max_model_len"]!.GetValue<int>());
        Assert.Equal("<|im_start|>the cat", string.Concat(tokens["token_strs"]!.AsArray().Select(token => token!.GetValue<string>())));
        Assert.Equal("""{"prompt":"\u003C|im_start|\u003Ethe cat"}""", text.ToJsonString());
    }

    [Fact]
    public async Task Tokenize_Conversation_IsExactlyWhatChatSendsToTheModel()
    {
        using ApiServer server = new();
        JsonObject chat = Json.Chat($"\"tools\":[{Json.Weather}]");
        await server.PostJsonAsync(Json.ChatRoute, chat);
        JsonNode tokens = await server.PostJsonAsync("/tokenize", chat);
        chat["add_generation_prompt"] = false;
        JsonNode open = await server.PostJsonAsync("/tokenize", chat);

        Assert.Equal(server.Engine.Requests.Single().PromptTokenIds, tokens["tokens"]!.AsArray().Select(id => id!.GetValue<int>()));
        Assert.True(open["count"]!.GetValue<int>() < tokens["count"]!.GetValue<int>());
        Assert.False(tokens.AsObject().ContainsKey("token_strs"));
    }

    [Theory]
    [InlineData("/health/live", HttpStatusCode.OK)]
    [InlineData("/health/ready", HttpStatusCode.ServiceUnavailable)]
    public async Task Health_AskedWithHead_AnswersAsToGet(string route, HttpStatusCode status)
    {
        using ApiServer server = new(engine => engine.Healthy = false);
        using HttpRequestMessage request = new(HttpMethod.Head, route);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Ready_OnceTheModelAnswered_UntilTheEngineGivesUp()
    {
        TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ApiServer server = new(engine => engine.BeforeToken = (_, _, _) => loaded.Task);
        using HttpResponseMessage live = await server.Client.GetAsync("/health/live", TestContext.Current.CancellationToken);
        using HttpResponseMessage early = await server.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        Assert.Equal("not_ready", (await Json.ErrorAsync(early, 503))["code"]!.GetValue<string>());

        loaded.SetResult();

        HttpStatusCode status = HttpStatusCode.ServiceUnavailable;
        while (status == HttpStatusCode.ServiceUnavailable)
        {
            using HttpResponseMessage ready = await server.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            status = ready.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, status);

        // An engine that gave up must leave the load balancer's rotation.
        server.Engine.Healthy = false;
        using HttpResponseMessage after = await server.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.Equal("not_ready", (await Json.ErrorAsync(after, 503))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Metrics_ShowEngineAndRequests()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat());
        string metrics = await server.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);

        Assert.Contains("tooln1_sequences_running", metrics, StringComparison.Ordinal);
        Assert.Contains("tooln1_kv_blocks_total", metrics, StringComparison.Ordinal);
        Assert.Contains("tooln1_tokens_generated_total", metrics, StringComparison.Ordinal);
        // Meters are known by name within a process, so servers of tests that run beside this one may count here too.
        Assert.Matches("tooln1_request_duration_seconds_count\\{[^}]*endpoint=\"chat\"[^}]*\\} [1-9]", metrics);
        Assert.Contains("tooln1_request_first_piece_seconds_bucket", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "tooln1")]
    [InlineData("weather-cluster", "weather-cluster")]
    public async Task Metrics_NameTheService_AsTheEnvironmentSays(string? environment, string expected)
    {
        using ApiServer server = environment is null ? new() : new(("OTEL_SERVICE_NAME", environment));
        string metrics = await server.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);

        Assert.Contains($"service_name=\"{expected}\"", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown_service", metrics, StringComparison.Ordinal);
    }
}
