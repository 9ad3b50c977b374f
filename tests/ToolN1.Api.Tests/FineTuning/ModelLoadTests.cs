using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using ToolN1.Api.OpenApi;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class ModelLoadTests
{
    private const string First = FakeEngine.ModelName + "@job-1-step-3";
    private const string Second = FakeEngine.ModelName + "@job-2-step-3";

    [Fact]
    public async Task Load_VersionThatLeftMemory_IsThereAgainAndNotLive()
    {
        using TrainingServer server = new(settings: [("ToolN1:Training:MaxLoadedModels", "1")]);
        await TrainTwiceAsync(server);
        JsonNode before = (await EntriesAsync(server)).Single(item => item["name"]!.GetValue<string>() == First);
        Assert.Equal(["0123456789abcdef", "job-2-step-3"], server.Host.Versions);

        // The example of the documentation, with a version that there is.
        JsonObject example = RequestExamples.Load(new ExampleNames(FakeEngine.ModelName, First, null, null)).Single().Body;
        JsonNode answer = await server.PostOkAsync("/admin/models/load", example.ToJsonString());

        JsonNode entry = (await server.GetAsync("/admin/audit?limit=1"))["data"]![0]!;
        Assert.Equal(("model.load", First), (entry["action"]!.GetValue<string>(), entry["subject"]!.GetValue<string>()));
        Assert.False(before["loaded"]!.GetValue<bool>());
        before["loaded"] = true;
        Assert.Equal(before.ToJsonString(), answer.ToJsonString());
        Assert.Equal(answer.ToJsonString(), (await EntriesAsync(server)).Single(item => item["name"]!.GetValue<string>() == First).ToJsonString());
        Assert.False(answer["live"]!.GetValue<bool>());
        Assert.Equal("0123456789abcdef", server.Host.LiveVersion);
        Assert.Equal(["0123456789abcdef", "job-1-step-3"], server.Host.Versions);
    }

    [Fact]
    public async Task Load_VersionInMemory_ChangesNothing()
    {
        using TrainingServer server = new();
        await TrainTwiceAsync(server);
        string[] versions = [.. server.Host.Versions];

        JsonNode second = await server.PostOkAsync("/admin/models/load", $$"""{"model":"{{Second}}"}""");
        JsonNode first = await server.PostOkAsync("/admin/models/load", $$"""{"model":"{{FakeEngine.ModelName}}@base"}""");

        Assert.Equal((true, false), (second["loaded"]!.GetValue<bool>(), second["live"]!.GetValue<bool>()));
        Assert.Equal((true, true), (first["loaded"]!.GetValue<bool>(), first["live"]!.GetValue<bool>()));
        Assert.Equal(versions, server.Host.Versions);
    }

    [Theory]
    [InlineData(FakeEngine.ModelName + "@job-9-step-1", 404, "model")]
    [InlineData("other", 404, "model")]
    [InlineData(FakeEngine.ModelName, 400, "model")]
    [InlineData("", 400, "model")]
    public async Task Load_WhatIsNoVersion_IsRefused(string model, int status, string? field)
    {
        using TrainingServer server = new();
        using HttpResponseMessage response = await server.PostAsync("/admin/models/load", $$"""{"model":"{{model}}"}""");

        JsonNode error = await Json.ErrorAsync(response, status);
        Assert.Equal(field, error["param"]?.GetValue<string>());
        Assert.Equal(status == 404 ? "model_not_found" : "invalid_value", error["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Load_DamagedFiles_AreToldAndNothingIsLoaded()
    {
        using TrainingServer server = new(settings: [("ToolN1:Training:MaxLoadedModels", "1")]);
        await TrainTwiceAsync(server);
        await File.AppendAllTextAsync(Path.Combine(server.DataDirectory, "models", "job-1-step-3", "weights"), "x", TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await server.PostAsync("/admin/models/load", $$"""{"model":"{{First}}"}""");

        Assert.Equal("model_unusable", (await Json.ErrorAsync(response, 500))["code"]!.GetValue<string>());
        Assert.Equal(["0123456789abcdef", "job-2-step-3"], server.Host.Versions);
    }

    [Fact]
    public async Task Load_NeedsTheAdminKey()
    {
        using TrainingServer server = new();
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "api-key");
        using HttpResponseMessage response = await server.PostAsync("/admin/models/load", $$"""{"model":"{{FakeEngine.ModelName}}@base"}""");

        Assert.Equal("admin_key_required", (await Json.ErrorAsync(response, 403))["code"]!.GetValue<string>());
    }

    private static async Task TrainTwiceAsync(TrainingServer server)
    {
        string file = await server.FileAsync();
        await server.UntilAsync(await server.JobAsync(file), "succeeded");
        await server.UntilAsync(await server.JobAsync(file), "succeeded");
    }

    private static async Task<IEnumerable<JsonNode>> EntriesAsync(TrainingServer server) =>
        (await server.GetAsync("/admin/models"))["data"]!.AsArray().Select(item => item!);
}
