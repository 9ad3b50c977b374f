using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using ToolN1.Training.Tests.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Jobs;

/// <summary>Reinforcement jobs of a random model on a real engine, as the worker runs them.</summary>
public sealed class ReinforcementMethodTests(GrpoFixture fixture) : IClassFixture<GrpoFixture>
{
    // Earned by letters: easy for a random model to learn.
    private const string Grader = """{"type":"multi","name":"letters","graders":{"length":{"type":"text_similarity","name":"length","evaluation_metric":"fuzzy_match","input":"{{sample.output_text}}","reference":"{{item.reference}}"}},"calculate_output":"length"}""";

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_Job_ReportsStepsSamplesEvaluationsAndCheckpointsAndLeavesAModel()
    {
        RecordingReporter reporter = new();
        string folder = Path.Combine(fixture.Folder, "job-report");
        MethodResult? result = await RunAsync("job-report", Settings(steps: 3), reporter);

        Assert.Equal(3, result!.Step);
        Assert.Equal(Path.Combine(folder, "model"), result.ModelFolder);
        Assert.Equal([(0, 3)], reporter.Starts);
        Assert.Equal([1, 2, 3], reporter.Steps.Select(step => step.Step));
        Assert.All(reporter.Steps, step => Assert.InRange(step.Figures["reward_mean"], 0, 1));
        Assert.All(reporter.Steps, step => Assert.Equal(step.Figures["reward_mean"], step.Figures["reward_components.length"], 1e-9));
        Assert.All(reporter.Steps, step => Assert.Equal(step.Figures["reward_std"], step.Figures["reward_component_stds.length"], 1e-9));
        Assert.All(reporter.Steps, step => Assert.InRange(step.Figures["log_prob_gap_max"], 0, 1e-3));
        Assert.True(reporter.Steps[0].Figures["seconds.generate"] > 0);
        Assert.Equal([0, 2, 3], reporter.Evaluations.Select(item => item.Step));
        Assert.All(reporter.Evaluations, item => Assert.Equal(2, item.Figures["valid_rows"]));
        Assert.Equal(6, reporter.Samples.Count);
        Assert.All(reporter.Samples, sample => Assert.Contains("\"reference\": \"aaaa\"", sample.Answer, StringComparison.Ordinal));
        Assert.Contains(reporter.Checkpoints, item => item.Step == 2);
        using Decoder model = CheckpointLoader.Load(result.ModelFolder, CPU, ScalarType.Float32);
    }

    [Fact]
    public async Task Run_StoppedAndGoneOn_EqualsTheWholeJobBitForBit_ChangesIncluded()
    {
        RecordingReporter whole = new() { EditsByStep = { [3] = """{"learning_rate":0.003,"max_response_tokens":5}""" } };
        MethodResult? undisturbed = await RunAsync("job-whole", Settings(steps: 5), whole);

        using CancellationTokenSource stop = new();
        RecordingReporter first = new() { EditsByStep = { [3] = """{"learning_rate":0.003,"max_response_tokens":5}""" }, AtStep = step => Cancel(stop, step == 3) };
        Assert.Null(await RunAsync("job-parts", Settings(steps: 5), first, stop));
        RecordingReporter second = new() { EditsByStep = { [3] = """{"learning_rate":0.003,"max_response_tokens":5}""" } };
        MethodResult? goneOn = await RunAsync("job-parts", Settings(steps: 5), second);

        Assert.Equal([(3, 5)], second.Starts);
        Assert.Equal(whole.Steps.Select(step => step.Figures["reward_mean"]), first.Steps.Concat(second.Steps).Select(step => step.Figures["reward_mean"]));
        Assert.Equal([0.01, 0.01, 0.003, 0.003, 0.003], first.Steps.Concat(second.Steps).Select(step => step.Figures["learning_rate"]));
        Assert.True(whole.Steps[4].Figures["response_length_max"] <= 5);
        Assert.Equal(Bytes(undisturbed!), Bytes(goneOn!));
    }

