using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class JobRequestTests
{
    [Theory]
    [InlineData("\"n_epochs\":3", "n_epochs", "unknown_parameter")]
    [InlineData("\"hyperparameters\":{\"epochs\":3}", "hyperparameters.epochs", "unknown_parameter")]
    [InlineData("\"hyperparameters\":{\"n_epochs\":0}", "hyperparameters.n_epochs", "invalid_value")]
    [InlineData("\"hyperparameters\":{\"n_epochs\":\"some\"}", "hyperparameters.n_epochs", "invalid_value")]
    [InlineData("\"hyperparameters\":{\"batch_size\":1.5}", "hyperparameters.batch_size", "invalid_value")]
    [InlineData("\"hyperparameters\":{\"live_share\":1}", "hyperparameters.live_share", "invalid_value")]
    [InlineData("\"method\":{\"type\":\"supervised\"},\"hyperparameters\":{}", "hyperparameters", "invalid_value")]
    [InlineData("\"method\":{\"type\":\"dpo\"}", "method.type", "unsupported_parameter")]
    [InlineData("\"method\":{\"type\":\"other\"}", "method.type", "invalid_value")]
    [InlineData("\"method\":{\"type\":\"supervised\",\"supervised\":{\"hyperparameters\":{\"beta\":1}}}", "method.supervised.hyperparameters.beta", "unknown_parameter")]
    [InlineData("\"integrations\":[{\"type\":\"wandb\"}]", "integrations", "invalid_value")]
    [InlineData("\"suffix\":\"a b\"", "suffix", "invalid_value")]
    [InlineData("\"seed\":-1", "seed", "invalid_value")]
    [InlineData("\"metadata\":{\"a\":1}", "metadata.a", "invalid_type")]
    [InlineData("\"validation_file\":\"file-none\"", "validation_file", "invalid_validation_file")]
    public async Task Create_WrongField_IsRefusedByName(string more, string param, string code)
    {
        using TrainingServer server = new();
        string file = await server.FileAsync();
        using HttpResponseMessage response = await server.PostAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{file}}",{{more}}}""");
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Equal((param, code), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Create_UnknownModelOrFile_IsRefused()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        using HttpResponseMessage file = await server.PostAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"file-none"}""");
        using HttpResponseMessage model = await server.PostAsync("/v1/fine_tuning/jobs", $$"""{"model":"none","training_file":"{{await server.FileAsync()}}"}""");

        Assert.Equal("training_file", (await Json.ErrorAsync(file, 400))["param"]!.GetValue<string>());
        using HttpResponseMessage plan = await server.Client.GetAsync("/admin/training/plan?model=none", TestContext.Current.CancellationToken);
        foreach (HttpResponseMessage response in new[] { model, plan })
        {
            JsonNode error = await Json.ErrorAsync(response, 404);
            Assert.Equal(("model", "model_not_found"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        }
    }

    [Theory]
    [InlineData("/v1/fine_tuning/jobs", "tool-n1")]
    [InlineData("/v1/fine_tuning/jobs", "hermes")]
    [InlineData("/admin/training/jobs", "tool-n1")]
    [InlineData("/admin/training/jobs", "hermes")]
    public async Task Create_EveryExampleOfTheDocument_IsTaken(string route, string format)
    {
        using TrainingServer server = TrainingServer.WithReinforcement(("ToolN1:Model:ChatFormat", format));
        await server.FileAsync();
        await server.FileAsync();
        foreach ((_, JsonNode? example) in await ExamplesAsync(server, route, "post"))
        {
            JsonNode body = example!["value"]!;
            JsonNode answer = await server.PostOkAsync(route, body.ToJsonString());
            string expected = body["dry_run"] is not null ? "training.plan" : route[1] == 'v' ? "fine_tuning.job" : "training.job";
            Assert.Equal(expected, answer["object"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Edit_EveryExampleOfTheDocument_IsTakenByAJobOfAnotherExample()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        await server.FileAsync();
        await server.FileAsync();
        JsonNode whole = (await ExamplesAsync(server, "/v1/fine_tuning/jobs", "post"))["reinforcement"]!["value"]!;
        JsonNode adapter = (await ExamplesAsync(server, "/admin/training/jobs", "post"))["adapter"]!["value"]!;
        string first = (await server.PostOkAsync("/v1/fine_tuning/jobs", whole.ToJsonString()))["id"]!.GetValue<string>();
        string second = (await server.PostOkAsync("/admin/training/jobs", adapter.ToJsonString()))["job"]!["id"]!.GetValue<string>();

        // The fake engine trains nothing; what would be changed is a job that waits.
        await server.UntilAsync(first, "failed");
        await server.UntilAsync(second, "failed");
        await server.ExecuteAsync("UPDATE jobs SET \"Status\" = 'paused', \"FinishedAt\" = NULL");
        JsonObject edits = await ExamplesAsync(server, "/admin/training/jobs/{id}", "patch");
        foreach ((string name, string job) in edits.Select(edit => (edit.Key, second)).Prepend(("slower", first)))
        {
            using StringContent body = new(edits[name]!["value"]!.ToJsonString(), Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await server.Client.PatchAsync($"/admin/training/jobs/{job}", body, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, $"{name}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        }
    }

    [Theory]
    [InlineData("training_file")]
    [InlineData("validation_file")]
    public async Task Create_FileWhoseBytesAreGone_IsAConflictThatNamesIt(string field)
    {
        using TrainingServer server = new();
        (string file, string gone) = (await server.FileAsync(), await server.FileAsync());
        Directory.Delete(Path.Combine(server.DataDirectory, "files", gone), recursive: true);
        using HttpResponseMessage response = await server.PostAsync(
            "/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{(field == "training_file" ? gone : file)}}","validation_file":"{{(field == "training_file" ? file : gone)}}"}""");
        JsonNode error = await Json.ErrorAsync(response, 409);

        Assert.Equal((field, "file_missing"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("training_file")]
    [InlineData("validation_file")]
    public async Task Create_FileThatIsNoDatasetAnyMore_IsAConflictThatNamesIt(string field)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        (string file, string damaged) = (await server.FileAsync(), await server.FileAsync());
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "files", damaged, "content.jsonl"), TrainingServer.Row + "\n{\"too", TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await server.PostAsync(
            "/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{(field == "training_file" ? damaged : file)}}","validation_file":"{{(field == "training_file" ? file : damaged)}}"}""");
        JsonNode error = await Json.ErrorAsync(response, 409);

        Assert.Equal((field, "invalid_" + field), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.StartsWith($"Line 2 of the {field}", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "/events")]
    [InlineData("GET", "/checkpoints")]
    [InlineData("POST", "/cancel")]
    [InlineData("POST", "/pause")]
    [InlineData("POST", "/resume")]
    public async Task UnknownJob_IsNotFound(string method, string rest)
    {
        using TrainingServer server = new();
        using HttpRequestMessage request = new(new HttpMethod(method), "/v1/fine_tuning/jobs/ftjob-none" + rest);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("job_not_found", (await Json.ErrorAsync(response, 404))["code"]!.GetValue<string>());
    }
    private static async Task<JsonObject> ExamplesAsync(TrainingServer server, string route, string method) =>
        (await server.GetAsync("/openapi/v1.json"))["paths"]![route]![method]!["requestBody"]!["content"]!["application/json"]!["examples"]!.AsObject();
}
