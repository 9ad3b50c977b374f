using System.ClientModel;
using System.Formats.Tar;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.FineTuning;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Reinforcement jobs of the real server process: rollouts, training and requests on one engine.</summary>
public sealed class ReinforcementJobTests : IDisposable
{
    private const string Key = "admin-key";
    private const string Nano = "tool-n1-nano";
    private const string Parameters = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""";

    // Earned by letters: a random model is soon better at it, and hardly two answers are worth the same.
    private const string Letters = """{"type":"text_similarity","name":"letters","evaluation_metric":"fuzzy_match","input":"{{sample.output_text}}","reference":"{{item.reference}}"}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-reinforcement-").FullName;

    [Fact]
    public async Task OpenAiClient_DrivesAWholeReinforcementJob_AndUsesItsModel()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using ServerProcess server = await StartAsync("openai", model: null);
        OpenAIClient client = server.Client(Key);

        // 1. Upload prompts in OpenAI's format.
        OpenAIFileClient files = client.GetOpenAIFileClient();
        OpenAIFile training = await files.UploadFileAsync(BinaryData.FromString(Prompts(6)), "training.jsonl", FileUploadPurpose.FineTune);
        OpenAIFile heldOut = await files.UploadFileAsync(BinaryData.FromString(Prompts(2)), "held-out.jsonl", FileUploadPurpose.FineTune);

        // 2. Create, by the client's own protocol method: its typed options know no graders.
        FineTuningClient tuning = client.GetFineTuningClient();
        FineTuningJob job = await tuning.FineTuneAsync(
            BinaryContent.Create(BinaryData.FromString(
                $$$"""
                {
                  "model": "{{{Nano}}}", "training_file": "{{{training.Id}}}", "validation_file": "{{{heldOut.Id}}}", "seed": 7, "suffix": "rl",
                  "method": { "type": "reinforcement", "reinforcement": {
                    "grader": { "type": "tool_call", "name": "calls", "reference": "{{item.calls}}" },
                    "hyperparameters": { "n_epochs": 1, "batch_size": 2, "compute_multiplier": 0.5, "eval_interval": 2, "max_response_tokens": 96 } } }
                }
                """)),
            waitUntilCompleted: false,
            options: null!);

        // 3. Follow its events to the end, as they come.
        List<JsonNode> events = await FollowAsync(server, job.JobId);
        await job.UpdateStatusAsync(TestContext.Current.CancellationToken);
        Assert.True(job.Status == FineTuningStatus.Succeeded, server.Output);
        Assert.Equal($"{Nano}@job-1-step-3-rl", job.Value);
        Assert.Equal("The job has successfully completed", events[^1]["message"]!.GetValue<string>());
        Assert.Equal([1.0, 2, 3], events.Where(item => item["data"]?["reward_mean"] is not null).Select(item => item["data"]!["step"]!.GetValue<double>()));
        Assert.Equal([0.0, 2, 3], events.Where(item => item["data"]?["valid_rate"] is not null).Select(item => item["data"]!["step"]!.GetValue<double>()));
        List<FineTuningEvent> listed = [];
        await foreach (FineTuningEvent item in job.GetEventsAsync(new GetEventsOptions { PageSize = 5 }, TestContext.Current.CancellationToken))
        {
            listed.Add(item);
        }

        Assert.Equal(events.Count, listed.Count);
        List<FineTuningCheckpoint> checkpoints = [];
        await foreach (FineTuningCheckpoint item in job.GetCheckpointsAsync(new GetCheckpointsOptions(), TestContext.Current.CancellationToken))
        {
            checkpoints.Add(item);
        }

        Assert.Contains(3, checkpoints.Select(item => item.StepNumber));

