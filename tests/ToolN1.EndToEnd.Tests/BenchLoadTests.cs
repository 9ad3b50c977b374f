using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The load test's own test: a real server over random weights, a real job, a second of each.</summary>
public sealed class BenchLoadTests : IDisposable
{
    private const string Key = "admin-key";

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-load-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("supervised")]
    [InlineData("reinforcement")]
    public async Task Load_BesideATrainingJob_TellsTurnsAndGaps_AndNoRequestFails(string method)
    {
        string rows = Path.Combine(_folder, "rows.jsonl");
        await File.WriteAllLinesAsync(rows, Enumerable.Range(0, 6).Select(Row), TestContext.Current.CancellationToken);
        string report = Path.Combine(_folder, "report.json");
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        await using ServerProcess server = await ServerProcess.StartAsync(model, [("ToolN1__Auth__AdminKeys__0", Key), ("ToolN1__DataDirectory", Path.Combine(_folder, "data")), ("ToolN1__Model__ChatFormat", "tool-n1")]);
        await using CommandProcess command = CommandProcess.Start(
            [("TOOLN1_ADMIN_KEY", Key)],
            ["bench", "load", "--base-url", server.Address.ToString(), "--served-model", TinyServer.Model, "--training-file", rows, "--method", method, "--clients", "2", "--tokens", "16", "--seconds", "1", "--json", report]);

        int exit = await command.ExitAsync();

        Assert.True(exit == 0, command.Output + server.Output);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        JsonElement results = json.RootElement.GetProperty("results");

        // A reinforcement job samples most of the time: a second need not see a turn of it.
        string[] turns = method == "supervised" ? ["turns", "turn ms, mean"] : [];
        Assert.All(["requests, alone", "requests, beside the job", "time per token ms, median, alone", "time per token ms, median, beside the job", .. turns], name => Assert.True(results.GetProperty(name).GetDouble() > 0, name));
        Assert.All(["failed requests, alone", "failed requests, beside the job"], name => Assert.Equal(0, results.GetProperty(name).GetDouble()));

        // The job that it started has ended.
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        string status;
        do
        {
            JsonNode jobs = JsonNode.Parse(await server.Http.GetStringAsync("/v1/fine_tuning/jobs", TestContext.Current.CancellationToken))!;
            status = Assert.Single(jobs["data"]!.AsArray())!["status"]!.GetValue<string>();
        }
        while (status == "running");
        Assert.Equal("cancelled", status);
    }

    private static string Row(int number) => new JsonObject
    {
        ["tools"] = new JsonArray(JsonNode.Parse("""{"name": "tide", "description": "T.", "parameters": {"type": "object", "properties": {"day": {"type": "integer"}}, "required": ["day"]}}""")),
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"Tide on day {number}?" }),
        ["think"] = $"The day is {number}.",
        ["answer"] = new JsonArray(new JsonObject { ["name"] = "tide", ["arguments"] = new JsonObject { ["day"] = number } }),
    }.ToJsonString();
}
