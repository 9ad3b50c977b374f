using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.FineTuning;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Training jobs of the real server process, with real training.</summary>
public sealed class TrainingJobTests : IDisposable
{
    private const string Key = "admin-key";
    private const string Nano = "tool-n1-nano";
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-training-").FullName;

    [Fact]
    public async Task OpenAiClient_DrivesAWholeJob_AndUsesItsModel()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using ServerProcess server = await StartAsync("openai", model: null);
        OpenAIClient client = server.Client(Key);

        // 1. Upload.
        OpenAIFileClient files = client.GetOpenAIFileClient();
        OpenAIFile training = await files.UploadFileAsync(BinaryData.FromString(OpenAiRows(6)), "training.jsonl", FileUploadPurpose.FineTune);
        OpenAIFile heldOut = await files.UploadFileAsync(BinaryData.FromString(OpenAiRows(1)), "held-out.jsonl", FileUploadPurpose.FineTune);
        Assert.Equal("training.jsonl", (await files.GetFileAsync(training.Id, TestContext.Current.CancellationToken)).Value.Filename);

        // 2. Create, and follow to the end.
        FineTuningClient tuning = client.GetFineTuningClient();
        FineTuningJob job = await tuning.FineTuneAsync(
            Nano,
            training.Id,
            waitUntilCompleted: false,
            new FineTuningOptions
            {
                ValidationFile = heldOut.Id,
                Seed = 7,
                Suffix = "oslo",
                TrainingMethod = FineTuningTrainingMethod.CreateSupervised(
                    HyperparameterBatchSize.CreateSize(3), HyperparameterEpochCount.CreateEpochCount(2), HyperparameterLearningRate.CreateMultiplier(0.1)),
            },
            TestContext.Current.CancellationToken);
        while (job.Status.InProgress)
        {
            await Task.Delay(200, TestContext.Current.CancellationToken);
            await job.UpdateStatusAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(job.Status == FineTuningStatus.Succeeded, server.Output);
        Assert.Equal($"{Nano}@job-1-step-4-oslo", job.Value);
        List<FineTuningEvent> events = [];
        await foreach (FineTuningEvent item in job.GetEventsAsync(new GetEventsOptions { PageSize = 3 }, TestContext.Current.CancellationToken))
        {
            events.Add(item);
        }

        Assert.Equal("The job has successfully completed", events[0].Message);
        Assert.Equal(4, events.Count(item => item.Message.StartsWith("Step ", StringComparison.Ordinal)));
        List<FineTuningCheckpoint> checkpoints = [];
        await foreach (FineTuningCheckpoint item in job.GetCheckpointsAsync(new GetCheckpointsOptions(), TestContext.Current.CancellationToken))
        {
            checkpoints.Add(item);
        }

        Assert.Equal([4, 3, 2], checkpoints.Select(item => item.StepNumber));
        Assert.True(checkpoints[0].Metrics.TrainLoss > 0);

        // 3. Use the model, and a checkpoint's.
        foreach (string model in new[] { job.Value!, checkpoints[2].ModelId })
        {
            ChatCompletion answer = await client.GetChatClient(model).CompleteChatAsync(
                [ChatMessage.CreateUserMessage("What is the weather in Oslo?")],
                new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 128, Tools = { ChatTool.CreateFunctionTool("get_weather", "Weather of a city.", BinaryData.FromString(Parameters)) } },
                TestContext.Current.CancellationToken);
            Assert.Equal(model, answer.Model);
            Assert.True(answer.Usage.OutputTokenCount > 0);
        }