        // 4. Use the model, and a checkpoint's.
        foreach (string model in new[] { job.Value!, checkpoints[^1].ModelId })
        {
            ChatCompletion answer = await client.GetChatClient(model).CompleteChatAsync(
                [ChatMessage.CreateUserMessage("What is the weather in Oslo?")],
                new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 96, Tools = { ChatTool.CreateFunctionTool("get_weather", "Weather of a city.", BinaryData.FromString(Parameters)) } },
                TestContext.Current.CancellationToken);
            Assert.Equal(model, answer.Model);
            Assert.True(answer.Usage.OutputTokenCount > 0);
        }

        // 5. Its figures from the start on, and what it sampled, with rewards.
        JsonArray figures = (await GetAsync(server, $"/admin/training/jobs/{job.JobId}/metrics"))["data"]!.AsArray();
        Assert.Equal([0, 2, 3], figures.Where(item => item!["metrics"]!["valid_rate"] is not null).Select(item => item!["step"]!.GetValue<int>()));
        JsonNode samples = await GetAsync(server, $"/admin/training/jobs/{job.JobId}/samples?kind=rollout&step=1");
        JsonNode sample = samples["data"]![0]!;
        Assert.Equal(4, sample["group_rewards"]!.AsArray().Count);
        Assert.Contains("get_weather", sample["expected"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotEmpty((await GetAsync(server, $"/admin/training/jobs/{job.JobId}/samples?kind=held_out"))["data"]!.AsArray());
    }

    [Fact]
    public async Task KilledServer_Restarted_TakesExactlyTheStepsOfAnUndisturbedRun()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));

        // 1. Undisturbed.
        string quiet;
        await using (ServerProcess server = await StartAsync("quiet", model))
        {
            string job = await CreateAsync(server, """ "steps":9,"checkpoint_every_steps":3 """);
            await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "succeeded");
            quiet = await FiguresAsync(server, job, steps: 9);
        }

        // 2. Killed between two checkpoints, and once more at the first sign of life after the restart.
        string killed;
        await using (ServerProcess server = await StartAsync("killed", model))
        {
            killed = await CreateAsync(server, """ "steps":9,"checkpoint_every_steps":3 """);
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

        Assert.Matches("Training goes on after step [1-9]", events);
        Assert.Equal(quiet, await FiguresAsync(last, killed, steps: 9));
        Assert.Equal(Weights("quiet"), Weights("killed"));
    }

    [Fact]
    public async Task PausedAndChanged_GoesOnWithTheChange_WhileRequestsAreAnswered()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        await using ServerProcess server = await StartAsync("pause", model);
        string job = await CreateAsync(server, """ "steps":2000,"checkpoint_every_steps":1000,"loss":{"kl_coefficient":0.01,"drop_uniform_groups":false} """);
        await UntilAsync(server, job, node => node["step"]!.GetValue<int>() >= 1);
        await PostAsync(server, "/v1/chat/completions", """{"model":"tiny-random","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""");
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/pause");
        int paused = (await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "paused"))["step"]!.GetValue<int>();

        // 1. A change while it waits, and one while it runs; each tells the step that it holds from.
        await PatchAsync(server, job, """{"learning_rate":0.0001,"kl_coefficient":0.5}""");
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/resume");
        await UntilAsync(server, job, node => node["step"]!.GetValue<int>() > paused + 1);
        await PatchAsync(server, job, """{"max_response_tokens":4}""");
        JsonNode[] edits = [];
        for (int i = 0; edits.Length < 2 || edits[1]["from_step"] is null; i++)
        {
            Assert.True(i < 3000);
            edits = [.. (await GetAsync(server, $"/admin/training/jobs/{job}"))["edits"]!.AsArray().Select(item => item!)];
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        int second = edits[1]["from_step"]!.GetValue<int>();
        await UntilAsync(server, job, node => node["step"]!.GetValue<int>() >= second);
        await PostAsync(server, $"/v1/fine_tuning/jobs/{job}/cancel");
        JsonNode cancelled = await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "cancelled");
        Dictionary<int, JsonNode> figures = (await GetAsync(server, $"/admin/training/jobs/{job}/metrics?limit=10000"))["data"]!.AsArray().ToDictionary(step => step!["step"]!.GetValue<int>(), step => step!["metrics"]!);

        Assert.Equal(paused + 1, edits[0]["from_step"]!.GetValue<int>());
        Assert.Equal((0.01, 0.5), (figures[paused]["kl_coefficient"]!.GetValue<double>(), figures[paused + 1]["kl_coefficient"]!.GetValue<double>()));
        Assert.Equal(0.0001, figures[paused + 1]["learning_rate"]!.GetValue<double>());
        Assert.True(figures[second]["response_length_max"]!.GetValue<double>() <= 4);

        // 2. What it was at when it was cancelled answers.
        JsonNode checkpoint = (await GetAsync(server, $"/v1/fine_tuning/jobs/{job}/checkpoints"))["data"]![0]!;
        Assert.Equal(cancelled["step"]!.GetValue<int>(), checkpoint["step_number"]!.GetValue<int>());
        await PostAsync(server, "/v1/chat/completions", $$"""{"model":"{{checkpoint["fine_tuned_model_checkpoint"]!.GetValue<string>()}}","messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""");
    }

    [Fact]
    public async Task Adapters_OfAJob_AreServedBesideTheBaseAndPromotedMerged()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        string adapted;
        await using (ServerProcess server = await StartAsync("lora", model))
        {
            string job = await CreateAsync(server, """ "steps":4,"checkpoint_every_steps":2,"lora":{"rank":4,"alpha":64},"optimizer":{"learning_rate":0.05},"alarms":{"kl_ceiling":1000} """);
            JsonNode done = await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "succeeded");
            adapted = done["fine_tuned_model"]!.GetValue<string>();
            string earlier = adapted.Replace("step-4", "step-2", StringComparison.Ordinal);
            await AssertMixedAsync(server, adapted, earlier);

            // 1. The adapter alone, and merged.
            Dictionary<string, byte[]> alone = await ExportAsync(server, job, 4, "adapter");
            Dictionary<string, byte[]> merged = await ExportAsync(server, job, 4, "model");
            Assert.Equal(4, JsonNode.Parse(alone["adapter_config.json"])!["r"]!.GetValue<int>());
            Assert.Contains("adapter_model.safetensors", alone.Keys);
            Assert.NotEqual(File.ReadAllBytes(Path.Combine(model, "model.safetensors")), merged["model.safetensors"]);

            // 2. The exported folder is a model: a server of its own answers as the adapter does here.
            string folder = Directory.CreateDirectory(Path.Combine(_folder, "exported")).FullName;
            foreach ((string name, byte[] bytes) in merged)
            {
                await File.WriteAllBytesAsync(Path.Combine(folder, name), bytes, TestContext.Current.CancellationToken);
            }

            await using (ServerProcess other = await StartAsync("exported", folder))
            {
                Assert.Equal(await TextAsync(server, adapted, 12), await TextAsync(other, "exported", 12));
            }

            // 3. Live, it is whole weights: another job can start from it.
            await PostAsync(server, "/admin/models/promote", $$"""{"model":"{{adapted}}","force":true}""");
            Assert.Equal(await TextAsync(server, adapted, 12), await TextAsync(server, "tiny-random", 12));
            string next = await CreateAsync(server, """ "steps":1,"lora":{"rank":2} """);
            JsonNode second = await UntilAsync(server, next, node => node["status"]!.GetValue<string>() == "succeeded");
            await TextAsync(server, second["fine_tuned_model"]!.GetValue<string>(), 4);
        }

        // 4. And after a restart.
        await using ServerProcess again = await StartAsync("lora", model);
        Assert.Equal(await TextAsync(again, adapted, 12), await TextAsync(again, "tiny-random", 12));
    }

    [Fact]
    public async Task RecordedAnswers_FitTheTypesOfOpenAisJavaScriptClient()
    {
        Assert.SkipWhen(NodeScript.MissingPackage("openai") is not null, NodeScript.MissingPackage("openai") ?? "");
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        await using ServerProcess server = await StartAsync("types", model);
        string job = await CreateAsync(server, """ "steps":2 """);
        JsonNode done = await UntilAsync(server, job, node => node["status"]!.GetValue<string>() == "succeeded");
        JsonNode events = await GetAsync(server, $"/v1/fine_tuning/jobs/{job}/events?limit=100");
        JsonNode checkpoints = await GetAsync(server, $"/v1/fine_tuning/jobs/{job}/checkpoints");
        JsonNode file = await GetAsync(server, "/v1/files/" + done["training_file"]!.GetValue<string>());
        JsonNode grader = await PostAsync(server, "/v1/fine_tuning/alpha/graders/run", $$$"""{"grader":{{{Letters}}},"item":{"reference":"aa"},"model_sample":"ab"}""");
        List<object> recorded =
        [
            new { type = "OpenAI.FineTuning.FineTuningJob", value = done },
            new { type = "OpenAI.FileObject", value = file },
            new { type = "OpenAI.FineTuning.Alpha.GraderRunResponse", value = grader },
            .. events["data"]!.AsArray().Select(item => new { type = "OpenAI.FineTuning.FineTuningJobEvent", value = item }),
            .. checkpoints["data"]!.AsArray().Select(item => new { type = "OpenAI.FineTuning.Jobs.FineTuningJobCheckpoint", value = item }),
        ];
        JsonElement complaints = await NodeScript.RunAsync("types.mjs", recorded, TestContext.Current.CancellationToken);

        Assert.True(recorded.Count > 8);
        Assert.Equal("[]", complaints.GetRawText());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Base and adapters answer one prompt at once, each as it does alone, and none finds another's blocks in the cache.</summary>
    private static async Task AssertMixedAsync(ServerProcess server, params string[] adapters)
    {
        // Each name's first request computes its whole prompt, though others have computed the same words.
        string[] names = ["tiny-random", .. adapters];
        foreach (string name in names)
        {
            Assert.Equal(0, await CachedAsync(server, name, "Tell me about the sea and the ships on it."));
            Assert.NotEqual(0, await CachedAsync(server, name, "Tell me about the sea and the ships on it."));
        }

        names = [.. names, "tiny-random@base"];
        List<string> alone = [];
        foreach (string name in names)
        {
            alone.Add(await TextAsync(server, name, 24));
        }

        string[] together = await Task.WhenAll(names.Select(name => TextAsync(server, name, 24)));
        Assert.Equal(alone, together);
        Assert.Equal(alone[0], alone[^1]);
        Assert.NotEqual(alone[0], alone[1]);
    }

    private static async Task<int> CachedAsync(ServerProcess server, string model, string text)
    {
        JsonNode answer = await PostAsync(server, "/v1/chat/completions", $$"""{"model":"{{model}}","messages":[{"role":"user","content":"{{text}}"}],"max_tokens":1}""");
        return answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>();
    }

    private static async Task<string> TextAsync(ServerProcess server, string model, int tokens)
    {
        JsonNode answer = await PostAsync(server, "/v1/completions", $$"""{"model":"{{model}}","prompt":"The ships on the sea were","max_tokens":{{tokens}},"temperature":0,"ignore_eos":true}""");
        return answer["choices"]![0]!["text"]!.GetValue<string>();
    }

    private static async Task<Dictionary<string, byte[]>> ExportAsync(ServerProcess server, string job, int step, string format)
    {
        await using Stream stream = await server.Http.GetStreamAsync($"/admin/training/jobs/{job}/checkpoints/{step}/export?format={format}", TestContext.Current.CancellationToken);
        await using TarReader tar = new(stream);
        Dictionary<string, byte[]> files = [];
        while (await tar.GetNextEntryAsync(copyData: true, TestContext.Current.CancellationToken) is TarEntry entry)
        {
            using MemoryStream bytes = new();
            await entry.DataStream!.CopyToAsync(bytes, TestContext.Current.CancellationToken);
            files.Add(Path.GetFileName(entry.Name), bytes.ToArray());
        }

        return files;
    }

    private static string Prompts(int count)
    {
        string[] cities = ["Oslo", "Rome", "Lima", "Cairo", "Bonn", "Kyiv"];
        return string.Join('\n', cities.Take(count).Select(city =>
            $$$"""{"messages":[{"role":"user","content":"What is the weather in {{{city}}}?"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city.","parameters":{{{Parameters}}}}}],"calls":[{"name":"get_weather","arguments":{"city":"{{{city}}}"}}],"reference":"etaoin shrdlu etaoin"}"""));
    }

    private async Task<ServerProcess> StartAsync(string name, string? model)
    {
        ServerProcess server = await ServerProcess.StartAsync(model, [("ToolN1__Auth__AdminKeys__0", Key), ("ToolN1__DataDirectory", Path.Combine(_folder, "data-" + name))]);
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return server;
    }

    private static async Task<string> CreateAsync(ServerProcess server, string hyperparameters)
    {
        using MultipartFormDataContent form = new() { { new StringContent("fine-tune"), "purpose" }, { new ByteArrayContent(Encoding.UTF8.GetBytes(Prompts(6))), "file", "rows.jsonl" } };
        using HttpResponseMessage uploaded = await server.Http.PostAsync("/v1/files", form, TestContext.Current.CancellationToken);
        string file = JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["id"]!.GetValue<string>();
        JsonNode job = await PostAsync(server, "/v1/fine_tuning/jobs",
            $$$"""
            {"model":"tiny-random","training_file":"{{{file}}}","seed":3,"method":{"type":"reinforcement","reinforcement":{"grader":{{{Letters}}},
             "hyperparameters":{"batch_size":2,"group_size":4,"max_response_tokens":8,"schedule":{"warmup_fraction":0},{{{hyperparameters}}} } } } }
            """);
        return job["id"]!.GetValue<string>();
    }

    private static async Task<List<JsonNode>> FollowAsync(ServerProcess server, string job)
    {
        using HttpResponseMessage response = await server.Http.GetAsync($"/admin/training/jobs/{job}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);
        List<JsonNode> events = [];
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is string line && line != "data: [DONE]")
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                events.Add(JsonNode.Parse(line["data: ".Length..])!);
            }
        }

        return events;
    }

    private static async Task<JsonNode> UntilAsync(ServerProcess server, string job, Func<JsonNode, bool> holds)
    {
        while (true)
        {
            JsonNode node = await GetAsync(server, "/v1/fine_tuning/jobs/" + job);
            if (holds(node))
            {
                return node;
            }

            Assert.False(node["finished_at"] is not null, node.ToJsonString() + server.Output);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<JsonNode> GetAsync(ServerProcess server, string route) =>
        JsonNode.Parse(await server.Http.GetStringAsync(route, TestContext.Current.CancellationToken))!;

    private static async Task<JsonNode> PostAsync(ServerProcess server, string route, string json = "")
    {
        using HttpResponseMessage response = await server.Http.PostAsync(
            route, json.Length == 0 ? null : new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return await OkAsync(server, response);
    }

    private static async Task PatchAsync(ServerProcess server, string job, string json)
    {
        using HttpResponseMessage response = await server.Http.PatchAsync(
            "/admin/training/jobs/" + job, new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        await OkAsync(server, response);
    }

    private static async Task<JsonNode> OkAsync(ServerProcess server, HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text + server.Output);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Every step's figures but those of time and memory.</summary>
    private static async Task<string> FiguresAsync(ServerProcess server, string job, int steps)
    {
        JsonArray data = (await GetAsync(server, $"/admin/training/jobs/{job}/metrics"))["data"]!.AsArray();
        foreach (JsonObject figures in data.Select(step => step!["metrics"]!.AsObject()))
        {
            foreach (string name in figures.Select(item => item.Key).Where(name => name.Contains("second", StringComparison.Ordinal) || name == "memory_bytes").ToArray())
            {
                figures.Remove(name);
            }
        }

        Assert.Equal(steps, data.Count);
        return data.ToJsonString();
    }

    private string Weights(string name) =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, "data-" + name, "models", "job-1-step-9", "model.safetensors"))));
}
