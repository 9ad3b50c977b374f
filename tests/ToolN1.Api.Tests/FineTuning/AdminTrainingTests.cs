using System.Formats.Tar;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.FineTuning;

/// <summary>/admin/training: what OpenAI's shapes have no place for.</summary>
public sealed class AdminTrainingTests
{
    private const string Jobs = "/admin/training/jobs";

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Events_OfAnEndedJob_AreAllToldInOrderAndClosed(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string job = await server.JobAsync(await server.FileAsync());
        await server.UntilAsync(job, "succeeded");
        string stream = await server.Client.GetStringAsync($"{Jobs}/{job}/events", TestContext.Current.CancellationToken);
        (string Id, string Name, JsonNode Data)[] events = [.. Events(stream)];

        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
        Assert.StartsWith("Created fine-tuning job", events[0].Data["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("The job has successfully completed", events[^1].Data["message"]!.GetValue<string>());
        Assert.Equal(3, events.Count(item => item.Name == "metrics"));
        Assert.All(events, item => Assert.Equal(item.Id, item.Data["id"]!.GetValue<string>()));

        // Cut off in the middle, the stream goes on where it was.
        using HttpRequestMessage again = new(HttpMethod.Get, $"{Jobs}/{job}/events");
        again.Headers.Add("Last-Event-ID", events[3].Id);
        using HttpResponseMessage rest = await server.Client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(events[4..].Select(item => item.Id), Events(await rest.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Select(item => item.Id));
    }

    [Fact]
    public async Task Events_OfARunningJob_ComeAsTheyHappenAndSilenceIsFilled()
    {
        using TrainingServer server = TrainingServer.WithTime(new FastTime());
        server.Method.IsHeld = true;
        string job = await server.JobAsync(await server.FileAsync());
        using HttpResponseMessage response = await server.Client.GetAsync($"{Jobs}/{job}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);
        await LineAsync(reader, ": alive");
        server.Method.Permits.Release(1);
        await LineAsync(reader, "event: metrics");
        server.Method.Permits.Release(2);
        await LineAsync(reader, "data: [DONE]");
    }

    [Fact]
    public async Task Events_WhileOtherThingsChange_SilenceIsFilledAllTheSame()
    {
        ManualTime time = new();
        using TrainingServer server = TrainingServer.WithTime(time);
        server.Method.IsHeld = true;
        string job = await server.JobAsync(await server.FileAsync());
        using HttpResponseMessage response = await server.Client.GetAsync($"{Jobs}/{job}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);
        Task alive = LineAsync(reader, ": alive");
        for (int i = 0; !alive.IsCompleted; i++)
        {
            Assert.True(i < 1000);
            time.Pass(TimeSpan.FromSeconds(16));
            await server.FileAsync();
        }

        await alive;
    }

    [Fact]
    public async Task Events_DatabaseGoesOutOfReachMeanwhile_EndWithAnError()
    {
        using TrainingServer server = new();
        server.Method.IsHeld = true;
        string job = await server.JobAsync(await server.FileAsync());
        await server.UntilAsync(job, "running");
        using HttpResponseMessage response = await server.Client.GetAsync($"{Jobs}/{job}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);
        await LineAsync(reader, "event: message");
        await server.ExecuteAsync("ALTER TABLE events RENAME TO elsewhere");
        await server.FileAsync();
        string rest = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        await server.ExecuteAsync("ALTER TABLE elsewhere RENAME TO events");

        Assert.Contains("\"code\":\"database_unavailable\"", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_IdThatIsNoneOfTheJobsEvents_IsRefused()
    {
        using TrainingServer server = new();
        string file = await server.FileAsync();
        string other = await server.JobAsync(file);
        string job = await server.JobAsync(file);
        await server.UntilAsync(job, "succeeded");
        string foreign = (await server.GetAsync($"/v1/fine_tuning/jobs/{other}/events"))["data"]![0]!["id"]!.GetValue<string>();
        string own = (await server.GetAsync($"/v1/fine_tuning/jobs/{job}/events"))["data"]![0]!["id"]!.GetValue<string>();
        string checkpoint = (await server.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints"))["last_id"]!.GetValue<string>();
        foreach (string id in new[] { "seven", "ftevent-7", foreign, checkpoint, own + "-1" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, $"{Jobs}/{job}/events");
            request.Headers.Add("Last-Event-ID", id);
            using HttpResponseMessage followed = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            using HttpResponseMessage listed = await server.Client.GetAsync($"/v1/fine_tuning/jobs/{job}/events?after={id}", TestContext.Current.CancellationToken);

            Assert.Equal("Last-Event-ID", (await Json.ErrorAsync(followed, 400))["param"]!.GetValue<string>());
            Assert.Equal("after", (await Json.ErrorAsync(listed, 400))["param"]!.GetValue<string>());
        }

        using HttpResponseMessage checkpoints = await server.Client.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints?after={own}", TestContext.Current.CancellationToken);
        Assert.Equal("after", (await Json.ErrorAsync(checkpoints, 400))["param"]!.GetValue<string>());
    }

    [Fact]
    public async Task Metrics_OfTheStart_AreListedUnlessLaterOnesAreAskedFor()
    {
        using TrainingServer server = new();
        server.Method.EvaluatesFirst = true;
        string job = await server.JobAsync(await server.FileAsync());
        await server.UntilAsync(job, "succeeded");

        Assert.Equal([0, 1, 2, 3], await StepsAsync(""));
        Assert.Equal([0, 1, 2, 3], await StepsAsync("?after_step=-1"));
        Assert.Equal([1, 2, 3], await StepsAsync("?after_step=0"));
        using HttpResponseMessage wrong = await server.Client.GetAsync($"{Jobs}/{job}/metrics?after_step=-2", TestContext.Current.CancellationToken);
        Assert.Equal("after_step", (await Json.ErrorAsync(wrong, 400))["param"]!.GetValue<string>());

        async Task<IEnumerable<int>> StepsAsync(string query) =>
            (await server.GetAsync($"{Jobs}/{job}/metrics{query}"))["data"]!.AsArray().Select(item => item!["step"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Pin_Checkpoint_MarksItUntilItIsUnpinned(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string job = await server.JobAsync(await server.FileAsync());
        await server.UntilAsync(job, "succeeded");
        Assert.True((await server.PostOkAsync($"{Jobs}/{job}/checkpoints/2/pin"))["pinned"]!.GetValue<bool>());
        JsonNode listed = await server.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints");
        Assert.Equal([false, true, false], listed["data"]!.AsArray().Select(item => item!["pinned"]!.GetValue<bool>()));

        using HttpResponseMessage unpinned = await server.Client.DeleteAsync($"{Jobs}/{job}/checkpoints/2/pin", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, unpinned.StatusCode);
        Assert.False((await server.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints"))["data"]![1]!["pinned"]!.GetValue<bool>());
        foreach (string step in new[] { "9", "x", "-1", "99999999999" })
        {
            using HttpResponseMessage missing = await server.PostAsync($"{Jobs}/{job}/checkpoints/{step}/pin");
            Assert.Equal("checkpoint_not_found", (await Json.ErrorAsync(missing, 404))["code"]!.GetValue<string>());
            using HttpResponseMessage export = await server.Client.GetAsync($"{Jobs}/{job}/checkpoints/{step}/export", TestContext.Current.CancellationToken);
            Assert.Equal("checkpoint_not_found", (await Json.ErrorAsync(export, 404))["code"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Export_Checkpoint_IsATarOfTheModelsFiles(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string file = await server.FileAsync();
        string job = await server.JobAsync(file);
        await server.UntilAsync(job, "succeeded");
        await using Stream stream = await server.Client.GetStreamAsync($"{Jobs}/{job}/checkpoints/2/export", TestContext.Current.CancellationToken);
        await using TarReader tar = new(stream);
        Dictionary<string, string> files = [];
        while (await tar.GetNextEntryAsync(copyData: true, TestContext.Current.CancellationToken) is TarEntry entry)
        {
            using StreamReader text = new(entry.DataStream!);
            files.Add(entry.Name, await text.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        string name = "org-test-model@job-1-step-2";
        Assert.Equal([name + "/manifest.json", name + "/weights"], files.Keys);
        Assert.EndsWith("step-2", files[name + "/weights"], StringComparison.Ordinal);
        JsonNode logged = (await server.GetAsync("/admin/audit?limit=1"))["data"]![0]!;
        string model = FakeEngine.ModelName + "@job-1-step-2";
        Assert.Equal(("checkpoint.export", model), (logged["action"]!.GetValue<string>(), logged["subject"]!.GetValue<string>()));
        using HttpResponseMessage adapter = await server.Client.GetAsync($"{Jobs}/{job}/checkpoints/2/export?format=adapter", TestContext.Current.CancellationToken);
        Assert.Equal("format", (await Json.ErrorAsync(adapter, 400))["param"]!.GetValue<string>());

        // What is damaged is given to nobody, and nothing is trained from it.
        await File.AppendAllTextAsync(Path.Combine(server.DataDirectory, "models", "job-1-step-2", "weights"), "x", TestContext.Current.CancellationToken);
        using HttpResponseMessage damaged = await server.Client.GetAsync($"{Jobs}/{job}/checkpoints/2/export", TestContext.Current.CancellationToken);
        Assert.Equal("model_unusable", (await Json.ErrorAsync(damaged, 500))["code"]!.GetValue<string>());
        string next = (await server.PostOkAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{model}}","training_file":"{{file}}"}"""))["id"]!.GetValue<string>();
        Assert.Equal("checkpoint_unusable", (await server.UntilAsync(next, "failed"))["error"]!["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("{}", 400, "missing_required_parameter")]
    [InlineData("""{"learning_rate":0}""", 400, "invalid_value")]
    [InlineData("""{"lr":1}""", 400, "unknown_parameter")]
    [InlineData("""{"learning_rate":1e-5}""", 409, "not_editable")]
    public async Task Edit_WrongFieldOrMethod_IsRefused(string edit, int status, string code)
    {
        using TrainingServer server = new();
        server.Method.IsHeld = true;
        string job = await server.JobAsync(await server.FileAsync());
        using HttpResponseMessage response = await PatchAsync(server, job, edit);
        Assert.Equal(code, (await Json.ErrorAsync(response, status))["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Edit_EndedJob_IsRefused(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string job = await server.JobAsync(await server.FileAsync());
        await server.UntilAsync(job, "succeeded");
        using HttpResponseMessage response = await PatchAsync(server, job, """{"learning_rate":1e-5}""");
        Assert.Equal("job_state", (await Json.ErrorAsync(response, 409))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Plan_ByQuery_TellsBytesByKindAndWhatWouldFit()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        JsonNode plan = await server.GetAsync("/admin/training/plan?max_response_tokens=64&lora.rank=4&lora.targets=q_proj,v_proj&loss.kl_coefficient=0.01&learning_rate_multiplier=auto");
        JsonNode own = plan["method"]!["reinforcement"]!["hyperparameters"]!;
        Assert.True(plan["fits"]!.GetValue<bool>());
        Assert.Equal(plan["total_bytes"]!.GetValue<long>(), plan["items"]!.AsArray().Sum(item => item!["bytes"]!.GetValue<long>()));
        Assert.Contains("adapter", plan["items"]!.AsArray().Select(item => item!["kind"]!.GetValue<string>()));
        Assert.Equal((4, 0.01), (own["lora"]!["rank"]!.GetValue<int>(), own["loss"]!["kl_coefficient"]!.GetValue<double>()));
        Assert.Equal(["q_proj", "v_proj"], own["lora"]!["targets"]!.AsArray().Select(item => item!.GetValue<string>()));

        double gib = (plan["total_bytes"]!.GetValue<long>() - 1) / (double)(1L << 30);
        JsonNode tight = await server.GetAsync($"/admin/training/plan?max_response_tokens=64&lora.rank=4&recompute_activations=false&memory_gib={gib:R}");
        Assert.False(tight["fits"]!.GetValue<bool>());
        Assert.NotEmpty(tight["remedies"]!.AsArray());
    }

    [Fact]
    public async Task Plan_SupervisedMethod_TellsBytesByKindAndGrowsWithTheLongestRow()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        JsonNode plan = await server.GetAsync("/admin/training/plan?method=supervised&batch_size=8");
        string[] kinds = [.. plan["items"]!.AsArray().Select(item => item!["kind"]!.GetValue<string>())];
        Assert.Equal(("supervised", 8), (plan["method"]!["type"]!.GetValue<string>(), plan["method"]!["supervised"]!["hyperparameters"]!["batch_size"]!.GetValue<int>()));
        Assert.True(plan["fits"]!.GetValue<bool>());
        Assert.Equal(plan["total_bytes"]!.GetValue<long>(), plan["items"]!.AsArray().Sum(item => item!["bytes"]!.GetValue<long>()));
        Assert.Contains("serving_weights", kinds);
        Assert.DoesNotContain("rollout_weights", kinds);

        JsonNode longer = await server.GetAsync("/admin/training/plan?method=supervised&batch_size=8&row_tokens=4096&memory_gib=0.1");
        Assert.True(longer["total_bytes"]!.GetValue<long>() > plan["total_bytes"]!.GetValue<long>());
        Assert.False(longer["fits"]!.GetValue<bool>());
        Assert.Equal("rows of at most 2048 tokens", longer["remedies"]![0]!["change"]!.GetValue<string>());
    }

    [Fact]
    public async Task Create_DryRunOfASupervisedJob_HasAPlanOfItsFile()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync();
        JsonNode plan = await server.PostOkAsync(Jobs, $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{file}}","dry_run":true}""");
        Assert.True(plan["fits"]!.GetValue<bool>());
        Assert.Contains("optimizer", plan["items"]!.AsArray().Select(item => item!["kind"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("colour=red", "colour", "unknown_parameter")]
    [InlineData("group_size=1", "group_size", "invalid_value")]
    [InlineData("group_size=many", "group_size", "invalid_type")]
    [InlineData("lora.rank=0", "lora.rank", "invalid_value")]
    [InlineData("lora.targets=q_proj,nose", "lora.targets[1]", "invalid_value")]
    [InlineData("memory_gib=-1", "memory_gib", "invalid_value")]
    [InlineData("optimizer.beta1=1", "optimizer.beta1", "invalid_value")]
    [InlineData("method=dpo", "method", "invalid_value")]
    [InlineData("row_tokens=100", "row_tokens", "unknown_parameter")]
    [InlineData("method=supervised&lora.rank=4", "lora.rank", "unknown_parameter")]
    [InlineData("method=supervised&batch_size=0", "batch_size", "invalid_value")]
    [InlineData("method=supervised&row_tokens=1", "row_tokens", "invalid_value")]
    public async Task Plan_WrongParameter_IsRefusedByName(string query, string param, string code)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        using HttpResponseMessage response = await server.Client.GetAsync("/admin/training/plan?" + query, TestContext.Current.CancellationToken);
        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal((param, code), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Create_DryRun_ResolvesAndPlansButMakesNoJob()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync();
        JsonNode plan = await server.PostOkAsync(Jobs, Body(file, "{}", dryRun: true));

        Assert.Equal(("training.plan", FakeEngine.ModelName + "@base", true), (plan["object"]!.GetValue<string>(), plan["model"]!.GetValue<string>(), plan["fits"]!.GetValue<bool>()));
        Assert.Empty((await server.GetAsync(Jobs))["data"]!.AsArray());
    }

    [Fact]
    public async Task Create_JobThatCannotFit_IsRefusedWithWhatWould()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync();
        string body = Body(file, """{"batch_size":65536,"group_size":256,"micro_batch_tokens":1000000,"max_response_tokens":4000}""", dryRun: false);
        using HttpResponseMessage response = await server.PostAsync(Jobs, body);
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Equal("does_not_fit", error["code"]!.GetValue<string>());
        Assert.Contains("micro_batch_tokens", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.False((await server.PostOkAsync(Jobs, body.Replace("false", "true", StringComparison.Ordinal)))["fits"]!.GetValue<bool>());
    }

    private static string Body(string file, string hyperparameters, bool dryRun) =>
        $$$"""{"model":"{{{FakeEngine.ModelName}}}","training_file":"{{{file}}}","method":{"type":"reinforcement","reinforcement":{"hyperparameters":{{{hyperparameters}}} } },"dry_run":{{{(dryRun ? "true" : "false")}}} }""";

    private static Task<HttpResponseMessage> PatchAsync(TrainingServer server, string job, string edit) =>
        server.Client.PatchAsync($"{Jobs}/{job}", new StringContent(edit, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

    private static async Task LineAsync(StreamReader reader, string expected)
    {
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is string line)
        {
            if (line == expected)
            {
                return;
            }
        }

        Assert.Fail($"The stream ended without '{expected}'.");
    }

    private static IEnumerable<(string Id, string Name, JsonNode Data)> Events(string stream) => stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        .Where(text => text.StartsWith("id: ", StringComparison.Ordinal))
        .Select(text => text.Split('\n'))
        .Select(lines => (lines[0]["id: ".Length..], lines[1]["event: ".Length..], JsonNode.Parse(lines[2]["data: ".Length..])!));
}
