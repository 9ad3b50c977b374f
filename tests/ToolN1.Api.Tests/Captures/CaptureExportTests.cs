using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Captures;

/// <summary>The way from a reviewed capture into training, which is the only one.</summary>
public sealed class CaptureExportTests
{
    private const string ExportRoute = CaptureServer.Route + "/export";

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Export_HoldsWhatWasFoundRight_AndNothingElse(string provider)
    {
        using CaptureServer server = new(settings: await TestDatabase.CreateAsync(provider));
        foreach (string name in new[] { "pending", "confirmed", "corrected", "rejected" })
        {
            await server.SendAsync(CaptureServer.Request(content: name));
        }

        JsonNode[] captures = await server.CapturesAsync(4);
        await ReviewAsync(captures[1], "confirm");
        await ReviewAsync(captures[2], "correct", """{"calls":[{"name":"get_weather","arguments":{"city":"Rome"}},{"name":"get_weather","arguments":{"city":"Oslo"}}]}""");
        await ReviewAsync(captures[3], "confirm");
        await ReviewAsync(captures[3], "reject");
        JsonNode file = await server.PostOkAsync(ExportRoute, "{}");
        string id = CaptureServer.Id(file);
        string content = await server.Training.Client.GetStringAsync($"/v1/files/{id}/content", TestContext.Current.CancellationToken);

        string tools = """[{"name": "get_weather", "description": "Weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}}, "required": ["city"], "additionalProperties": false}}]""";
        Assert.Equal(
            $$$"""
            {"tools": {{{tools}}}, "messages": [{"role": "user", "content": "confirmed"}], "answer": [{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}], "think": "Paris it is."}
            {"tools": {{{tools}}}, "messages": [{"role": "user", "content": "corrected"}], "answer": [{"name": "get_weather", "arguments": {"city": "Rome"}}, {"name": "get_weather", "arguments": {"city": "Oslo"}}]}

            """,
            content);
        Assert.Equal((2, "captures.jsonl"), (file["rows"]!.GetValue<int>(), CaptureServer.Text(file, "filename")));
        Assert.Equal(new string?[] { null, id, id, null }, (await server.CapturesAsync(4)).Select(capture => capture["exported_file"]?.GetValue<string>()));
        Assert.Contains((await server.GetAsync("/admin/audit"))["data"]!.AsArray(), entry => CaptureServer.Text(entry!, "action") == "capture.export" && CaptureServer.Text(entry!, "subject") == id);

        // A job learns from the file, and so from those two rows alone.
        string job = await server.Training.JobAsync(id);
        await server.Training.UntilAsync(job, "succeeded");
        string rows = Assert.Single(server.Training.Method.Rows);
        Assert.Equal(2, rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain("pending", rows, StringComparison.Ordinal);
        Assert.DoesNotContain("rejected", rows, StringComparison.Ordinal);

        // What a correction leaves without reasoning can be left out, and what was exported too.
        JsonNode reasoned = await server.PostOkAsync(ExportRoute, """{"filename":"sft.jsonl","require_reasoning":true,"tool":"get_weather"}""");
        Assert.Equal((1, "sft.jsonl"), (reasoned["rows"]!.GetValue<int>(), CaptureServer.Text(reasoned, "filename")));
        Assert.Equal("no_reviewed_captures", CaptureServer.Text(await server.RefusedAsync(409, ExportRoute, """{"only_new":true}"""), "code"));
        Assert.Equal(2, (await server.GetAsync("/v1/files"))["data"]!.AsArray().Count);

        Task ReviewAsync(JsonNode capture, string verb, string body = "") => server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(capture)}/{verb}", body);
    }

