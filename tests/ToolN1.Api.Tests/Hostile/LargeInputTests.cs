using System.Net;
using System.Text;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Hostile;

/// <summary>Sizes that make a quadratic step an outage. The limits of time are far above what the work needs.</summary>
public sealed class LargeInputTests
{
    private const int Limit = 5 * 60_000;

    public static TheoryData<string, string> Conversations => new()
    {
        { "short messages", """{"role":"user","content":"Hi"}""" },
        { "empty messages", """{"role":"user","content":""}""" },
        { "empty parts", """{"role":"user","content":[{"type":"text","text":""}]}""" },
        { "empty systems", """{"role":"system","content":""}""" },
        { "empty calls", """{"role":"assistant","content":"","tool_calls":[]}""" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Conversations))]
    public async Task HundredThousandMessages_AreTooLongForTheModel(string what, string message)
    {
        Assert.NotEmpty(what);
        using ApiServer server = new();
        string body = $$"""{"model":"{{FakeEngine.ModelName}}","messages":[{{string.Join(',', Enumerable.Repeat(message, 100_000))}}]}""";
        using HttpResponseMessage response = await PostAsync(server, Json.ChatRoute, body, TestContext.Current.CancellationToken);

        Assert.Equal("context_length_exceeded", (await Json.ErrorAsync(response, 400))["code"]!.GetValue<string>());
    }

    [Fact(Timeout = Limit)]
    public async Task HundredThousandCallsAndResults_AreTooLongForTheModel()
    {
        using ApiServer server = new();
        StringBuilder messages = new();
        for (int i = 0; i < 50_000; i++)
        {
            messages.Append($$$"""{"role":"assistant","content":null,"tool_calls":[{"id":"{{{i}}}","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"{{{i}}}","content":""},""");
        }

        using HttpResponseMessage response = await PostAsync(server, Json.ChatRoute, $$"""{"model":"{{FakeEngine.ModelName}}","messages":[{{messages.ToString().TrimEnd(',')}}]}""", TestContext.Current.CancellationToken);

        Assert.Equal("context_length_exceeded", (await Json.ErrorAsync(response, 400))["code"]!.GetValue<string>());
    }

    [Fact(Timeout = Limit)]
    public async Task ManyTextParts_AreTooLongForTheModel()
    {
        using ApiServer server = new();
        string parts = string.Join(',', Enumerable.Repeat("""{"type":"text","text":"a"}""", 300_000));
        using HttpResponseMessage response = await PostAsync(server, Json.ChatRoute, $$"""{"model":"{{FakeEngine.ModelName}}","messages":[{"role":"user","content":[{{parts}}]}]}""", TestContext.Current.CancellationToken);

        Assert.Equal("context_length_exceeded", (await Json.ErrorAsync(response, 400))["code"]!.GetValue<string>());
    }

    [Theory(Timeout = Limit)]
    [InlineData("{\"KEY\":1}")]
    [InlineData("{\"model\":\"KEY\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")]
    [InlineData("{\"model\":\"org/test-model\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"KEY\",\"content\":\"\"}]}")]
    [InlineData("{\"model\":\"org/test-model\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"logit_bias\":{\"KEY\":1}}")]
    [InlineData("{\"model\":\"org/test-model\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"KEY\":1,\"KEY\":2}}}]}")]
    public async Task Error_AboutALongText_IsShort(string body)
    {
        using ApiServer server = new();
        using HttpResponseMessage response = await PostAsync(server, Json.ChatRoute, body.Replace("KEY", new string('k', 1_000_000), StringComparison.Ordinal), TestContext.Current.CancellationToken);

        Assert.InRange((int)response.StatusCode, 400, 404);
        Assert.InRange((await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 1, 4000);
    }

    [Fact(Timeout = Limit)]
    public async Task ManyKeysAndTools_AreAnswered()
    {
        using ApiServer server = new();
        string keys = string.Join(',', Enumerable.Range(0, 300_000).Select(i => $"\"{i:x}\":1"));
        using HttpResponseMessage long1 = await PostAsync(server, Json.ChatRoute, Json.Chat().ToJsonString().TrimEnd('}')
            + ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{" + keys + "}}}]}", TestContext.Current.CancellationToken);
        Assert.Equal("context_length_exceeded", (await Json.ErrorAsync(long1, 400))["code"]!.GetValue<string>());

        string tools = string.Join(',', Enumerable.Range(0, 100_000).Select(i => $$$"""{"type":"function","function":{"name":"f{{{i}}}"}}"""));
        using HttpResponseMessage many = await PostAsync(server, Json.ChatRoute, Json.Chat().ToJsonString().TrimEnd('}') + $$""","tools":[{{tools}}]}""", TestContext.Current.CancellationToken);
        Assert.Equal("tools", (await Json.ErrorAsync(many, 400))["param"]!.GetValue<string>());

        using HttpResponseMessage ids = await PostAsync(server, Json.CompletionRoute, Json.Completion($"\"prompt\":[{string.Join(',', Enumerable.Repeat("7", 2_000_000))}]").ToJsonString(), TestContext.Current.CancellationToken);
        Assert.Equal("context_length_exceeded", (await Json.ErrorAsync(ids, 400))["code"]!.GetValue<string>());

        using HttpResponseMessage after = await PostAsync(server, Json.ChatRoute, Json.Chat().ToJsonString(), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    private static Task<HttpResponseMessage> PostAsync(ApiServer server, string route, string json, CancellationToken cancellationToken) =>
        server.Client.PostAsync(route, new StringContent(json, Encoding.UTF8, "application/json"), cancellationToken);
}
