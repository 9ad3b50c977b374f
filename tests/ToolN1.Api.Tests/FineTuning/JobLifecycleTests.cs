using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;
using ToolN1.Engine.Model;
using ToolN1.TestSupport;
using ToolN1.Training;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class JobLifecycleTests
{
    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Job_FromFileToModel_TellsEveryStep(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = _ => """<think>f it is</think><tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call>""", settings: await TestDatabase.CreateAsync(provider));
        string file = await server.FileAsync();
        string job = await server.JobAsync(file, $$""","validation_file":"{{file}}","suffix":"x","seed":7,"metadata":{"k":"v"},"hyperparameters":{"n_epochs":"auto"}""");
        JsonNode done = await server.UntilAsync(job, "succeeded");

        // 1. The job.
        string model = FakeEngine.ModelName + "@job-1-step-3-x";
        Assert.Equal((model, 7, 3, 3, 30), (
            done["fine_tuned_model"]!.GetValue<string>(), done["seed"]!.GetValue<int>(), done["step"]!.GetValue<int>(), done["total_steps"]!.GetValue<int>(), done["trained_tokens"]!.GetValue<int>()));
        Assert.Equal("""{"k":"v"}""", done["metadata"]!.ToJsonString());
        Assert.NotNull(done["finished_at"]);
        Assert.Null(done["error"]);
        Assert.Equal("supervised", done["method"]!["type"]!.GetValue<string>());

        // 2. Its events, newest first, in pages that join without gap.
        JsonNode first = await server.GetAsync($"/v1/fine_tuning/jobs/{job}/events?limit=4");
        string last = first["data"]![3]!["id"]!.GetValue<string>();
        JsonNode rest = await server.GetAsync($"/v1/fine_tuning/jobs/{job}/events?limit=100&after={last}");
        JsonNode[] events = [.. first["data"]!.AsArray().Concat(rest["data"]!.AsArray()).Select(item => item!)];
        Assert.Equal((true, false), (first["has_more"]!.GetValue<bool>(), rest["has_more"]!.GetValue<bool>()));
        Assert.Equal(events.Length, events.Select(item => item["id"]!.GetValue<string>()).Distinct().Count());
        Assert.Equal("The job has successfully completed", events[0]["message"]!.GetValue<string>());
        Assert.StartsWith("Created fine-tuning job", events[^1]["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(events, item => item["message"]!.GetValue<string>() == "Held-out exact match: 1 of 1 rows before, 1 now.");
        JsonNode step = events.First(item => item["type"]!.GetValue<string>() == "metrics");
        Assert.Equal((3, 0.5), (step["data"]!["step"]!.GetValue<int>(), step["data"]!["train_mean_token_accuracy"]!.GetValue<double>()));

        // 3. Checkpoints, figures, samples; what is not finite is no figure.
        JsonNode checkpoints = await server.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints?limit=2");
        Assert.Equal([3, 2], checkpoints["data"]!.AsArray().Select(item => item!["step_number"]!.GetValue<int>()));
        Assert.Equal(FakeEngine.ModelName + "@job-1-step-2-x", checkpoints["data"]![1]!["fine_tuned_model_checkpoint"]!.GetValue<string>());
        Assert.Equal(1, (await server.GetAsync($"/v1/fine_tuning/jobs/{job}/checkpoints?after={checkpoints["last_id"]!.GetValue<string>()}"))["data"]![0]!["step_number"]!.GetValue<int>());
        JsonNode metrics = await server.GetAsync($"/admin/training/jobs/{job}/metrics?after_step=1");
        Assert.Equal([2, 3], metrics["data"]!.AsArray().Select(item => item!["step"]!.GetValue<int>()));
        Assert.Equal(["train_loss", "train_mean_token_accuracy"], metrics["data"]![0]!["metrics"]!.AsObject().Select(item => item.Key));
        JsonNode sample = (await server.GetAsync($"/admin/training/jobs/{job}/samples"))["data"]!.AsArray().Single()!;
        Assert.Equal((3, "go", 1.0), (sample["step"]!.GetValue<int>(), sample["request"]!.GetValue<string>(), sample["reward"]!.GetValue<double>()));

        // 4. Its models are known and answer, the checkpoint's too.
        JsonNode known = await server.GetAsync($"/v1/models/{FakeEngine.ModelName}@job-1-step-2-x");
        Assert.Equal((FakeEngine.ModelName + "@job-1-step-2-x", checkpoints["data"]![1]!["created_at"]!.GetValue<long>()), (known["id"]!.GetValue<string>(), known["created"]!.GetValue<long>()));
        Assert.False(Directory.Exists(Path.Combine(server.DataDirectory, "models", "job-1-step-2")));
        foreach ((string name, string version) in new[] { (model, "job-1-step-3"), (FakeEngine.ModelName + "@job-1-step-2-x", "job-1-step-2"), (FakeEngine.ModelName + "@base", "0123456789abcdef") })
        {
            JsonObject chat = Json.Chat();
            chat["model"] = name;
            JsonNode answer = await server.PostOkAsync(Json.ChatRoute, chat.ToJsonString());
            Assert.Equal(name, answer["model"]!.GetValue<string>());
            Assert.Equal(version, server.Engine.Requests.Last().WeightVersion);
        }

        Assert.Contains(model, (await server.GetAsync("/v1/models"))["data"]!.AsArray().Select(item => item!["id"]!.GetValue<string>()));
        Assert.Contains((await server.GetAsync("/admin/audit"))["data"]!.AsArray(), item => item!["action"]!.GetValue<string>() == "job.create" && item["subject"]!.GetValue<string>() == job);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Jobs_RunOneAtATime_OldestFirst(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string first = await server.JobAsync(file);
        string second = await server.JobAsync(file);
        await server.UntilAsync(first, "running");

        Assert.Equal("queued", (await server.GetAsync("/v1/fine_tuning/jobs/" + second))["status"]!.GetValue<string>());
        JsonNode page = await server.GetAsync("/v1/fine_tuning/jobs?limit=1");
        Assert.Equal(second, page["data"]![0]!["id"]!.GetValue<string>());
        Assert.True(page["has_more"]!.GetValue<bool>());
        Assert.Equal(first, (await server.GetAsync($"/v1/fine_tuning/jobs?after={second}"))["data"]![0]!["id"]!.GetValue<string>());
        server.Method.Permits.Release(6);
        await server.UntilAsync(first, "succeeded");
        await server.UntilAsync(second, "succeeded");
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task PauseAndResume_GoOnAfterTheCheckpoint_AndLetOthersRunMeanwhile(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string first = await server.JobAsync(file);
        server.Method.Permits.Release(1);
        await StepAsync(server, first, 1);
        string second = await server.JobAsync(file);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{first}/pause");
        await server.UntilAsync(first, "paused");

        server.Method.Permits.Release(3);
        await server.UntilAsync(second, "succeeded");
        using HttpResponseMessage again = await server.PostAsync($"/v1/fine_tuning/jobs/{first}/pause");
        Assert.Equal("job_state", (await Json.ErrorAsync(again, 409))["code"]!.GetValue<string>());

        server.Method.Permits.Release(2);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{first}/resume");
        await server.UntilAsync(first, "succeeded");
        Assert.Contains("Training goes on after step 1 of 3.", await server.MessagesAsync(first));
    }

    [Fact]
    public async Task JobThatTrainsOverItsStart_PausedWhileAnotherModelIsPromoted_GoesOnOverItsOwn()
    {
        using TrainingServer server = new();
        server.Method.TrainsOverItsStart = true;
        string file = await server.FileAsync();
        await server.UntilAsync(await server.JobAsync(file), "succeeded");
        server.Method.IsHeld = true;
        string job = await server.JobAsync(file);
        server.Method.Permits.Release(1);
        await StepAsync(server, job, 1);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/pause");
        await server.UntilAsync(job, "paused");
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{FakeEngine.ModelName}}@job-1-step-3","force":true}""");
        server.Method.Permits.Release(2);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/resume");
        await server.UntilAsync(job, "succeeded");

        // What is live does not matter to a job that began before; one that is made now starts from it.
        server.Method.IsHeld = false;
        await server.UntilAsync(await server.JobAsync(file), "succeeded");
        Assert.Equal("job-1-step-3", server.Host.LiveVersion);
        Assert.Equal(["0123456789abcdef", "0123456789abcdef", "0123456789abcdef", "job-1-step-3"], server.Method.StartVersions);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Cancel_RunningWaitingAndPaused_EndsEach(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string running = await server.JobAsync(file);
        string waiting = await server.JobAsync(file);
        string paused = await server.JobAsync(file);
        server.Method.Permits.Release(1);
        await StepAsync(server, running, 1);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{paused}/pause");
        foreach (string job in new[] { waiting, paused, running })
        {
            await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/cancel");
            JsonNode ended = await server.UntilAsync(job, "cancelled");
            Assert.NotNull(ended["finished_at"]);
            using HttpResponseMessage again = await server.PostAsync($"/v1/fine_tuning/jobs/{job}/cancel");
            await Json.ErrorAsync(again, 409);
        }

        JsonNode checkpoint = (await server.GetAsync($"/v1/fine_tuning/jobs/{running}/checkpoints"))["data"]!.AsArray().Single()!;
        Assert.Equal(1, checkpoint["step_number"]!.GetValue<int>());
    }

    [Fact]
    public async Task DatabaseOutOfReachWhileAJobRuns_EndsNothing_AndPauseIsHeardOnceItIsBack()
    {
        using TrainingServer server = new();
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string job = await server.JobAsync(file);
        server.Method.Permits.Release(1);
        await StepAsync(server, job, 1);
        await server.ExecuteAsync("ALTER TABLE jobs RENAME TO elsewhere");
        server.Services.GetRequiredService<JobSignal>().Wake();
        for (int i = 0; !server.Log.Lines.Any(line => line.Text.Contains("is to pause or stop cannot be read", StringComparison.Ordinal)); i++)
        {
            Assert.True(i < 3000);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await server.ExecuteAsync("ALTER TABLE elsewhere RENAME TO jobs");
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/pause");
        await server.UntilAsync(job, "paused");
        server.Method.IsHeld = false;
        await server.UntilAsync(await server.JobAsync(file), "succeeded");
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/resume");
        await server.UntilAsync(job, "succeeded");
    }

    [Theory]
    [InlineData("models")]
    [InlineData("evaluations")]
    public async Task DatabaseOutOfReachAfterTheLastStep_SendsTheJobBackToTheQueue(string table)
    {
        using TrainingServer server = new();
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string job = await server.JobAsync(file, $$""","validation_file":"{{file}}" """);
        server.Method.Permits.Release(2);
        await StepAsync(server, job, 2);
        await server.ExecuteAsync($"ALTER TABLE {table} RENAME TO elsewhere");
        server.Method.Permits.Release(1);
        await server.UntilToldAsync(job, "The database was out of reach; the job goes on from its last checkpoint");
        await server.ExecuteAsync($"ALTER TABLE elsewhere RENAME TO {table}");
        JsonNode done = await server.UntilAsync(job, "succeeded");
        Assert.Equal(FakeEngine.ModelName + "@job-1-step-3", done["fine_tuned_model"]!.GetValue<string>());
        Assert.Contains("Training goes on after step 3 of 3.", await server.MessagesAsync(job));
        Assert.Single((await server.GetAsync($"/admin/training/jobs/{job}/samples"))["data"]!.AsArray());
    }

    [Fact]
    public async Task PausedAndResumedBeforeItHasStopped_GoesOn_AndSaysWhy()
    {
        using TrainingServer server = new();
        TaskCompletionSource ending = new();
        (server.Method.IsHeld, server.Method.Ending) = (true, ending.Task);
        string job = await server.JobAsync(await server.FileAsync());
        server.Method.Permits.Release(1);
        await StepAsync(server, job, 1);
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/pause");
        await server.Method.Stopping.Task;
        await server.PostOkAsync($"/v1/fine_tuning/jobs/{job}/resume");
        ending.SetResult();
        server.Method.Permits.Release(2);
        await server.UntilAsync(job, "succeeded");

        string[] messages = await server.MessagesAsync(job);
        Assert.Contains("The job was asked to pause and to go on; it goes on from its last checkpoint", messages);
        Assert.DoesNotContain(messages, message => message.Contains("The server is stopping", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task AnswerWithANul_IsKeptAsASample(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = _ => "a\0b", settings: await TestDatabase.CreateAsync(provider));
        string file = await server.FileAsync();
        string job = await server.JobAsync(file, $$""","validation_file":"{{file}}" """);
        await server.UntilAsync(job, "succeeded");

        Assert.Equal("a\uFFFDb", (await server.GetAsync($"/admin/training/jobs/{job}/samples"))["data"]![0]!["completion"]!.GetValue<string>());
    }

    [Fact]
    public async Task KilledBetweenItsScoreAndItsSamples_HasBothAfterTheNextStart()
    {
        using TemporaryFolder data = new("samples");
        string job;
        using (TrainingServer server = new(dataDirectory: data.Path))
        {
            string file = await server.FileAsync();
            job = await server.JobAsync(file, $$""","validation_file":"{{file}}" """);
            await server.UntilAsync(job, "succeeded");

            // What such a process leaves.
            await server.ExecuteAsync("DELETE FROM samples; UPDATE jobs SET \"Status\" = 'running', \"FinishedAt\" = NULL, \"FineTunedModel\" = NULL");
        }

        using TrainingServer next = new(dataDirectory: data.Path);
        await next.UntilAsync(job, "succeeded");
        Assert.Single((await next.GetAsync($"/admin/training/jobs/{job}/samples"))["data"]!.AsArray());
    }

    [Fact]
    public async Task KilledAfterItWasToBeCancelled_IsCancelled_AndHasNoPace()
    {
        using TemporaryFolder data = new("pace");
        string job;
        using (TrainingServer server = new(dataDirectory: data.Path))
        {
            job = await server.JobAsync(await server.FileAsync());
            await server.UntilAsync(job, "succeeded");

            // What such a process leaves.
            await server.ExecuteAsync("UPDATE jobs SET \"Status\" = 'running', \"Wish\" = 'cancel', \"FinishedAt\" = NULL, \"FineTunedModel\" = NULL, \"EstimatedFinish\" = 1700000000");
        }

        using TrainingServer next = new(dataDirectory: data.Path);
        Assert.Null((await next.UntilAsync(job, "cancelled"))["estimated_finish"]);
    }

    [Fact]
    public async Task JobThatEndsBeforeItHasPaused_IsAskedForNothingMore()
    {
        using TrainingServer server = new();
        server.Method.IsHeld = true;
        string job = await server.JobAsync(await server.FileAsync());
        server.Method.Permits.Release(1);
        await StepAsync(server, job, 1);

        // A wish that the run does not hear of in time.
        await server.ExecuteAsync("UPDATE jobs SET \"Wish\" = 'pause'");
        server.Method.Permits.Release(2);
        await server.UntilAsync(job, "succeeded");
        Assert.Equal("run", (await server.GetAsync("/admin/training/jobs/" + job))["wish"]!.GetValue<string>());
    }

    [Fact]
    public async Task SecondServerOnOnePostgresDatabase_DoesNotStart()
    {
        (string Key, string Value)[] database = await TestDatabase.CreateAsync("postgresql");
        using TemporaryFolder data = new("second");
        using TrainingServer first = new(settings: database);
        using TrainingStore second = new(
            Options.Create(new TrainingOptions { Database = new DatabaseOptions { Provider = "postgresql", ConnectionString = database[1].Value } }),
            Options.Create(new DataOptions { DataDirectory = data.Path }),
            TimeProvider.System);
        IOException refused = Assert.Throws<IOException>(second.Open);

        Assert.Equal("ToolN1:Database: another server uses the database.", refused.Message);
        await first.FileAsync();
    }

    public static TheoryData<string> Failures => ["disk_full", "non_finite", "checkpoint_unusable", "internal_error"];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Failure_EndsTheJobWithItsReason_AndNothingElse(string code)
    {
        using TrainingServer server = new();
        server.Method.Failures.Enqueue(code switch
        {
            "disk_full" => new IOException("No space left on device", 28),
            "non_finite" => new NonFiniteTrainingException(4, 3),
            "checkpoint_unusable" => new CheckpointException("masters.safetensors", "is cut off."),
            _ => new InvalidOperationException("secret"),
        });
        string file = await server.FileAsync();
        string failing = await server.JobAsync(file);
        string next = await server.JobAsync(file);
        JsonNode failed = await server.UntilAsync(failing, "failed");

        Assert.Equal(code, failed["error"]!["code"]!.GetValue<string>());
        Assert.DoesNotContain("secret", failed["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(failed["fine_tuned_model"]);
        Assert.StartsWith("The job failed: ", (await server.MessagesAsync(failing))[0], StringComparison.Ordinal);
        await server.UntilAsync(next, "succeeded");
        await server.PostOkAsync(Json.ChatRoute, Json.Chat().ToJsonString());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task QueuedJobs_OfAnEngineOutOfOrder_SayThatTheyWait_AndRunAfterARestart(string provider)
    {
        const string Waiting = "The engine is out of order; the job waits for the server's next start";
        using TemporaryFolder data = new("faulted");
        (string, string)[] database = await TestDatabase.CreateAsync(provider);
        string running, queued, later;
        using (TrainingServer server = new(dataDirectory: data.Path, settings: database))
        {
            server.Method.IsHeld = true;
            server.Engine.BeforeToken = (request, _, _) =>
            {
                if (request.Priority == RequestPriority.Background)
                {
                    server.Engine.Healthy = false;
                    throw new EngineFaultException("The engine is out of order.");
                }

                return Task.CompletedTask;
            };
            string file = await server.FileAsync();
            running = await server.JobAsync(file, $$""","validation_file":"{{file}}" """);
            queued = await server.JobAsync(file);
            server.Method.Permits.Release(3);
            Assert.Equal("engine_failed", (await server.UntilAsync(running, "failed"))["error"]!["code"]!.GetValue<string>());

            // One that comes later waits beside it.
            await server.UntilToldAsync(queued, Waiting);
            later = await server.JobAsync(file);
            await server.UntilToldAsync(later, Waiting);
            Assert.Equal("queued", (await server.GetAsync("/v1/fine_tuning/jobs/" + queued))["status"]!.GetValue<string>());
            Assert.Single(await server.MessagesAsync(queued), message => message == Waiting);
            Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Error && line.Text.Contains("no job runs before the server's next start", StringComparison.Ordinal));
        }

        using TrainingServer next = new(dataDirectory: data.Path, settings: database);
        await next.UntilAsync(queued, "succeeded");
        await next.UntilAsync(later, "succeeded");
        await next.UntilAsync(running, "failed");
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task VanishedDataset_FailsTheJob(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        (string job, string file) = await WaitingAsync(server);
        Directory.Delete(Path.Combine(server.DataDirectory, "files", file), recursive: true);
        server.Method.Permits.Release(3);
        JsonNode failed = await server.UntilAsync(job, "failed");
        using HttpResponseMessage content = await server.Client.GetAsync($"/v1/files/{file}/content", TestContext.Current.CancellationToken);

        Assert.Equal(("file_missing", "training_file"), (failed["error"]!["code"]!.GetValue<string>(), failed["error"]!["param"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.Conflict, content.StatusCode);
    }

    [Theory]
    [InlineData("training_file")]
    [InlineData("validation_file")]
    public async Task DatasetThatIsNotWhatWasUploaded_FailsTheJob(string field)
    {
        using TrainingServer server = new();
        (string job, string file) = await WaitingAsync(server, field);
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "files", file, "content.jsonl"), TrainingServer.Row, TestContext.Current.CancellationToken);
        server.Method.Permits.Release(3);
        JsonNode failed = await server.UntilAsync(job, "failed");

        Assert.Equal(("file_changed", field), (failed["error"]!["code"]!.GetValue<string>(), failed["error"]!["param"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task StoppedServer_GoesOnAtItsNextStart(string provider)
    {
        using TemporaryFolder data = new("jobs");
        (string, string)[] database = await TestDatabase.CreateAsync(provider);
        string job;
        using (TrainingServer server = new(dataDirectory: data.Path, settings: database))
        {
            server.Method.IsHeld = true;
            job = await server.JobAsync(await server.FileAsync());
            server.Method.Permits.Release(2);
            await StepAsync(server, job, 2);
        }

        using TrainingServer next = new(dataDirectory: data.Path, settings: database);
        await next.UntilAsync(job, "succeeded");
        string[] messages = await next.MessagesAsync(job);
        Assert.Contains("The server is stopping; the job goes on at its next start", messages);
        Assert.Contains("Training goes on after step 2 of 3.", messages);
    }

    /// <summary>A job that waits behind one that is held, and the file that it has not read yet.</summary>
    private static async Task<(string Job, string File)> WaitingAsync(TrainingServer server, string field = "training_file")
    {
        server.Method.IsHeld = true;
        string file = await server.FileAsync();
        string unread = await server.FileAsync(TrainingServer.Row.Replace("go", "walk", StringComparison.Ordinal));
        string held = await server.JobAsync(file);
        string job = field == "training_file" ? await server.JobAsync(unread) : await server.JobAsync(file, $$""","validation_file":"{{unread}}" """);
        await server.UntilAsync(held, "running");
        return (job, unread);
    }

    private static async Task StepAsync(TrainingServer server, string job, int step)
    {
        while ((await server.GetAsync("/v1/fine_tuning/jobs/" + job))["step"]!.GetValue<int>() < step)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