    [Fact]
    public async Task Run_AdapterJobStopped_GoesOnOverItsStart_WhateverIsLiveByThen()
    {
        const string Lora = """ "optimizer":{"learning_rate":0.01},"loss":{"kl_coefficient":0},"lora":{"rank":4} """;
        MethodResult? undisturbed = await RunAsync("job-lora-whole", Settings(steps: 4, Lora), new RecordingReporter());

        using CancellationTokenSource stop = new();
        Assert.Null(await RunAsync("job-lora-parts", Settings(steps: 4, Lora), new RecordingReporter { AtStep = step => Cancel(stop, step == 2) }, stop));
        MethodResult? goneOn = await RunAsync("job-lora-parts", Settings(steps: 4, Lora), new RecordingReporter(), live: fixture.OtherModel);

        Assert.Equal(
            File.ReadAllBytes(Path.Combine(undisturbed!.ModelFolder, "adapter_model.safetensors")),
            File.ReadAllBytes(Path.Combine(goneOn!.ModelFolder, "adapter_model.safetensors")));
    }

    [Fact]
    public async Task AdapterCheckpoint_UsedBeforeItsJobRegisters_IsTheSameVersion_AndFitsNoOtherBase()
    {
        const string Lora = """ "optimizer":{"learning_rate":0.01},"loss":{"kl_coefficient":0},"lora":{"rank":4} """;
        MethodResult? result = await RunAsync("job-lora-version", Settings(steps: 2, Lora), new RecordingReporter());
        string data = Path.Combine(fixture.Folder, "versions");
        using TrainingStore store = TestStore.Open(data);
        await using (InferenceEngine engine = Start())
        {
            ReinforcementMethod method = Method(engine);
            JobRecord[] jobs = [.. Enumerable.Range(1, 2).Select(number => TestStore.Job($"job-{number}", number, Resolve(method, Settings(steps: 2, Lora))))];
            string checkpoint = Path.GetRelativePath(data, Path.Combine(fixture.Folder, "job-lora-version", "checkpoints", "step-00000002"));
            store.Write(context =>
            {
                context.Jobs.AddRange(jobs);
                context.Checkpoints.AddRange(jobs.Select(job => new CheckpointRecord { JobId = job.Id, Step = 2, Folder = checkpoint, Metrics = "{}", CreatedAt = 0 }));
            });
            using ModelCatalog catalog = Catalog(store, engine, method, fixture.Model);
            using ModelUse early = await catalog.UseAsync("tiny@job-1-step-2", None);
            ModelRecord registered = await catalog.RegisterAsync(jobs[0], 2, result!.ModelFolder, None);

            Assert.Equal(early.WeightVersion, registered.WeightVersion);
            Assert.Equal([engine.Host.LiveVersion, registered.WeightVersion], engine.Host.Versions);
            Assert.DoesNotContain(fixture.Folder, File.ReadAllText(Path.Combine(data, registered.Folder, "adapter_config.json")), StringComparison.Ordinal);
        }

        // Other weights under the served model's name: a checkpoint that no model was made of yet tells what it stands on, too.
        await using InferenceEngine other = Start(fixture.OtherModel);
        using ModelCatalog replaced = Catalog(store, other, Method(other), fixture.OtherModel);
        CheckpointException refused = await Assert.ThrowsAsync<CheckpointException>(() => replaced.UseAsync("tiny@job-2-step-2", None));
        Assert.Contains("was trained over other weights", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Export_DamagedCheckpoint_IsRefusedByItsChecksum(bool isAdapter)
    {
        string settings = Settings(steps: 1, isAdapter ? """ "loss":{"kl_coefficient":0},"lora":{"rank":2} """ : """ "loss":{"kl_coefficient":0} """);
        string name = "job-damaged-" + isAdapter;
        await RunAsync(name, settings, new RecordingReporter());
        string checkpoint = Path.Combine(fixture.Folder, name, "checkpoints", "step-00000001");
        byte[] bytes = File.ReadAllBytes(Path.Combine(checkpoint, "masters.safetensors"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(Path.Combine(checkpoint, "masters.safetensors"), bytes);
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string resolved = Resolve(method, settings);
        CheckpointException refused = Assert.Throws<CheckpointException>(() => method.Export(resolved, checkpoint, fixture.Model, Directory.CreateDirectory(Path.Combine(fixture.Folder, name, "made")).FullName));

        Assert.Contains("checksum", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DiskIsFull_FailsAsSuchAndTheEngineServesOn()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        string folder = Directory.CreateDirectory(Path.Combine(fixture.Folder, "job-full")).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "metrics.jsonl"), "/dev/full");
        IOException error = await Assert.ThrowsAsync<IOException>(() => RunAsync("job-full", Settings(steps: 2), new RecordingReporter()));

        Assert.Equal("disk_full", JobFailure.Of(error).Code);
    }

    [Fact]
    public async Task Run_WeightsThatDiverge_FailAsSuchAndTheEngineServesOn()
    {
        string settings = Settings(steps: 40, """ "optimizer":{"learning_rate":1e6},"loss":{"kl_coefficient":0,"drop_uniform_groups":false},"alarms":{"max_non_finite_updates":1} """);
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => RunAsync("job-nan", settings, new RecordingReporter()));

        Assert.Equal("non_finite", JobFailure.Of(error).Code);
    }

    [Fact]
    public async Task Run_VanishedRows_FailsAndTheEngineServesOn()
    {
        await Assert.ThrowsAnyAsync<IOException>(() => RunAsync("job-gone", Settings(steps: 1), new RecordingReporter(), rows: Path.Combine(fixture.Folder, "gone.jsonl")));
    }

    [Theory]
    [InlineData("""{"learning_rate":0}""", "learning_rate")]
    [InlineData("""{"kl_coefficient":0.1}""", "kl_coefficient")]
    [InlineData("""{"kl_ceiling":0.1}""", "kl_ceiling")]
    [InlineData("""{"max_response_tokens":9}""", "max_response_tokens")]
    public async Task CheckEdit_ValueThatTheJobCannotTake_IsRefusedByName(string edit, string field)
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string settings = Resolve(method, Settings(steps: 1));
        using JsonDocument document = JsonDocument.Parse(edit);
        TrainingRefusedException refused = Assert.Throws<TrainingRefusedException>(() => method.CheckEdit(settings, document.RootElement));

        Assert.Equal(field, refused.Field);
    }

    [Fact]
    public async Task Resolve_PromptsThatAskForAnotherForm_AreRefusedForTheBuiltInReward()
    {
        await using InferenceEngine engine = Start();
        const string BuiltIn = """{"hyperparameters":{"steps":1}}""";
        TrainingRefusedException refused = Assert.Throws<TrainingRefusedException>(() => Resolve(Method(engine, "hermes"), BuiltIn, fixture.Rows));
        Assert.Contains("chat_format 'hermes'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'tool-n1'", refused.Message, StringComparison.Ordinal);
        Assert.Equal("grader", refused.Field);

        Resolve(Method(engine), BuiltIn, fixture.Rows);
        Resolve(Method(engine, "hermes"), Settings(steps: 1));
    }

    [Fact]
    public async Task Resolve_CeilingWhereThereIsNoReference_IsRefusedAndNoneIsShown()
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        TrainingRefusedException refused = Assert.Throws<TrainingRefusedException>(() => Resolve(method, Settings(steps: 1, """ "loss":{"kl_coefficient":0},"alarms":{"kl_ceiling":1} """)));
        Assert.Equal("alarms.kl_ceiling", refused.Field);

        Assert.DoesNotContain("kl_ceiling", Resolve(method, Settings(steps: 1)), StringComparison.Ordinal);
        Assert.Contains("\"kl_ceiling\":1", Resolve(method, Settings(steps: 1, """ "loss":{"kl_coefficient":0},"lora":{"rank":4} """)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_NullThatSaysSomething_IsNotTakenForAbsent()
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string settings = Resolve(method, Settings(steps: 1, """ "loss":{"kl_coefficient":0},"lora":{"rank":4},"alarms":{"kl_ceiling":null} """));
        Assert.Contains("\"kl_ceiling\":null", settings, StringComparison.Ordinal);
        Assert.Null(ReinforcementSettings.Read(settings).Config(new ReinforcementFiles("-", fixture.Model, "-", null, 0)).Alarms.KlCeiling);
        Resolve(method, Settings(steps: 1, """ "loss":{"kl_coefficient":0},"alarms":{"kl_ceiling":null} """));

        string paper = $$$"""{"grader":{{{Grader}}},"hyperparameters":{"profile":"paper","steps":1,"max_response_tokens":8} }""";
        Assert.Contains("\"mini_batch_prompts\":256", Resolve(method, paper), StringComparison.Ordinal);
        Assert.Contains("\"mini_batch_prompts\":null", Resolve(method, paper.Replace("\"steps\"", "\"mini_batch_prompts\":null,\"steps\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("\"mini_batch_prompts\":null", Resolve(method, paper.Replace("\"steps\"", "\"batch_size\":16,\"steps\"", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_JobThatDoesNotFit_SaysWhatWould()
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string settings = Resolve(method, Settings(steps: 1, """ "micro_batch_tokens":100000,"max_response_tokens":256 """));
        MemoryCheck roomy = method.Plan(settings, fixture.Model, 1L << 40)!;
        MemoryCheck tight = method.Plan(settings, fixture.Model, roomy.Plan.Total - 1)!;

        Assert.True(roomy.Fits == true);
        Assert.True(tight.Fits == false);
        Assert.Equal(roomy.Plan.Total, roomy.Plan.Items.Sum(item => item.Bytes));
        Assert.Contains("micro_batch_tokens", tight.Refusal, StringComparison.Ordinal);
        Assert.All(tight.Remedies, remedy => Assert.DoesNotContain("engine.", remedy.Change, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plan_AnotherModelIsLive_CountsTheFirstToo()
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string settings = Resolve(method, Settings(steps: 1));
        long before = method.Plan(settings, fixture.Model, 1L << 40)!.Plan.Total;
        await engine.Host.PromoteAsync(await engine.Host.LoadAsync(fixture.OtherModel, None), None);
        MemoryCheck after = method.Plan(settings, fixture.OtherModel, 1L << 40)!;

        Assert.Equal(after.Plan.Items.Single(item => item.Kind == "first_weights").Bytes, after.Plan.Total - before);
    }

    [Fact]
    public async Task Plan_TrainingFile_IsPlannedWithItsOwnPrompts()
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        TrainingRow[] rows = [.. TrainingRowReader.Read(Rows())];
        string file = Path.Combine(fixture.Folder, "longer-prompt.jsonl");
        TrainingRowWriter.Write(file, rows.Append(rows[0] with { Messages = [.. rows[0].Messages, new ChatMessage { Role = ChatRole.User, Content = new string('7', 100) }] }));
        string settings = Settings(steps: 1, """ "micro_batch_tokens":64,"loss":{"kl_coefficient":0} """);
        long Total(string? file) => method.Plan(Resolve(method, settings, file), fixture.Model, 1L << 40)!.Plan.Total;

        using JsonDocument document = JsonDocument.Parse(settings);
        string dataless = method.Resolve(document.RootElement, new MethodInputs { StartFolder = fixture.Model, StartsLive = true, Rows = 7, LineWithoutReasoning = null, TrainingFile = null, ValidationFile = null });
        Assert.True(Total(null) < Total(file));
        Assert.True(Total(file) < method.Plan(dataless, fixture.Model, 1L << 40)!.Plan.Total);
    }

    [Fact]
    public async Task Resolve_PromptsThatAreAllTooLong_AreRefused()
    {
        await using InferenceEngine engine = Start();
        TrainingRefusedException refused = Assert.Throws<TrainingRefusedException>(() => Resolve(Method(engine), Settings(steps: 1, """ "max_prompt_tokens":5,"loss":{"kl_coefficient":0} """)));
        Assert.Equal(("training_file", "invalid_training_file"), (refused.Field, refused.Code));
        Assert.Contains("at most 5 tokens", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_SupervisedJob_CountsTheServerAndItsLongestRow()
    {
        await using InferenceEngine engine = Start();
        SupervisedMethod method = Supervised(engine);
        string Settings(string rows) => method.Resolve(default, new MethodInputs { StartFolder = fixture.Model, StartsLive = true, Rows = 1, LineWithoutReasoning = null, TrainingFile = rows, ValidationFile = null });
        MemoryCheck plan = method.Plan(Settings(fixture.Rows), fixture.Model, 1L << 40)!;
        Assert.True(plan.Fits == true);
        foreach (string kind in new[] { "process", "serving_weights", "kv_cache", "data", "training_weights", "gradients", "optimizer" })
        {
            Assert.Contains(kind, plan.Plan.Items.Select(item => item.Kind));
        }

        // One row that is longer than all the others; a digit is a token.
        ServedModel served = GrpoFixture.Served(engine, fixture.Model);
        RowEncoder encoder = new(served.Tokenizer, served.Format, isShort: false);
        TrainingRow first = TrainingRowReader.Read(fixture.Rows).First();
        RowLengths known = RowLengths.Measure([first], row => encoder.EncodePrompt(row).Length + encoder.EncodeAnswer(row).Length, int.MaxValue);
        TrainingRow longest = first with { Think = new string('7', 1000 - known.Longest) };
        string file = Path.Combine(fixture.Folder, "long.jsonl");
        TrainingRowWriter.Write(file, TrainingRowReader.Read(fixture.Rows).Append(longest));
        string settings = Settings(file);
        MemoryCheck longer = method.Plan(settings, fixture.Model, 1L << 40)!;
        Assert.True(longer.Plan.Total > plan.Plan.Total);
        MemoryCheck tight = method.Plan(settings, fixture.Model, longer.Plan.Total - 1)!;
        Assert.True(tight.Fits == false);
        Assert.StartsWith("rows of at most ", tight.Remedies[0].Change, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_SupervisedRowsThatAreAllTooLong_AreRefused()
    {
        await using InferenceEngine engine = Start();
        string file = Path.Combine(fixture.Folder, "too-long.jsonl");
        TrainingRowWriter.Write(file, [TrainingRowReader.Read(fixture.Rows).First() with { Think = new string('7', 4000) }]);
        TrainingRefusedException refused = Assert.Throws<TrainingRefusedException>(() => Supervised(engine).Resolve(
            default, new MethodInputs { StartFolder = fixture.Model, StartsLive = true, Rows = 1, LineWithoutReasoning = null, TrainingFile = file, ValidationFile = null }));
        Assert.Equal("training_file", refused.Field);
    }

    [Theory]
    [InlineData("reinforcement")]
    [InlineData("supervised")]
    public async Task Export_Checkpoint_NotesTheServedFormat_WhateverTheStartFolderLooksLike(string name)
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod reinforcement = Method(engine);
        ITrainingMethod method = name == "supervised" ? Supervised(engine) : reinforcement;
        Assert.Equal("hermes", ChatFormats.Create("auto", fixture.Model, Tokenizer.Load(fixture.Model)).Name);
        string checkpoint = Directory.CreateDirectory(Path.Combine(fixture.Folder, "checkpoint-" + name)).FullName;
        File.Copy(Path.Combine(fixture.Model, "model.safetensors"), Path.Combine(checkpoint, "masters.safetensors"));
        File.WriteAllText(Path.Combine(checkpoint, "manifest.json"), $$"""{"masters.safetensors": "{{Manifest.Checksum(Path.Combine(checkpoint, "masters.safetensors"))}}"}""");
        string folder = Directory.CreateDirectory(Path.Combine(fixture.Folder, "export-" + name)).FullName;
        method.Export(Resolve(reinforcement, Settings(steps: 1)), checkpoint, fixture.Model, folder);

        Assert.Equal("tool-n1", ChatFormats.Create("auto", folder, Tokenizer.Load(folder)).Name);
    }

    private static void Cancel(CancellationTokenSource source, bool now)
    {
        if (now)
        {
            source.Cancel();
        }
    }

    private static string Settings(int steps, string more = """ "optimizer":{"learning_rate":0.01},"loss":{"kl_coefficient":0} """) =>
        $$$"""
        {"grader":{{{Grader}}},"hyperparameters":{"steps":{{{steps}}},"batch_size":3,"group_size":4,"max_response_tokens":8,"eval_interval":2,"eval_samples":2,"checkpoint_every_steps":2,"samples_logged":2,
         "dtype":"float32","schedule":{"warmup_fraction":0},{{{more}}} } }
        """.Replace("\"max_response_tokens\":8,", more.Contains("max_response_tokens", StringComparison.Ordinal) ? "" : "\"max_response_tokens\":8,", StringComparison.Ordinal);

    private static byte[] Bytes(MethodResult result) => File.ReadAllBytes(Path.Combine(result.ModelFolder, "model.safetensors"));

    private InferenceEngine Start(string? model = null) => GrpoFixture.Start(model ?? fixture.Model);

    private static ModelCatalog Catalog(TrainingStore store, InferenceEngine engine, ReinforcementMethod method, string folder) =>
        new(store, GrpoFixture.Served(engine, folder), engine.Host, [method], Options.Create(new TrainingOptions()), TimeProvider.System, NullLoggerFactory.Instance);

    private ReinforcementMethod Method(InferenceEngine engine, string format = "tool-n1")
    {
        ServedModel served = GrpoFixture.Served(engine, fixture.Model, format);
        return new ReinforcementMethod(served, Planner(engine, served));
    }

    private SupervisedMethod Supervised(InferenceEngine engine)
    {
        ServedModel served = GrpoFixture.Served(engine, fixture.Model);
        return new SupervisedMethod(served, Planner(engine, served));
    }

    private static JobPlanner Planner(InferenceEngine engine, ServedModel served) =>
        new(Options.Create(new ModelOptions { Device = "cpu" }), Options.Create(new EngineOptions { MaxModelLength = 512, KvCacheMiB = 16 }), served, engine.Host);

    private string Resolve(ReinforcementMethod method, string settings, string? rows = null)
    {
        using JsonDocument document = JsonDocument.Parse(settings);
        return method.Resolve(document.RootElement, new MethodInputs { StartFolder = fixture.Model, StartsLive = true, Rows = 7, LineWithoutReasoning = 1, TrainingFile = rows ?? Rows(), ValidationFile = null });
    }

    private string Rows()
    {
        string file = Path.Combine(fixture.Folder, "graded.jsonl");
        if (!File.Exists(file))
        {
            TrainingRowWriter.Write(file, TrainingRowReader.Read(fixture.Rows).Select(row => row with { Item = """{"messages": [], "reference": "aaaa"}""" }));
        }

        return file;
    }

    private async Task<MethodResult?> RunAsync(string name, string settings, RecordingReporter reporter, CancellationTokenSource? stop = null, string? rows = null, string? live = null)
    {
        await using InferenceEngine engine = Start();
        ReinforcementMethod method = Method(engine);
        string start = engine.Host.LiveVersion;
        if (live is not null)
        {
            await engine.Host.PromoteAsync(await engine.Host.LoadAsync(live, None), None);
        }

        IReadOnlyList<string> versions = engine.Host.Versions;
        try
        {
            return await method.RunAsync(
                new MethodRun
                {
                    Name = name,
                    Settings = Resolve(method, settings),
                    Seed = 5,
                    Folder = Path.Combine(fixture.Folder, name),
                    StartFolder = fixture.Model,
                    StartVersion = method.NeedsStartServed(Resolve(method, settings)) ? start : null,
                    TrainingRows = rows ?? Rows(),
                    HeldOutRows = Rows(),
                    Engine = engine,
                    Models = engine.Host,
                    Tokenizer = Tokenizer.Load(fixture.Model),
                    Format = ChatFormats.Create("tool-n1", fixture.Model, Tokenizer.Load(fixture.Model)),
                    Reporter = reporter,
                },
                stop?.Token ?? None);
        }
        finally
        {
            // Whatever became of the job, the engine answers and holds no version of it.
            Assert.Equal(versions, engine.Host.Versions);
            int tokens = 0;
            await foreach (GenerationUpdate update in engine.Generate(new GenerationRequest { RequestId = "after", PromptTokenIds = [5, 6, 7], MaxNewTokens = 4, Sampling = SamplingParameters.Greedy with { IgnoreEndOfSequence = true } }, None))
            {
                tokens += update.TokenIds.Count;
            }

            Assert.Equal(4, tokens);
        }
    }
}