    [Fact]
    public async Task Export_NothingReviewed_IsRefusedAndLeavesNoFile()
    {
        using CaptureServer server = new();
        await server.OneAsync();

        Assert.Equal("no_reviewed_captures", CaptureServer.Text(await server.RefusedAsync(409, ExportRoute, "{}"), "code"));
        Assert.Empty((await server.GetAsync("/v1/files"))["data"]!.AsArray());
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.DataDirectory, "files")));
    }

    [Fact]
    public async Task Export_WordsWithoutTools_AreTheReply_AndNoCallIsAnEmptyAnswer()
    {
        using CaptureServer server = new("<think>Hm.</think>It rains.");
        await server.SendAsync(Json.Chat(content: "words"));
        await server.SendAsync(CaptureServer.Request(content: "none applies"));
        await server.SendAsync(Json.Chat(content: "corrected"));
        JsonNode[] captures = await server.CapturesAsync(3);
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(captures[0])}/confirm");
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(captures[1])}/confirm");
        Assert.Equal("reply", CaptureServer.Text(await server.RefusedAsync(400, $"{CaptureServer.Route}/{CaptureServer.Id(captures[2])}/correct", """{"calls":[]}"""), "param"));
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(captures[2])}/correct", """{"calls":[],"reply":"It snows."}""");
        JsonNode file = await server.PostOkAsync(ExportRoute, "{}");
        JsonNode[] rows = [.. (await server.Training.Client.GetStringAsync($"/v1/files/{CaptureServer.Id(file)}/content", TestContext.Current.CancellationToken))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

        Assert.Equal(["[]", "[]", "[]"], rows.Select(row => row["answer"]!.ToJsonString()));
        Assert.Equal(new string?[] { "It rains.", null, "It snows." }, rows.Select(row => row["reply"]?.GetValue<string>()));
        Assert.Equal(new string?[] { "Hm.", "Hm.", null }, rows.Select(row => row["think"]?.GetValue<string>()));

        // Words are taught without reasoning.
        Assert.Equal(3, (await server.PostOkAsync(ExportRoute, """{"require_reasoning":true}"""))["rows"]!.GetValue<int>());
    }

    [Fact]
    public async Task Export_ByTool_LeavesOutACorrectionThatDoesNotCallIt()
    {
        using CaptureServer server = new();
        await server.SendAsync(CaptureServer.Request(content: "none applies"));
        await server.SendAsync(CaptureServer.Request(content: "right"));
        JsonNode[] captures = await server.CapturesAsync(2);
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(captures[0])}/correct", """{"calls":[]}""");
        await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(captures[1])}/confirm");
        JsonNode file = await server.PostOkAsync(ExportRoute, """{"tool":"get_weather"}""");

        Assert.Equal(1, file["rows"]!.GetValue<int>());
        Assert.Contains("right", await server.Training.Client.GetStringAsync($"/v1/files/{CaptureServer.Id(file)}/content", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(new string?[] { null, CaptureServer.Id(file) }, (await server.CapturesAsync(2)).Select(capture => capture["exported_file"]?.GetValue<string>()));
    }

    [Fact]
    public async Task EveryExampleOfTheDocument_Works()
    {
        using CaptureServer server = new();
        JsonNode paths = (await server.GetAsync("/openapi/v1.json"))["paths"]!;
        string id = CaptureServer.Id(await server.OneAsync());
        foreach (JsonNode body in Examples("/admin/captures/{id}/correct"))
        {
            Assert.Equal("corrected", CaptureServer.Text(await server.PostOkAsync($"{CaptureServer.Route}/{id}/correct", body.ToJsonString()), "status"));
        }

        foreach (JsonNode body in Examples("/admin/captures/export"))
        {
            // Each for itself: one of them asks for what no other has exported.
            await server.SendAsync(CaptureServer.Request());
            await server.PostOkAsync($"{CaptureServer.Route}/{CaptureServer.Id(await PendingAsync())}/confirm");
            Assert.Equal("file", CaptureServer.Text(await server.PostOkAsync(ExportRoute, body.ToJsonString()), "object"));
        }

        IEnumerable<JsonNode> Examples(string route)
        {
            JsonObject examples = paths[route]!["post"]!["requestBody"]!["content"]!["application/json"]!["examples"]!.AsObject();
            Assert.NotEmpty(examples);
            return examples.Select(example => example.Value!["value"]!);
        }

        async Task<JsonNode> PendingAsync()
        {
            for (int i = 0; ; i++)
            {
                if ((await server.GetAsync(CaptureServer.Route + "?limit=1&status=pending"))["data"]!.AsArray() is [JsonNode newest])
                {
                    return newest;
                }

                Assert.True(i < 3000);
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }
}
