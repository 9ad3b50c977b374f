using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Configuration;
using ToolN1.Api.Auth;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class AuthTests
{
    private static readonly (string, string)[] Keys = [("ToolN1:Auth:ApiKeys:0", "api-one"), ("ToolN1:Auth:ApiKeys:1", "api-two"), ("ToolN1:Auth:AdminKeys:0", "admin")];

    [Theory]
    [InlineData("api-one", 200)]
    [InlineData("api-two", 200)]
    [InlineData("admin", 200)]
    [InlineData("wrong", 401)]
    [InlineData("api-on", 401)]
    [InlineData("api-one2", 401)]
    [InlineData("", 401)]
    [InlineData(null, 401)]
    public async Task Inference_WithKeysConfigured_NeedsOne(string? key, int status)
    {
        using ApiServer server = new(Keys);
        (HttpMethod Method, string Route, string? Body)[] routes =
        [
            (HttpMethod.Get, "/v1/models", null), (HttpMethod.Get, "/v1/models/" + FakeEngine.ModelName, null), (HttpMethod.Get, "/metrics", null),
            (HttpMethod.Post, "/v1/chat/completions", Json.Chat().ToJsonString()), (HttpMethod.Post, "/v1/completions", Json.Completion("\"prompt\":\"a\"").ToJsonString()),
            (HttpMethod.Post, "/tokenize", "{\"prompt\":\"a\"}"), (HttpMethod.Post, "/detokenize", "{\"tokens\":[5]}"),
        ];
        foreach ((HttpMethod method, string route, string? body) in routes)
        {
            using HttpRequestMessage request = new(method, route) { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
            request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal((route, status), (route, (int)response.StatusCode));
            if (status == 401)
            {
                Assert.Equal("invalid_api_key", (await Json.ErrorAsync(response, 401))["code"]!.GetValue<string>());
                Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
            }
        }
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/live?probe=7")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/swagger/index.html")]
    public async Task ProbesAndDocumentation_NeedNoKey(string route)
    {
        using ApiServer server = new(Keys);
        using HttpResponseMessage response = await server.Client.GetAsync(route, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("localhost:8080", 200)]
    [InlineData("127.0.0.1:8080", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("evil.example", 403)]
    [InlineData("localhost.evil.example", 403)]
    [InlineData("192.168.0.5", 403)]
    public async Task WithoutKeys_OnlyNamesOfThisMachineAreAnswered(string host, int status)
    {
        using ApiServer server = new();
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models");
        request.Headers.Host = host;
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("127.0.0.1", 200)]
    [InlineData("::1", 200)]
    [InlineData("::ffff:127.0.0.1", 200)]
    [InlineData("10.0.0.7", 403)]
    [InlineData("::ffff:10.0.0.7", 403)]
    public async Task WithoutKeys_OnlyThisMachineIsAnswered(string address, int status)
    {
        using ApiServer server = new();
        Microsoft.AspNetCore.Http.HttpContext context = await server.Server.SendAsync(request =>
        {
            request.Request.Path = "/v1/models";
            request.Request.Host = new("localhost");
            request.Request.Method = "GET";
            request.Connection.RemoteIpAddress = IPAddress.Parse(address);
        }, TestContext.Current.CancellationToken);

        Assert.Equal(status, context.Response.StatusCode);
    }

    [Fact]
    public async Task WithKeys_AnyHostAndAddressMayAsk()
    {
        using ApiServer server = new(Keys);
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "models.example";
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "api-one");
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("urls", "http://0.0.0.0:8080", false)]
    [InlineData("urls", "http://*:8080", false)]
    [InlineData("urls", "http://+:8080", false)]
    [InlineData("urls", "http://[::]:8080", false)]
    [InlineData("urls", "http://127.0.0.1:1;http://192.168.1.2:2", false)]
    [InlineData("urls", "http://myhost:8080", false)]
    [InlineData("http_ports", "8080", false)]
    [InlineData("https_ports", "8443", false)]
    [InlineData("Kestrel:Endpoints:A:Url", "http://0.0.0.0:80", false)]
    [InlineData("urls", "http://127.0.0.1:8080", true)]
    [InlineData("urls", "http://localhost:8080;http://[::1]:8081", true)]
    [InlineData("urls", "http://unix:/tmp/tooln1.sock", true)]
    public void Start_BeyondThisMachineWithoutKeys_IsRefused(string key, string value, bool allowed)
    {
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        KeyRing none = new(new AuthOptions());
        KeyRing some = new(new AuthOptions { ApiKeys = ["k"] });

        LoopbackGuard.Require(configuration, some);
        if (allowed)
        {
            LoopbackGuard.Require(configuration, none);
        }
        else
        {
            StartupException refusal = Assert.Throws<StartupException>(() => LoopbackGuard.Require(configuration, none));
            Assert.Contains("ToolN1:Auth:ApiKeys", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Keys_GivenAsOneValueOrAsAList_AreRead()
    {
        IConfigurationRoot configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ToolN1:Auth:ApiKeys", "single"), new("ToolN1:Auth:AdminKeys:0", "a"), new("ToolN1:Auth:AdminKeys:1", "b")]).Build();
        AuthOptions options = AuthOptions.Read(configuration);

        Assert.Equal(["single"], options.ApiKeys);
        Assert.Equal(["a", "b"], options.AdminKeys);
    }

    [Fact]
    public void Keys_EmptyEntry_IsRefusedByName()
    {
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ToolN1:Auth:ApiKeys:0", " ")]).Build();

        Assert.Contains("ToolN1:Auth:ApiKeys:0", Assert.Throws<StartupException>(() => AuthOptions.Read(configuration)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyRing_ApiKey_DoesNotOpenAdminRoutes()
    {
        KeyRing keys = new(new AuthOptions { ApiKeys = ["api"], AdminKeys = ["admin"] });

        Assert.True(keys.Opens("api", Access.ApiKey));
        Assert.False(keys.Opens("api", Access.AdminKey));
        Assert.True(keys.Opens("admin", Access.AdminKey));
        Assert.True(keys.Opens("admin", Access.ApiKey));
    }
}