        // 4. It is a version beside the served one, with a held-out score, and can be made live.
        JsonNode versions = JsonNode.Parse(await server.Http.GetStringAsync("/admin/models", TestContext.Current.CancellationToken))!;
        JsonNode version = versions["data"]!.AsArray().Single(item => item!["name"]!.GetValue<string>() == job.Value)!;
        Assert.Equal(1, version["evaluations"]![0]!["rows"]!.GetValue<int>());
        await PostAsync(server, "/admin/models/promote", $$"""{"model":"{{job.Value}}","force":true}""");
        ChatCompletion live = await client.GetChatClient(Nano).CompleteChatAsync([ChatMessage.CreateUserMessage("Hi")], new ChatCompletionOptions { MaxOutputTokenCount = 8 }, TestContext.Current.CancellationToken);
        Assert.StartsWith("fp_" + version["weight_version"]!.GetValue<string>()[..12], live.SystemFingerprint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KilledServer_Restarted_TakesExactlyTheStepsOfAnUndisturbedRun()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));

        // 1. Undisturbed.
        string quiet;
        await using (ServerProcess server = await StartAsync("quiet", model))
        {
            string job = await CreateAsync(server);
            await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "succeeded");
            quiet = await FiguresAsync(server, job);
        }

        // 2. Killed between two checkpoints, and once more at the first sign of life after the restart.
        string killed;
        await using (ServerProcess server = await StartAsync("killed", model))
        {
            killed = await CreateAsync(server);
            await UntilAsync(server, killed, node => node["step"]!.GetValue<int>() >= 5);
            await server.KillAsync();
        }

        await using (ServerProcess server = await StartAsync("killed", model))
        {
            await server.KillAsync();
        }

        await using ServerProcess last = await StartAsync("killed", model);
        await UntilAsync(last, killed, node => node["status"]!.GetValue<string>() == "succeeded");
        string events = await last.Http.GetStringAsync($"/v1/fine_tuning/jobs/{killed}/events?limit=100", TestContext.Current.CancellationToken);

        Assert.Contains("goes on from its last checkpoint", events, StringComparison.Ordinal);
        Assert.Matches("Training goes on after step [1-9]", events);
        Assert.Equal(quiet, await FiguresAsync(last, killed));
        Assert.Equal(Weights("quiet"), Weights("killed"));
    }

    [Fact]
    public async Task PauseAndCancel_LeaveACheckpointThatAnswers_WhileRequestsGoOn()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        await using ServerProcess server = await StartAsync("pause", model);
        string job = await CreateAsync(server, epochs: 200);
        await UntilAsync(server, job, node => node["step"]!.GetValue<int>() >= 1);
        await PostAsync(server, "/v1/chat/completions", """{"model":"tiny-random","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""");
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/pause");
        int paused = (await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "paused"))["step"]!.GetValue<int>();
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/resume");
        await UntilAsync(server, job, node => node["step"]!.GetValue<int>() > paused);
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/cancel");
        JsonNode cancelled = await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "cancelled");
        JsonNode checkpoint = JsonNode.Parse(await server.Http.GetStringAsync($"/v1/fine_tuning/jobs/{job}/checkpoints", TestContext.Current.CancellationToken))!["data"]![0]!;

        Assert.Equal(cancelled["step"]!.GetValue<int>(), checkpoint["step_number"]!.GetValue<int>());
        await PostAsync(server, "/v1/chat/completions", $$"""{"model":"{{checkpoint["fine_tuned_model_checkpoint"]!.GetValue<string>()}}","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""");
    }

    [Fact]
    public async Task DivergingJob_Fails_AndTheServerServesOn()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        await using ServerProcess server = await StartAsync("diverge", model);
        string job = await CreateAsync(server, epochs: 40, multiplier: "1e6");
        JsonNode failed = await UntilAsync(server, job, node => node["status"]!.GetValue<string>() is "failed" or "succeeded");

        Assert.Equal("non_finite", failed["error"]?["code"]?.GetValue<string>());
        await PostAsync(server, "/v1/chat/completions", """{"model":"tiny-random","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private const string Parameters = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""";

    private static string OpenAiRows(int count)
    {
        string[] cities = ["Oslo", "Rome", "Lima", "Cairo", "Bonn", "Kyiv"];
        return string.Join('\n', cities.Take(count).Select(city =>
            $$$"""{"messages":[{"role":"user","content":"What is the weather in {{{city}}}?"},{"role":"assistant","reasoning_content":"The city is {{{city}}}.","tool_calls":[{"id":"c","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"{{{city}}}\"}"}}]}],"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city.","parameters":{{{Parameters}}}}}]}"""));
    }

    private async Task<ServerProcess> StartAsync(string name, string? model)
    {
        ServerProcess server = await ServerProcess.StartAsync(model, [("ToolN1__Auth__AdminKeys__0", Key), ("ToolN1__DataDirectory", Path.Combine(_folder, "data-" + name))]);
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return server;
    }

    private static async Task<string> CreateAsync(ServerProcess server, int epochs = 3, string multiplier = "1")
    {
        using MultipartFormDataContent form = new() { { new StringContent("fine-tune"), "purpose" }, { new ByteArrayContent(Encoding.UTF8.GetBytes(OpenAiRows(6))), "file", "rows.jsonl" } };
        using HttpResponseMessage uploaded = await server.Http.PostAsync("/v1/files", form, TestContext.Current.CancellationToken);
        string file = JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["id"]!.GetValue<string>();
        JsonNode job = await PostAsync(server, "/v1/fine_tuning/jobs",
            $$$"""{"model":"tiny-random","training_file":"{{{file}}}","seed":3,"hyperparameters":{"n_epochs":{{{epochs}}},"batch_size":2,"learning_rate_multiplier":{{{multiplier}}},"checkpoint_every_steps":3}}""");
        return job["id"]!.GetValue<string>();
    }

    private static async Task<JsonNode> UntilAsync(ServerProcess server, string job, Func<JsonNode, bool> holds)
    {
        while (true)
        {
            JsonNode node = JsonNode.Parse(await server.Http.GetStringAsync("/v1/fine_tuning/jobs/" + job, TestContext.Current.CancellationToken))!;
            if (holds(node))
            {
                return node;
            }

            Assert.False(node["finished_at"] is not null, node.ToJsonString() + server.Output);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<JsonNode> PostAsync(ServerProcess server, string route, string json = "")
    {
        using HttpResponseMessage response = await server.Http.PostAsync(
            route, json.Length == 0 ? null : new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text + server.Output);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Every step's figures but its speed.</summary>
    private static async Task<string> FiguresAsync(ServerProcess server, string job)
    {
        JsonNode metrics = JsonNode.Parse(await server.Http.GetStringAsync($"/admin/training/jobs/{job}/metrics", TestContext.Current.CancellationToken))!;
        foreach (JsonNode? step in metrics["data"]!.AsArray())
        {
            step!["metrics"]!.AsObject().Remove("tokens_per_second");
        }

        Assert.Equal(9, metrics["data"]!.AsArray().Count);
        return metrics.ToJsonString();
    }

    private string Weights(string name) =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, "data-" + name, "models", "job-1-step-9", "model.safetensors"))));
}
