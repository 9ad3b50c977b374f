using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Hostile;

public sealed class HostileInputTests
{
    public static TheoryData<string, string> MalformedBodies => new()
    {
        { "", "invalid_json" },
        { " ", "invalid_json" },
        { "{", "invalid_json" },
        { "not json", "invalid_json" },
        { "{\"model\":NaN}", "invalid_json" },
        { "{\"temperature\":Infinity}", "invalid_json" },
        { "{\"a\":1,}", "invalid_json" },
        { "// comment\n{}", "invalid_json" },
        { "{} {}", "invalid_json" },
        { new string('[', 200), "invalid_json" },
        { new string('[', 100) + new string(']', 100), "invalid_json" },
        { "\uFEFF{}", "invalid_json" },
        { "[]", "invalid_type" },
        { "null", "invalid_type" },
        { "\"text\"", "invalid_type" },
        { "{\"model\":\"a\",\"model\":\"b\"}", "duplicate_parameter" },
        { "{\"\\ud800\":1}", "invalid_unicode" },
        { "{\"\":1}", "unknown_parameter" },
    };

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task AnyRoute_MalformedBody_IsA400Envelope(string body, string code)
    {
        using ApiServer server = new();
        foreach (string route in new[] { "/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize" })
        {
            using HttpResponseMessage response = await server.PostAsync(route, body);
            Assert.Equal(code, (await Json.ErrorAsync(response, 400))["code"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task MalformedJson_TheErrorSaysWhere()
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, "{\n\"model\": oops}");

        Assert.Contains("line 2, byte 10", (await Json.ErrorAsync(response, 400))["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task InvalidUtf8_IsA400()
    {
        using ApiServer server = new();
        using ByteArrayContent content = new([.. "{\"model\":\""u8, 0xFF, .. "\"}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await server.Client.PostAsync(Json.ChatRoute, content, TestContext.Current.CancellationToken);

        Assert.Equal("invalid_utf8", (await Json.ErrorAsync(response, 400))["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData(null)]
    public async Task OtherContentType_Is415(string? type)
    {
        using ApiServer server = new();
        using ByteArrayContent content = new(Encoding.UTF8.GetBytes(Json.Chat().ToJsonString()));
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        using HttpResponseMessage response = await server.Client.PostAsync(Json.ChatRoute, content, TestContext.Current.CancellationToken);

        await Json.ErrorAsync(response, 415);
    }

    [Theory]
    [InlineData("gzip", 415)]
    [InlineData("identity", 200)]
    public async Task CompressedBody_Is415(string encoding, int status)
    {
        using ApiServer server = new();
        using StringContent content = new(Json.Chat().ToJsonString(), Encoding.UTF8, "application/json");
        content.Headers.ContentEncoding.Add(encoding);
        using HttpResponseMessage response = await server.Client.PostAsync(Json.ChatRoute, content, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        if (status == 415)
        {
            Assert.Contains("Content-Encoding", (await Json.ErrorAsync(response, 415))["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BodyTooLarge_Is413(bool announced)
    {
        using ApiServer server = new(("ToolN1:Server:MaxRequestBodyMiB", "1"));
        using HttpRequestMessage request = new(HttpMethod.Post, Json.ChatRoute)
        {
            Content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(Json.Chat(content: new string('a', 1100000)).ToJsonString()))),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = !announced;
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await Json.ErrorAsync(response, 413);
    }

    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/v1", 404)]
    [InlineData("GET", "/v1/unknown", 404)]
    [InlineData("POST", "/v2/chat/completions", 404)]
    [InlineData("GET", "/v1/models/nope", 404)]
    [InlineData("GET", "/v1/models/no/pe", 404)]
    [InlineData("GET", "/openapi/v2.json", 404)]
    [InlineData("GET", "/v1/chat/completions", 405)]
    [InlineData("DELETE", "/v1/models", 405)]
    [InlineData("PUT", "/tokenize", 405)]
    [InlineData("OPTIONS", "/v1/chat/completions", 405)]
    [InlineData("PATCH", "/v1/completions", 405)]
    [InlineData("POST", "/health/live", 405)]
    [InlineData("POST", "/openapi/v1.json", 405)]
    [InlineData("POST", "/v1/chat/completions/more", 404)]
    [InlineData("GET", "/V2/models", 404)]
    public async Task UnknownRouteOrMethod_IsTheEnvelope(string method, string route, int status)
    {
        using ApiServer server = new();
        using HttpRequestMessage request = new(new HttpMethod(method), route);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await Json.ErrorAsync(response, status);
        Assert.Equal(status == 405, response.Content.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("my-id_1.2:3", true)]
    [InlineData("has space", false)]
    [InlineData("<script>", false)]
    public async Task RequestId_SaneOnesAreEchoedOthersReplaced(string given, bool echoed)
    {
        using ApiServer server = new();
        using HttpRequestMessage request = new(HttpMethod.Get, "/health/live");
        request.Headers.TryAddWithoutValidation("x-request-id", given);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        string id = response.Headers.GetValues("x-request-id").Single();
        Assert.Equal(echoed, id == given);
        Assert.True(echoed || id.StartsWith("req_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LongNestedToolSchema_WithinTheDepthLimit_IsAccepted()
    {
        using ApiServer server = new();
        string schema = string.Concat(Enumerable.Repeat("{\"a\":", 50)) + "{}" + new string('}', 50);
        using HttpResponseMessage response = await server.PostAsync(
            Json.ChatRoute, Json.Chat($$$"""
            "tools":[{"type":"function","function":{"name":"f","parameters":{{{schema}}}}}]
            """).ToJsonString());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Errors_NeverRepeatTheContentOfMessages()
    {
        using ApiServer server = new();
        JsonObject body = Json.Chat("\"temperature\":9", content: "my secret");
        using HttpResponseMessage response = await server.PostAsync(Json.ChatRoute, body.ToJsonString());

        Assert.DoesNotContain("secret", (await Json.ErrorAsync(response, 400)).ToJsonString(), StringComparison.Ordinal);
    }
}
