using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;
using ToolN1.TestSupport;
using ToolN1.Training.Grpo;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Rewards;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class PromotionTests
{
    private const string Right = """<think>f it is</think><tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call>""";
    private const string Base = FakeEngine.ModelName + "@base";
    private const string First = FakeEngine.ModelName + "@job-1-step-3";
    private const string Second = FakeEngine.ModelName + "@job-2-step-3";
    private const string Third = FakeEngine.ModelName + "@job-3-step-3";

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Promote_BetterVersion_IsLiveUntilRolledBack(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = request => request.WeightVersion == "job-1-step-3" ? Right : "no", settings: await TestDatabase.CreateAsync(provider));
        await TrainAsync(server, validated: true);
        JsonNode change = await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");

        Assert.Equal((First, Base, 1, 0, 1, false), (
            change["live"]!.GetValue<string>(), change["previous"]!.GetValue<string>(), change["held_out_rows"]!.GetValue<int>(), change["correct_before"]!.GetValue<int>(),
            change["correct_now"]!.GetValue<int>(), change["forced"]!.GetValue<bool>()));
        Assert.Equal("job-1-step-3", server.Host.LiveVersion);
        Assert.Equal(First, await LiveAsync(server));
        using HttpResponseMessage again = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        Assert.Equal("already_live", (await Json.ErrorAsync(again, 409))["code"]!.GetValue<string>());

        await server.PostOkAsync("/admin/models/rollback");
        Assert.Equal("0123456789abcdef", server.Host.LiveVersion);
        using HttpResponseMessage nothing = await server.PostAsync("/admin/models/rollback");
        Assert.Equal("nothing_promoted", (await Json.ErrorAsync(nothing, 409))["code"]!.GetValue<string>());

        // Who, when, scores and data are in the log.
        JsonNode[] log = [.. (await server.GetAsync("/admin/audit"))["data"]!.AsArray().Select(item => item!)];
        Assert.Equal(["model.rollback", "model.promote"], log.Take(2).Select(item => item["action"]!.GetValue<string>()));
        JsonNode details = log[1]["details"]!;
        string hash = (await server.GetAsync("/v1/files"))["data"]![0]!["sha256"]!.GetValue<string>();
        Assert.Equal((Base, First, hash, 0, 1, false), (
            details["from"]!.GetValue<string>(), details["to"]!.GetValue<string>(), details["data_hash"]!.GetValue<string>(), details["correct_before"]!.GetValue<int>(),
            details["correct_now"]!.GetValue<int>(), details["forced"]!.GetValue<bool>()));
        Assert.Matches("^admin-[0-9a-f]{8}$", log[1]["who"]!.GetValue<string>());
        Assert.True(log[1]["created_at"]!.GetValue<long>() > 0);
        Assert.DoesNotContain(log, item => item.ToJsonString().Contains(TrainingServer.Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Promote_WorseVersion_IsRefusedUnlessForced_AndThatIsRecorded(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = request => request.WeightVersion == "job-1-step-3" ? "no" : Right, settings: await TestDatabase.CreateAsync(provider));
        await TrainAsync(server, validated: true);
        using HttpResponseMessage refused = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        JsonNode error = await Json.ErrorAsync(refused, 409);

        Assert.Equal("gate_failed", error["code"]!.GetValue<string>());
        Assert.Contains("exact match fell: 1 to 0 of 1", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(Base, await LiveAsync(server));
        JsonNode forced = await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}","force":true}""");
        Assert.True(forced["forced"]!.GetValue<bool>());
        Assert.True((await server.GetAsync("/admin/audit?limit=1"))["data"]![0]!["details"]!["forced"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Promote_WithoutHeldOutRowsOrImprovement_IsRefused(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right, settings: await TestDatabase.CreateAsync(provider));
        await TrainAsync(server, validated: false);
        await TrainAsync(server, validated: true);
        using HttpResponseMessage unknown = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{FakeEngine.ModelName}}@job-9-step-1"}""");
        using HttpResponseMessage blind = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        using HttpResponseMessage equal = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{Second}}","require_improvement":true}""");
        using HttpResponseMessage served = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{FakeEngine.ModelName}}"}""");

        Assert.Equal("model", (await Json.ErrorAsync(unknown, 404))["param"]!.GetValue<string>());
        Assert.Contains("no held-out rows", (await Json.ErrorAsync(blind, 409))["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("p < 0.05", (await Json.ErrorAsync(equal, 409))["message"]!.GetValue<string>(), StringComparison.Ordinal);
        await Json.ErrorAsync(served, 400);
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Second}}"}""");
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Promote_TheBase_NeedsNoGate_StaysOverARestart_AndCanBeTakenBack(string provider)
    {
        (string, string)[] database = await TestDatabase.CreateAsync(provider);
        using TemporaryFolder data = new("base");
        using (TrainingServer server = new(engine => engine.Answer = request => request.WeightVersion == "job-1-step-3" ? Right : "no", data.Path, database))
        {
            await TrainAsync(server, validated: true);
            await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
            JsonNode change = await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Base}}"}""");

            Assert.Equal((Base, First, false), (change["live"]!.GetValue<string>(), change["previous"]!.GetValue<string>(), change["forced"]!.GetValue<bool>()));
            Assert.Null(change["held_out_rows"]);
            Assert.Equal("0123456789abcdef", server.Host.LiveVersion);
            JsonNode entry = (await server.GetAsync("/admin/audit?limit=1"))["data"]![0]!;
            Assert.Equal(("model.promote", First, Base, false), (
                entry["action"]!.GetValue<string>(), entry["details"]!["from"]!.GetValue<string>(), entry["details"]!["to"]!.GetValue<string>(), entry["details"]!["forced"]!.GetValue<bool>()));
            Assert.Contains("needs no gate", entry["details"]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        using TrainingServer next = new(dataDirectory: data.Path, settings: database);
        Assert.Equal(Base, await LiveAsync(next));
        JsonNode back = await next.PostOkAsync("/admin/models/rollback");
        Assert.Equal((First, Base), (back["live"]!.GetValue<string>(), back["previous"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Promote_TheBaseThatMustImprove_IsRefusedForItsOwnReason()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        await TrainAsync(server, validated: true);
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        using HttpResponseMessage refused = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{Base}}","require_improvement":true}""");
        JsonNode error = await Json.ErrorAsync(refused, 409);

        Assert.Equal("gate_failed", error["code"]!.GetValue<string>());
        Assert.Contains("no job made it", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.DoesNotContain("validation_file", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(First, await LiveAsync(server));
        Assert.True((await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Base}}","require_improvement":true,"force":true}"""))["forced"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("sqlite", false)]
    [InlineData("sqlite", true)]
    [InlineData("postgresql", false)]
    public async Task Promoted_StaysLiveOverARestart_UntilItsFilesAreDamaged(string provider, bool isUnreadable)
    {
        Assert.SkipWhen(isUnreadable && !OperatingSystem.IsLinux(), "There is no /proc here.");
        (string, string)[] database = await TestDatabase.CreateAsync(provider);
        using TemporaryFolder data = new("promoted");
        using (TrainingServer server = new(engine => engine.Answer = _ => Right, data.Path, database))
        {
            await TrainAsync(server, validated: true);
            await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        }

        using (TrainingServer next = new(dataDirectory: data.Path, settings: database))
        {
            Assert.Equal("job-1-step-3", next.Host.LiveVersion);
            Assert.Equal(First, await LiveAsync(next));
        }

        string weights = Path.Combine(data.Path, "models", "job-1-step-3", "weights");
        if (isUnreadable)
        {
            // Reading it ends with an error of the disk.
            File.Delete(weights);
            File.CreateSymbolicLink(weights, "/proc/self/mem");
        }
        else
        {
            await File.AppendAllTextAsync(weights, "x", TestContext.Current.CancellationToken);
        }

        using TrainingServer last = new(dataDirectory: data.Path, settings: database);
        Assert.Equal(Base, await LiveAsync(last));
        JsonNode entry = (await last.GetAsync("/admin/audit?limit=1"))["data"]![0]!;
        Assert.Equal(("server", "model.rollback"), (entry["who"]!.GetValue<string>(), entry["action"]!.GetValue<string>()));
        using HttpResponseMessage chat = await last.PostAsync(Json.ChatRoute, $$"""{"model":"{{First}}","messages":[{"role":"user","content":"a"}]}""");
        Assert.Equal("model_unusable", (await Json.ErrorAsync(chat, 500))["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Rollback_TellsScoresAndDataOfWhatIsLiveAgain(string provider)
    {
        using TrainingServer server = new(engine => engine.Answer = request => request.WeightVersion == "0123456789abcdef" ? "no" : Right, settings: await TestDatabase.CreateAsync(provider));
        await TrainAsync(server, validated: true);
        await TrainAsync(server, validated: true);
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Second}}"}""");
        await server.PostOkAsync("/admin/models/rollback");
        await server.PostOkAsync("/admin/models/rollback");
        JsonNode[] log = [.. (await server.GetAsync("/admin/audit?limit=4"))["data"]!.AsArray().Select(item => item!["details"]!)];

        // Newest first. The base was trained on nothing that is known here.
        Assert.Equal(
            [(First, Base, null, 1, 0), (Second, First, log[2]["data_hash"]!.GetValue<string>(), 1, 1)],
            log.Take(2).Select(item => (
                item["from"]!.GetValue<string>(), item["to"]!.GetValue<string>(), item["data_hash"]?.GetValue<string>(), item["correct_before"]!.GetValue<int>(), item["correct_now"]!.GetValue<int>())));
        Assert.All(log, item => Assert.Equal((1, log[3]["held_out_hash"]!.GetValue<string>()), (item["held_out_rows"]!.GetValue<int>(), item["held_out_hash"]!.GetValue<string>())));
    }

    [Fact]
    public async Task Rollback_ToAVersionWhoseFilesAreDamaged_PassesItOver()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right, settings: [("ToolN1:Training:MaxLoadedModels", "1")]);
        await TrainAsync(server, validated: true);
        await TrainAsync(server, validated: true);
        await TrainAsync(server, validated: true);
        foreach (string model in new[] { First, Second, Third })
        {
            await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{model}}"}""");
        }

        // The second has left memory when the first takes its place there.
        await server.PostOkAsync("/admin/models/load", $$"""{"model":"{{First}}"}""");
        await File.AppendAllTextAsync(Path.Combine(server.DataDirectory, "models", "job-2-step-3", "weights"), "x", TestContext.Current.CancellationToken);
        JsonNode change = await server.PostOkAsync("/admin/models/rollback");

        Assert.Equal((Third, First), (change["previous"]!.GetValue<string>(), change["live"]!.GetValue<string>()));
        Assert.Equal("job-1-step-3", server.Host.LiveVersion);
        JsonNode[] log = [.. (await server.GetAsync("/admin/audit?limit=2"))["data"]!.AsArray().Select(item => item!)];
        Assert.Equal([(Third, First), (Second, First)], log.Select(item => (item["details"]!["from"]!.GetValue<string>(), item["details"]!["to"]!.GetValue<string>())));
        Assert.Equal(("server", true), (log[1]["who"]!.GetValue<string>(), log[1]["details"]!["reason"]!.GetValue<string>().Contains("manifest.json", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Models_BeyondTheLimit_LeaveMemoryAndComeBack()
    {
        using TrainingServer server = new(settings: [("ToolN1:Training:MaxLoadedModels", "1")]);
        await TrainAsync(server, validated: false);
        await TrainAsync(server, validated: false);

        Assert.Equal(["0123456789abcdef", "job-2-step-3"], server.Host.Versions);
        await server.PostOkAsync(Json.ChatRoute, $$"""{"model":"{{First}}","messages":[{"role":"user","content":"a"}]}""");
        Assert.Equal("job-1-step-3", server.Engine.Requests.Last().WeightVersion);
        Assert.Equal(2, server.Host.Versions.Count);
    }

    [Fact]
    public async Task HeldOutScores_OfFewerRowsThanAreAnsweredNow_AreMeasuredAgain()
    {
        using TemporaryFolder data = new("rows");
        string rows = TrainingServer.Row + "\n" + TrainingServer.Row.Replace("go", "walk", StringComparison.Ordinal);
        using (TrainingServer server = new(engine => engine.Answer = _ => Right, data.Path, ("ToolN1:Training:MaxHeldOutRows", "1")))
        {
            await TrainAsync(server, validated: true, rows);
            Assert.Contains("Held-out exact match: 1 of 1 rows before, 1 now.", await server.MessagesAsync(await NewestJobAsync(server)));
        }

        using TrainingServer next = new(engine => engine.Answer = _ => Right, data.Path, ("ToolN1:Training:MaxHeldOutRows", "2"));
        await TrainAsync(next, validated: true, rows);
        Assert.Contains("Held-out exact match: 2 of 2 rows before, 2 now.", await next.MessagesAsync(await NewestJobAsync(next)));
        JsonNode change = await next.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Second}}"}""");
        Assert.Equal((2, 2, 2), (change["held_out_rows"]!.GetValue<int>(), change["correct_before"]!.GetValue<int>(), change["correct_now"]!.GetValue<int>()));
    }

    [Fact]
    public async Task HeldOutRows_AnsweredInWords_AreLeftOutAndCounted()
    {
        const string Words = """{"tools": [], "messages": [{"role": "user", "content": "hi"}], "answer": [], "reply": "Hello."}""";
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        await TrainAsync(server, validated: true, Words + "\n" + TrainingServer.Row + "\n" + Words);
        string[] messages = await server.MessagesAsync(await NewestJobAsync(server));

        Assert.Contains("Held-out exact match: 1 of 1 rows before, 1 now.", messages);
        Assert.Contains("2 held-out rows are answered in words, which exact match cannot judge; they are left out.", messages);
    }

    [Fact]
    public async Task HeldOutAnswers_ThatCannotBeScored_AreCountedAndLeftOutOfTheGate()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        server.Method.HeldOutJudge = new HeldOutJudge(new RewardOfWalksOnly(), "walks", new GrpoReward());
        await TrainAsync(server, validated: true, TrainingServer.Row + "\n" + TrainingServer.Row.Replace("go", "walk", StringComparison.Ordinal));
        string job = await NewestJobAsync(server);
        Assert.Contains("Held-out answers of full reward: 1 of 1 rows before, 1 of 1 now; 1 before and 1 now could not be scored.", await server.MessagesAsync(job));
        JsonNode[] samples = [.. (await server.GetAsync($"/admin/training/jobs/{job}/samples"))["data"]!.AsArray().Select(item => item!)];
        Assert.Equal([("go", "no number"), ("walk", null)], samples.Select(item => (item["request"]!.GetValue<string>(), item["failure"]?.GetValue<string>())));

        JsonNode change = await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        Assert.Equal((1, 1, 1), (change["held_out_rows"]!.GetValue<int>(), change["correct_before"]!.GetValue<int>(), change["correct_now"]!.GetValue<int>()));
        JsonNode score = (await server.GetAsync("/admin/models"))["data"]!.AsArray().Single(item => item!["name"]!.GetValue<string>() == First)!["evaluations"]![0]!;
        Assert.Equal((1, 1, 1), (score["rows"]!.GetValue<int>(), score["correct"]!.GetValue<int>(), score["unscored"]!.GetValue<int>()));
    }

    [Fact]
    public async Task HeldOutAnswers_ThatCouldNotBeScored_AreScoredAgainAtTheGate()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        RewardOfWalksOnly reward = new();
        server.Method.HeldOutJudge = new HeldOutJudge(reward, "walks", new GrpoReward());
        await TrainAsync(server, validated: true, TrainingServer.Row + "\n" + TrainingServer.Row.Replace("go", "walk", StringComparison.Ordinal));
        Assert.Contains("Held-out answers of full reward: 1 of 1 rows before, 1 of 1 now; 1 before and 1 now could not be scored.", await server.MessagesAsync(await NewestJobAsync(server)));

        reward.ScoresAll = true;
        JsonNode change = await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        Assert.Equal((2, 2, 2), (change["held_out_rows"]!.GetValue<int>(), change["correct_before"]!.GetValue<int>(), change["correct_now"]!.GetValue<int>()));

        // What is known is not asked for again.
        int asked = server.Engine.Requests.Count;
        await server.PostOkAsync("/admin/models/rollback");
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");
        Assert.DoesNotContain(server.Engine.Requests.Skip(asked), request => request.Priority == RequestPriority.Background);
    }

    [Fact]
    public async Task Promote_WhereNoHeldOutAnswerCanBeScored_IsRefusedForThat()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        server.Method.HeldOutJudge = new HeldOutJudge(new RewardOfWalksOnly(), "walks", new GrpoReward());
        await TrainAsync(server, validated: true);
        using HttpResponseMessage refused = await server.PostAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");

        Assert.Contains("none of the held-out answers could be scored", (await Json.ErrorAsync(refused, 409))["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollback_WhileAGateMeasures_DoesNotWaitForIt_AndThePromotionIsRefused()
    {
        TaskCompletionSource measuring = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        await TrainAsync(server, validated: true);
        await TrainAsync(server, validated: true, TrainingServer.Row.Replace("go", "walk", StringComparison.Ordinal));
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{First}}"}""");

        // The first version has not answered the second's rows yet.
        server.Engine.BeforeToken = (_, _, _) =>
        {
            measuring.TrySetResult();
            return goOn.Task;
        };
        Task<HttpResponseMessage> promotion = server.PostAsync("/admin/models/promote", $$"""{"model":"{{Second}}"}""");
        try
        {
            await measuring.Task;
            JsonNode change = await server.PostOkAsync("/admin/models/rollback").WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            Assert.Equal(Base, change["live"]!.GetValue<string>());
        }
        finally
        {
            goOn.SetResult();
        }

        using HttpResponseMessage refused = await promotion;
        Assert.Equal("live_changed", (await Json.ErrorAsync(refused, 409))["code"]!.GetValue<string>());
        Assert.Equal(Base, await LiveAsync(server));
        Assert.Equal("0123456789abcdef", server.Host.LiveVersion);
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{Second}}"}""");
    }

    [Fact]
    public async Task Audit_PagesToItsBeginning()
    {
        using TrainingServer server = new();
        await server.FileAsync();
        await server.FileAsync();
        await server.FileAsync();
        JsonNode first = await server.GetAsync("/admin/audit?limit=2");
        JsonNode rest = await server.GetAsync($"/admin/audit?limit=2&after={first["data"]![1]!["sequence"]!.GetValue<long>()}");

        Assert.Equal([3L, 2L, 1L], first["data"]!.AsArray().Concat(rest["data"]!.AsArray()).Select(item => item!["sequence"]!.GetValue<long>()));
        Assert.Equal((true, false), (first["has_more"]!.GetValue<bool>(), rest["has_more"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task Promote_EveryExampleOfTheDocument_IsTakenOnceSomethingWasTrained()
    {
        using TrainingServer server = new(engine => engine.Answer = _ => Right);
        await TrainAsync(server, validated: true);
        JsonObject examples = (await server.GetAsync("/openapi/v1.json"))["paths"]!["/admin/models/promote"]!["post"]!["requestBody"]!["content"]!["application/json"]!["examples"]!.AsObject();

        Assert.NotEmpty(examples);
        foreach ((_, JsonNode? example) in examples)
        {
            Assert.Equal(First, (await server.PostOkAsync("/admin/models/promote", example!["value"]!.ToJsonString()))["live"]!.GetValue<string>());
            await server.PostOkAsync("/admin/models/rollback");
        }
    }

    private static async Task<string> NewestJobAsync(TrainingServer server) =>
        (await server.GetAsync("/v1/fine_tuning/jobs?limit=1"))["data"]![0]!["id"]!.GetValue<string>();

    private static async Task TrainAsync(TrainingServer server, bool validated, string rows = TrainingServer.Row)
    {
        string file = await server.FileAsync(rows);
        await server.UntilAsync(await server.JobAsync(file, validated ? $$""","validation_file":"{{file}}" """ : ""), "succeeded");
    }

    private static async Task<string> LiveAsync(TrainingServer server) =>
        (await server.GetAsync("/admin/models"))["data"]!.AsArray().Single(item => item!["live"]!.GetValue<bool>())!["name"]!.GetValue<string>();

    private sealed class RewardOfWalksOnly : IReward
    {
        public bool ScoresAll { get; set; }

        public RewardScore Score(RewardSample sample, CancellationToken cancellationToken) =>
            ScoresAll || sample.Row.Messages[^1].Content == "walk" ? new RewardScore(1, []) : throw new FormatException("no number");
    }
}
