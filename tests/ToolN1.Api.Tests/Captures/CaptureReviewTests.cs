using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Captures;

/// <summary>Listing, reading, confirming, correcting, rejecting, deleting.</summary>
public sealed class CaptureReviewTests
{
    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Review_ChangesTheStatus_AndIsInTheAuditLog(string provider)
    {
        using CaptureServer server = new(settings: await TestDatabase.CreateAsync(provider));
        for (int i = 0; i < 3; i++)
        {
            await server.SendAsync(CaptureServer.Request());
        }

        string[] ids = [.. (await server.CapturesAsync(3)).Select(CaptureServer.Id)];
        JsonNode confirmed = await server.PostOkAsync($"{CaptureServer.Route}/{ids[0]}/confirm");
        JsonNode corrected = await server.PostOkAsync($"{CaptureServer.Route}/{ids[1]}/correct", """{"calls":[{"name":"get_weather","arguments":{"city":"Rome","days":1}}],"reasoning":"Rome."}""");
        JsonNode rejected = await server.PostOkAsync($"{CaptureServer.Route}/{ids[2]}/reject");

        Assert.Equal(["confirmed", "corrected", "rejected"], new[] { confirmed, corrected, rejected }.Select(capture => CaptureServer.Text(capture, "status")));
        Assert.All(new[] { confirmed, corrected, rejected }, capture => Assert.StartsWith("admin-", CaptureServer.Text(capture, "reviewed_by"), StringComparison.Ordinal));
        Assert.Equal("""{"calls":[{"name":"get_weather","arguments":{"city":"Rome","days":1}}],"reply":null,"reasoning":"Rome."}""", corrected["correction"]!.ToJsonString());
        Assert.Equal("""[{"name":"get_weather","arguments":{"city":"Paris","days":2}}]""", corrected["calls"]!.ToJsonString());
        using HttpResponseMessage deleted = await server.Training.Client.DeleteAsync($"{CaptureServer.Route}/{ids[2]}", TestContext.Current.CancellationToken);
        Assert.Equal($$"""{"id":"{{ids[2]}}","object":"capture","deleted":true}""", await deleted.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using HttpResponseMessage gone = await server.Training.Client.GetAsync($"{CaptureServer.Route}/{ids[2]}", TestContext.Current.CancellationToken);
        Assert.Equal("capture_not_found", CaptureServer.Text(await Json.ErrorAsync(gone, 404), "code"));
        JsonArray audit = (await server.GetAsync("/admin/audit"))["data"]!.AsArray();
        Assert.Equal(
            [("capture.delete", ids[2]), ("capture.reject", ids[2]), ("capture.correct", ids[1]), ("capture.confirm", ids[0])],
            audit.Select(entry => (CaptureServer.Text(entry!, "action"), CaptureServer.Text(entry!, "subject"))));

        // A reviewer may change their mind; the correction goes with the status.
        JsonNode again = await server.PostOkAsync($"{CaptureServer.Route}/{ids[1]}/confirm");
        Assert.Equal("confirmed", CaptureServer.Text(again, "status"));
        Assert.Null(again["correction"]);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task List_PagesAndFilters(string provider)
    {
        using CaptureServer server = new(settings: await TestDatabase.CreateAsync(provider));
        await server.SendAsync(CaptureServer.Request());
        server.Engine.Answer = _ => """<think>x</think><tool_call>[{"name": "get", "arguments": {}}]</tool_call>""";
        await server.SendAsync(CaptureServer.Request(), key: FineTuning.TrainingServer.Key);
        server.Engine.Answer = _ => "No.";
        await server.SendAsync(CaptureServer.Request());
        JsonNode[] captures = await server.CapturesAsync(3);
        string[] ids = [.. captures.Select(CaptureServer.Id)];
        await server.PostOkAsync($"{CaptureServer.Route}/{ids[0]}/correct", """{"calls":[]}""");

        JsonNode first = await server.GetAsync(CaptureServer.Route + "?limit=2");
        Assert.Equal([ids[2], ids[1]], first["data"]!.AsArray().Select(item => CaptureServer.Id(item!)));
        Assert.True(first["has_more"]!.GetValue<bool>());
        await ExpectAsync("limit=2&after=" + CaptureServer.Text(first, "last_id"), ids[0]);
        await ExpectAsync("status=corrected", ids[0]);
        await ExpectAsync("status=pending", ids[2], ids[1]);
        await ExpectAsync("tool=get_weather", ids[0]);
        await ExpectAsync("tool=get", ids[1]);
        await ExpectAsync("tool=weather");
        await ExpectAsync("tenant=" + CaptureServer.Text(captures[1], "tenant"), ids[1]);
        await ExpectAsync("tenant=" + CaptureServer.Text(captures[0], "tenant") + "&status=pending", ids[2]);
        using HttpResponseMessage deleted = await server.Training.Client.DeleteAsync($"{CaptureServer.Route}/{ids[1]}", TestContext.Current.CancellationToken);
        using HttpResponseMessage gone = await server.Training.Client.GetAsync($"{CaptureServer.Route}?after={ids[1]}", TestContext.Current.CancellationToken);
        Assert.Equal("after", CaptureServer.Text(await Json.ErrorAsync(gone, 400), "param"));

        async Task ExpectAsync(string query, params string[] expected) =>
            Assert.Equal(expected, (await server.GetAsync($"{CaptureServer.Route}?{query}"))["data"]!.AsArray().Select(item => CaptureServer.Id(item!)));
    }

    [Fact]
    public async Task Confirm_AfterACorrection_ForgetsTheToolsThatItCalled()
    {
        using CaptureServer server = new();
        JsonObject request = CaptureServer.Request();
        request["tools"]!.AsArray().Add(Json.Object("""{"type":"function","function":{"name":"get_time"}}"""));
        string id = CaptureServer.Id(await server.OneAsync(request));
        await server.PostOkAsync($"{CaptureServer.Route}/{id}/correct", """{"calls":[{"name":"get_time","arguments":{}}]}""");
        Assert.Single((await server.GetAsync(CaptureServer.Route + "?tool=get_time"))["data"]!.AsArray());
        JsonNode confirmed = await server.PostOkAsync($"{CaptureServer.Route}/{id}/confirm");

        Assert.Equal("""["get_weather"]""", confirmed["called_tools"]!.ToJsonString());
        Assert.Empty((await server.GetAsync(CaptureServer.Route + "?tool=get_time"))["data"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"calls":[{"name":"get_whether","arguments":{}}]}""", "calls[0].name")]
    [InlineData("""{"calls":[{"name":"get_weather","arguments":{"city":7}}]}""", "calls[0].arguments.city")]
    [InlineData("""{"calls":[{"name":"get_weather","arguments":{"city":"Rome"}},{"name":"get_weather","arguments":{"days":1}}]}""", "calls[1].arguments.city")]
    [InlineData("""{"calls":[{"name":"get_weather","arguments":{"city":"Rome","days":0}}]}""", "calls[0].arguments.days")]
    [InlineData("""{"calls":[{"name":"get_weather","arguments":{"city":"Rome","unit":"C"}}]}""", "calls[0].arguments.unit")]
    [InlineData("""{"calls":[{"name":"get_weather","arguments":[]}]}""", "calls[0].arguments")]
    [InlineData("""{"calls":[{"name":"get_weather"}]}""", "calls[0].arguments")]
    [InlineData("""{"calls":[],"reply":"No."}""", "reply")]
    [InlineData("""{"calls":[],"note":"x"}""", "note")]
    [InlineData("{}", "calls")]
    public async Task Correct_WhatDoesNotFitTheTools_IsRefusedByFieldAndChangesNothing(string correction, string param)
    {
        using CaptureServer server = new();
        string route = $"{CaptureServer.Route}/{CaptureServer.Id(await server.OneAsync())}";
        JsonNode error = await server.RefusedAsync(400, route + "/correct", correction);

        Assert.Equal(param, CaptureServer.Text(error, "param"));
        Assert.Equal("pending", CaptureServer.Text(await server.GetAsync(route), "status"));
        Assert.Empty((await server.GetAsync("/admin/audit"))["data"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"name": "get_weather", "arguments": {"city": 7}}""", "calls[0].arguments.city")]
    [InlineData("""{"name": "get_whether", "arguments": {}}""", "calls[0].name")]
    public async Task Confirm_CallThatBreaksItsTool_IsRefused(string call, string param)
    {
        using CaptureServer server = new($"<think>x</think><tool_call>[{call}]</tool_call>");
        string route = $"{CaptureServer.Route}/{CaptureServer.Id(await server.OneAsync())}";
        JsonNode error = await server.RefusedAsync(409, route + "/confirm");

        Assert.Equal((param, "invalid_call"), (CaptureServer.Text(error, "param"), CaptureServer.Text(error, "code")));
        Assert.Equal("pending", CaptureServer.Text(await server.GetAsync(route), "status"));
    }

    /// <summary>JSON that the model may write and that no answer of ours can hold: half a character, and 62 levels.</summary>
    public static TheoryData<string> Unanswerable =>
        ["""{"city": "\ud83d"}""", string.Concat(Enumerable.Repeat("""{"city": """, 62)) + "1" + new string('}', 62)];

    [Theory]
    [MemberData(nameof(Unanswerable))]
    public async Task CallThatNoAnswerCanHold_IsShownAsText_AndCanBeCorrectedButNotConfirmed(string arguments)
    {
        using CaptureServer server = new($$"""<think>x</think><tool_call>[{"name": "get_weather", "arguments": {{arguments}} }]</tool_call>""");
        JsonNode capture = await server.OneAsync();
        string route = $"{CaptureServer.Route}/{CaptureServer.Id(capture)}";
        Assert.Equal(arguments, CaptureServer.Text(capture["calls"]![0]!, "arguments"));
        JsonNode error = await server.RefusedAsync(409, route + "/confirm");

        Assert.StartsWith("calls[0].arguments", CaptureServer.Text(error, "param"), StringComparison.Ordinal);
        await server.PostOkAsync(route + "/correct", """{"calls":[{"name":"get_weather","arguments":{"city":"Rome"}}]}""");
    }

    [Fact]
    public async Task Confirm_SystemMessageInTheMiddle_IsNoRow()
    {
        using CaptureServer server = new();
        JsonObject request = CaptureServer.Request();
        request["messages"]!.AsArray().Add(Json.Object("""{"role":"system","content":"Be brief."}"""));
        request["messages"]!.AsArray().Add(Json.Object("""{"role":"user","content":"Now."}"""));
        JsonNode error = await server.RefusedAsync(409, $"{CaptureServer.Route}/{CaptureServer.Id(await server.OneAsync(request))}/confirm");

        Assert.Equal("capture_not_a_row", CaptureServer.Text(error, "code"));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/confirm")]
    [InlineData("POST", "/reject")]
    public async Task UnknownCapture_IsNotFound(string method, string rest)
    {
        using CaptureServer server = new();
        using HttpRequestMessage request = new(new HttpMethod(method), $"{CaptureServer.Route}/capture-none{rest}");
        using HttpResponseMessage response = await server.Training.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("capture_not_found", CaptureServer.Text(await Json.ErrorAsync(response, 404), "code"));
    }

    [Fact]
    public async Task EveryRoute_NeedsTheAdminKey()
    {
        using CaptureServer server = new();
        string id = CaptureServer.Id(await server.OneAsync());
        foreach ((string method, string rest) in new[] { ("GET", ""), ("GET", "/" + id), ("DELETE", "/" + id), ("POST", $"/{id}/confirm"), ("POST", $"/{id}/correct"), ("POST", $"/{id}/reject"), ("POST", "/export") })
        {
            using HttpRequestMessage request = new(new HttpMethod(method), CaptureServer.Route + rest);
            request.Headers.Authorization = new("Bearer", CaptureServer.ApiKey);
            using HttpResponseMessage response = await server.Training.Client.SendAsync(request, TestContext.Current.CancellationToken);
            await Json.ErrorAsync(response, 403);
        }
    }
}
