using System.Text;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

/// <summary>Who shares cached prompt prefixes.</summary>
public sealed class TenantTests
{
    [Fact]
    public async Task Keys_SaltThePrefixCache()
    {
        using ApiServer server = new(("ToolN1:Auth:ApiKeys:0", "one"), ("ToolN1:Auth:ApiKeys:1", "two"));
        foreach (string key in new[] { "one", "two", "one" })
        {
            await SendAsync(server, Json.ChatRoute, Json.Chat().ToJsonString(), key);
        }

        await SendAsync(server, Json.CompletionRoute, Json.Completion("\"prompt\":\"Hi\"").ToJsonString(), "one");
        string?[] salts = [.. server.Engine.Requests.Select(request => request.CacheSalt)];
        Assert.NotNull(salts[0]);
        Assert.NotEqual(salts[0], salts[1]);
        Assert.Equal([salts[0], salts[0]], [salts[2], salts[3]]);
        Assert.DoesNotContain("one", salts[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CacheSalt_OfTheRequest_TellsItsCallersApart()
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat("\"cache_salt\":\"a\""));
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat("\"cache_salt\":\"b\""));
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat());

        Assert.Equal(3, server.Engine.Requests.Select(request => request.CacheSalt).Distinct().Count());
        Assert.Null(server.Engine.Requests.Last().CacheSalt);
    }

    private static async Task SendAsync(ApiServer server, string route, string body, string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, route) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", key);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode);
    }
}
