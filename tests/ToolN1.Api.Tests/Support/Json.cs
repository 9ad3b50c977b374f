using System.Text.Json.Nodes;

namespace ToolN1.Api.Tests.Support;

/// <summary>Requests that tests start from, and assertions on answers.</summary>
internal static class Json
{
    public const string ChatRoute = "/v1/chat/completions";
    public const string CompletionRoute = "/v1/completions";

    public const string Weather =
        """{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}""";

    /// <summary>A chat request with the given further fields (<c>"n": 2, "seed": 1</c>).</summary>
    public static JsonObject Chat(string more = "", string content = "Hi") => Object(
        $$"""{"model":"{{FakeEngine.ModelName}}","messages":[{"role":"user","content":{{JsonValue.Create(content).ToJsonString()}}}]{{(more.Length == 0 ? "" : "," + more)}}}""");

    /// <summary>A text completion with the given further fields.</summary>
    public static JsonObject Completion(string more) => Object($$"""{"model":"{{FakeEngine.ModelName}}",{{more}}}""");

    public static JsonObject Object(string json) => (JsonObject)JsonNode.Parse(json)!;

    /// <summary>Asserts an OpenAI error envelope and returns its error.</summary>
    public static async Task<JsonNode> ErrorAsync(HttpResponseMessage response, int status)
    {
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.Contains("x-request-id"));
        JsonObject envelope = Object(text);
        Assert.Equal(["error"], envelope.Select(pair => pair.Key));
        JsonObject error = (JsonObject)envelope["error"]!;
        Assert.Equal(["message", "type", "param", "code"], error.Select(pair => pair.Key));
        Assert.NotEmpty(error["message"]!.GetValue<string>());
        return error;
    }
}
