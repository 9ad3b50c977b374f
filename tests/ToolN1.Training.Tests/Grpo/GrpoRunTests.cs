using System.Text.Json;
using ToolN1.Engine;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>Whole runs of a random model on a real engine, with rewards that are easy to earn.</summary>
public sealed class GrpoRunTests(GrpoFixture fixture) : IClassFixture<GrpoFixture>
{
    private static readonly FunctionReward Letters = new(sample => sample.Completion.Count(char.IsLetter) / (double)sample.Completion.Length);

    [Fact]
    public async Task Execute_RewardThatCanBeEarned_Rises()
    {
        GrpoConfig config = fixture.Config("learns", steps: 10) with { GroupSize = 8 };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, observer, Letters));
        double before = observer.Steps[0].RewardMean!.Value;
        double after = observer.Steps[^1].RewardMean!.Value;
        Assert.True(after > before + 0.15, $"{before} → {after}");

        // Sampler and trainer compute the same policy, every update's.
        Assert.All(observer.Steps, step => Assert.InRange(step.LogProbGapMax!.Value, 0, 1e-3));
        Assert.Equal(10, observer.Steps.Select(step => step.WeightVersion).Distinct().Count());
        using Decoder decoder = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        Assert.Equal("tool-n1", JsonDocument.Parse(File.ReadAllText(Path.Combine(config.Output, "model", "config.json"))).RootElement.GetProperty("tooln1").GetProperty("chat_format").GetString());
    }

    [Fact]
    public async Task Execute_StoppedAndResumed_EqualsTheWholeRunBitForBit()
    {
        GrpoConfig whole = fixture.Config("whole") with { MiniBatchPrompts = 2, PassesPerStep = 2 };
        using RecordingObserver undisturbed = new();
        await fixture.RunAsync(whole, undisturbed, Letters);

        GrpoConfig parts = whole with { Output = Path.Combine(fixture.Folder, "parts") };
        using RecordingObserver first = new() { StopAfter = 1 };
        Assert.Equal(GrpoOutcome.Stopped, await fixture.RunAsync(parts, first, Letters));
        using RecordingObserver second = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(parts, second, Letters, resume: true));

        Assert.Equal([2, 3, 4], second.Steps.Select(step => step.Step));
        Assert.Equal(undisturbed.Steps.Select(step => step.RewardMean), first.Steps.Concat(second.Steps).Select(step => step.RewardMean));
        foreach (string file in new[] { "masters.safetensors", "optimizer.safetensors" })
        {
            Assert.Equal(Newest(whole, 4, file), Newest(parts, 4, file));
        }

        Assert.Equal(4, File.ReadAllLines(Path.Combine(parts.Output, "metrics.jsonl")).Length);
        Assert.Equal(4, undisturbed.Steps[0].Updates);
    }

    [Fact]
    public async Task Execute_Adapter_TrainsAndWritesItMergedAndAlone()
    {
        GrpoConfig config = fixture.Config("lora", steps: 3) with { Lora = new GrpoLora { Rank = 4, Alpha = 8 }, Loss = new PolicyLossOptions { KlCoefficient = 0.01 } };
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, Letters);
        Assert.True(observer.Start!.TrainedParameters < observer.Start.Parameters / 2);
        Assert.Equal(0, observer.Steps[0].Kl!.Value, 1e-6);
        Assert.True(observer.Steps[^1].Kl > 1e-5);
        Assert.All(observer.Steps, step => Assert.InRange(step.LogProbGapMax!.Value, 0, 1e-3));

        using IDisposable scope = NewDisposeScope();
        using Decoder merged = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        using Decoder before = CheckpointLoader.Load(fixture.Model, CPU, ScalarType.Float32);
        Assert.False(merged.Layers[0].Query.Weight.allclose(before.Layers[0].Query.Weight, 0, 1e-6));
        Assert.True(merged.Embedding.allclose(before.Embedding, 0, 0));
        using SafetensorsFile adapter = SafetensorsFile.Open(Path.Combine(config.Output, "adapter", "adapter_model.safetensors"));
        SafetensorsEntry a = adapter.Find("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")!;
        Assert.Equal([4, 64], a.Shape);
        using JsonDocument peft = JsonDocument.Parse(File.ReadAllText(Path.Combine(config.Output, "adapter", "adapter_config.json")));
        Assert.Equal((4, 8.0, "LORA"), (peft.RootElement.GetProperty("r").GetInt32(), peft.RootElement.GetProperty("lora_alpha").GetDouble(), peft.RootElement.GetProperty("peft_type").GetString()));
    }

    [Fact]
    public async Task Execute_AdapterOverWeightsThatAreNotLive_TrainsOverThemAndNotOverTheFirst()
    {
        GrpoConfig config = fixture.Config("lora-other", steps: 2) with { Model = fixture.OtherModel, Lora = new GrpoLora { Rank = 4, Alpha = 8 } };
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, Letters, servesStart: true);

        // What samples and what is trained are one policy, and the model that is left is the other one with the adapter.
        Assert.All(observer.Steps, step => Assert.InRange(step.LogProbGapMax!.Value, 0, 1e-3));
        using IDisposable scope = NewDisposeScope();
        using Decoder merged = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        using Decoder start = CheckpointLoader.Load(fixture.OtherModel, CPU, ScalarType.Float32);
        Assert.True(merged.Embedding.allclose(start.Embedding, 0, 0));
    }

    [Fact]
    public async Task Execute_AdapterOverWeightsThatAreNotServed_IsRefused()
    {
        GrpoConfig config = fixture.Config("lora-nowhere", steps: 2) with { Model = fixture.OtherModel, Lora = new GrpoLora { Rank = 4, Alpha = 8 } };
        using RecordingObserver observer = new();
        TrainingConfigException refused = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config, observer, Letters));

        Assert.Contains("'model'", refused.Message, StringComparison.Ordinal);
        Assert.Empty(observer.Steps);
    }

    [Fact]
    public async Task Execute_UniformGroups_AreRefilledThenDroppedAndNothingMoves()
    {
        GrpoConfig config = fixture.Config("uniform", steps: 1) with { Loss = new PolicyLossOptions { KlCoefficient = 1e-3, MaxRefills = 2 } };
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, new FunctionReward(_ => 1));
        GrpoStepResult step = Assert.Single(observer.Steps);
        Assert.Equal((9, 0, 2, 1.0, 0), (step.Groups, step.GroupsTrained, step.Refills, step.FractionUniform, step.Updates));
        Assert.Equal((1.0, 0.0, null, null), (step.RewardMean, step.RewardStd, step.Loss, step.LearningRate));
        using Decoder after = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        using Decoder before = CheckpointLoader.Load(fixture.Model, CPU, ScalarType.Float32);
        using IDisposable scope = NewDisposeScope();
        Assert.True(after.Embedding.allclose(before.Embedding, 0, 0));
    }

    [Fact]
    public async Task Execute_UniformGroupsUnderTheBatchScale_AreDroppedAndTheRunGoesOn()
    {
        GrpoConfig config = fixture.Config("uniform-batch", steps: 2) with { Loss = new PolicyLossOptions { AdvantageScale = AdvantageScale.Batch } };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, observer, new FunctionReward(_ => 1)));
        Assert.Equal([0, 0], observer.Steps.Select(step => step.GroupsTrained));
    }

    [Fact]
    public async Task Execute_UniformGroupsKept_TrainOnTheKlAlone()
    {
        GrpoConfig config = fixture.Config("kept", steps: 1) with { Loss = new PolicyLossOptions { KlCoefficient = 1e-3, DropUniformGroups = false } };
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, new FunctionReward(_ => 1));
        Assert.Equal((3, 3, 0, 1), (observer.Steps[0].Groups, observer.Steps[0].GroupsTrained, observer.Steps[0].Refills, observer.Steps[0].Updates));
    }

    [Fact]
    public async Task Execute_RewardFails_LeavesSamplesUnscoredAndTellsWhy()
    {
        int calls = 0;
        GrpoConfig config = fixture.Config("fails", steps: 1);
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, new FunctionReward(sample => Interlocked.Increment(ref calls) % 3 == 0 ? throw new InvalidOperationException("broken") : sample.Completion.Length));
        GrpoStepResult step = observer.Steps[0];
        Assert.Equal(1 / 3.0, step.RewardErrorRate, 1e-9);
        Assert.Equal(step.Responses / 3, step.RewardErrors["broken"]);
        Assert.Contains(observer.Alarms, alarm => alarm is { Kind: "reward_errors", EndsRun: false });
    }

    [Fact]
    public async Task Execute_KlAboveTheCeiling_EndsWithTheBestCheckpoint()
    {
        GrpoConfig config = fixture.Config("ceiling", steps: 20) with
        {
            Alarms = new GrpoAlarms { KlCeiling = 1e-3 },
            Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows], EverySteps = 100, MaxRows = 2 },
            Loss = new PolicyLossOptions { KlCoefficient = 1e-4 },
        };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.EndedByAlarm, await fixture.RunAsync(config, observer, Letters));
        Assert.Contains(observer.Alarms, alarm => alarm is { Kind: "kl_ceiling", EndsRun: true });
        Assert.True(observer.Steps.Count < 20);

        // No evaluation was better than the initial policy's, so that is what is left.
        Assert.Equal(0, observer.Evaluations[0].Step);
        using Decoder after = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        using Decoder before = CheckpointLoader.Load(fixture.Model, CPU, ScalarType.Float32);
        using IDisposable scope = NewDisposeScope();
        Assert.True(after.Embedding.allclose(before.Embedding, 0, 0));
    }

    [Fact]
    public async Task Execute_KlAboveTheCeilingWithoutHeldOutRows_LeavesTheNewestCheckpointFromBefore()
    {
        GrpoConfig config = fixture.Config("ceiling-unmeasured", steps: 20) with
        {
            Alarms = new GrpoAlarms { KlCeiling = 1e-3 },
            Checkpoints = new GrpoCheckpointPlan { EverySteps = 1, Keep = 1 },
            Loss = new PolicyLossOptions { KlCoefficient = 1e-4 },
        };
        using RecordingObserver observer = new();
        GrpoRun? run = null;
        Assert.Equal(GrpoOutcome.EndedByAlarm, await fixture.RunAsync(config, observer, Letters, beside: (running, _) =>
        {
            run = running;
            return Task.CompletedTask;
        }));
        int broken = observer.Steps[^1].Step;
        Assert.InRange(broken, 2, 19);
        Assert.Equal(broken - 1, run!.ModelStep);
        Assert.Contains($"of step {broken - 1}", observer.Alarms.Single(alarm => alarm.EndsRun).Message, StringComparison.Ordinal);
        using Decoder left = CheckpointLoader.Load(Path.Combine(config.Output, "model"), CPU, ScalarType.Float32);
        using IDisposable scope = NewDisposeScope();
        Assert.True(left.Embedding.allclose(Embedding(config, broken - 1), 0, 0));
        Assert.False(left.Embedding.allclose(Embedding(config, broken), 0, 0));
    }

    [Fact]
    public async Task Execute_KlAboveTheCeilingWithoutAnyCheckpoint_SaysWhatItLeaves()
    {
        GrpoConfig config = fixture.Config("ceiling-bare", steps: 20) with
        {
            Alarms = new GrpoAlarms { KlCeiling = 1e-3 },
            Checkpoints = new GrpoCheckpointPlan { EverySteps = 100 },
            Loss = new PolicyLossOptions { KlCoefficient = 1e-4 },
        };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.EndedByAlarm, await fixture.RunAsync(config, observer, Letters));
        Assert.Contains("no checkpoint from before", observer.Alarms.Single(alarm => alarm.EndsRun).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_AdapterWithoutAKlTerm_IsHeldByTheCeilingToo()
    {
        GrpoConfig config = fixture.Config("ceiling-lora", steps: 20) with
        {
            Alarms = new GrpoAlarms { KlCeiling = 1e-5 },
            Lora = new GrpoLora { Rank = 4, Alpha = 8 },
            Loss = new PolicyLossOptions(),
        };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.EndedByAlarm, await fixture.RunAsync(config, observer, Letters));
        Assert.Equal(0, observer.Steps[0].Kl!.Value, 1e-6);
        Assert.True(observer.Steps[^1].Kl > 1e-5);
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, 1.0)]
    public async Task Execute_NothingNeedsTheReference_ScoresNone(bool isLora, double? ceiling)
    {
        GrpoConfig config = fixture.Config($"no-reference-{isLora}", steps: 1) with
        {
            Alarms = new GrpoAlarms { KlCeiling = ceiling },
            Lora = isLora ? new GrpoLora { Rank = 4, Alpha = 8 } : null,
            Loss = new PolicyLossOptions(),
        };
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, observer, Letters));
        Assert.Null(observer.Steps[0].Kl);
    }

    [Fact]
    public async Task Execute_StoppedBeforeItsFirstStepAndResumed_KeepsTheEvaluationOfTheInitialPolicy()
    {
        GrpoConfig config = fixture.Config("baseline", steps: 2) with { Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows], EverySteps = 100, MaxRows = 2 } };
        using RecordingObserver first = new() { StopAfterSave = 0 };
        Assert.Equal(GrpoOutcome.Stopped, await fixture.RunAsync(config, first, Letters));
        Assert.Empty(first.Steps);
        using RecordingObserver second = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, second, Letters, resume: true));

        Assert.Equal([0, 2], LinesOf(config, "evaluations.jsonl"));
        Assert.Equal([1, 2], LinesOf(config, "metrics.jsonl"));
        Assert.Equal([2], second.Evaluations.Select(item => item.Step));
    }

    [Fact]
    public async Task Evaluate_AnswerThatCannotBeScored_IsCountedAndLeftOut()
    {
        GrpoConfig config = fixture.Config("unscored", steps: 1) with { Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows], MaxRows = 3 } };
        FunctionReward reward = new(sample => sample.Row.Messages[^1].Content!.Contains("Rome", StringComparison.Ordinal) ? throw new FormatException("no number") : 1);
        using RecordingObserver observer = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, observer, Letters, heldOutReward: reward));

        Assert.All(observer.Evaluations, item => Assert.Equal((2, 2, 1), (item.Correct, item.Rows, item.Unscored)));
        Assert.All(File.ReadLines(Path.Combine(config.Output, "evaluations.jsonl")), line => Assert.Contains("\"rows\":2,\"unscored\":1,", line, StringComparison.Ordinal));
        Assert.Contains(observer.Alarms, alarm => alarm is { Step: 0, Kind: "reward_errors", EndsRun: false } && alarm.Message.Contains("1 × no number", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Evaluate_RewardThatNeverEnds_IsGivenUp_AndTheRunGoesOn()
    {
        using ManualResetEventSlim hang = new();
        GrpoConfig config = fixture.Config("hanging", steps: 1) with
        {
            Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows], MaxRows = 2 },
            Reward = new GrpoReward { TimeLimitSeconds = 0.2 },
        };
        FunctionReward reward = new(_ =>
        {
            hang.Wait(CancellationToken.None);
            return 1;
        });
        using RecordingObserver observer = new();
        try
        {
            GrpoOutcome outcome = await fixture.RunAsync(config, observer, reward: null, heldOutReward: reward).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
            Assert.Equal(GrpoOutcome.Finished, outcome);
        }
        finally
        {
            hang.Set();
        }

        Assert.Equal([(0, 0, 0), (1, 0, 0)], observer.Evaluations.Select(item => (item.Step, item.Correct, item.Rows)));
        Assert.Contains(observer.Alarms, alarm => alarm is { Step: 1, Kind: "reward_errors" } && alarm.Message.Contains("2 × timeout", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Execute_CheckpointPinnedBeforeItsEvaluation_StaysPinnedWhenItIsSavedAgain()
    {
        GrpoConfig config = fixture.Config("pinned", steps: 3) with { Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows], EverySteps = 2, MaxRows = 2 } };
        using RecordingObserver first = new() { StopAfter = 2 };
        Assert.Equal(GrpoOutcome.Stopped, await fixture.RunAsync(config, first, Letters));
        Assert.DoesNotContain(first.Evaluations, item => item.Step == 2);
        string pin = Path.Combine(config.Output, "checkpoints", "step-00000002", "pinned");
        File.WriteAllBytes(pin, []);
        using RecordingObserver second = new();
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, second, Letters, resume: true));

        Assert.Equal([2, 3], second.Saves);
        Assert.True(File.Exists(pin));
    }

    [Fact]
    public async Task Execute_RowsAnsweredInWords_AreLeftOutAndCounted_UnlessARewardJudgesThem()
    {
        string mixed = Path.Combine(fixture.Folder, "mixed.jsonl");
        TrainingRow[] rows = [.. TrainingRowReader.Read(fixture.Rows)];
        TrainingRow told = rows[0] with { Tools = [], Answer = [], Reply = "It rains." };
        TrainingRowWriter.Write(mixed, [told, .. rows, told]);
        GrpoConfig config = fixture.Config("words", steps: 1) with { Data = [mixed], Evaluation = new GrpoEvaluationPlan { Data = [mixed], MaxRows = 3 } };
        using RecordingObserver builtIn = new();
        await fixture.RunAsync(config, builtIn, reward: null);
        Assert.Equal((7, 2, 1), (builtIn.Start!.Rows, builtIn.Start.RowsInWords, builtIn.Start.HeldOutInWords));
        Assert.All(builtIn.Evaluations, item => Assert.Equal(3, item.Rows));
        Assert.All(builtIn.Samples, sample => Assert.NotEqual("[]", sample.Answer));

        using RecordingObserver judged = new();
        await fixture.RunAsync(config with { Output = config.Output + "-judged" }, judged, Letters);
        Assert.Equal((9, 0), (judged.Start!.Rows, judged.Start.RowsInWords));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execute_PromptThatOnlyAGraderCanJudge_IsRefusedByFileAndLine(bool isHeldOut)
    {
        string prompts = Path.Combine(fixture.Folder, $"prompts-{isHeldOut}.jsonl");
        TrainingRow row = TrainingRowReader.Read(fixture.Rows).First();
        File.WriteAllLines(prompts, [TrainingRowWriter.ToJson(row), "", TrainingRowWriter.ToJson(row with { Answer = [], Item = """{"reference": "a"}""" })]);
        GrpoConfig config = fixture.Config($"prompts-{isHeldOut}", steps: 1);
        config = isHeldOut ? config with { Evaluation = new GrpoEvaluationPlan { Data = [prompts] } } : config with { Data = [prompts] };
        using RecordingObserver observer = new();
        TrainingDataException refused = await Assert.ThrowsAsync<TrainingDataException>(() => fixture.RunAsync(config, observer, reward: null));

        Assert.Equal((prompts, 3), (refused.File, refused.Line));
        Assert.Contains("only a grader can judge", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Change_DuringARun_HoldsFromTheNextStepAndAfterAResumption()
    {
        GrpoConfig config = fixture.Config("edits", steps: 3);
        GrpoRun? running = null;
        using RecordingObserver observer = new()
        {
            StopAfter = 2,
            AtStep = step =>
            {
                if (step.Step == 1)
                {
                    running!.Change(new GrpoEdit { LearningRate = 1e-3, KlCoefficient = 0.5, MaxResponseTokens = 4 });
                    Assert.Throws<GrpoEditException>(() => running.Change(new GrpoEdit { MaxResponseTokens = 9 }));
                    Assert.Throws<GrpoEditException>(() => running.Change(new GrpoEdit { LearningRate = 0 }));
                }
            },
        };
        await fixture.RunAsync(config, observer, Letters, beside: (run, _) =>
        {
            running = run;
            return Task.CompletedTask;
        });
        using RecordingObserver resumed = new();
        await fixture.RunAsync(config, resumed, Letters, resume: true);
        GrpoStepResult[] steps = [.. observer.Steps, .. resumed.Steps];
        Assert.Equal([0.01, 1e-3, 1e-3], steps.Select(step => step.LearningRate!.Value));
        Assert.Equal([1e-3, 0.5, 0.5], steps.Select(step => step.KlCoefficient));
        Assert.Equal([false, true, true], steps.Select(step => step.ResponseLengthMax <= 4));
    }

    [Fact]
    public async Task Change_AskedForAfterTheLastCheckpoint_HoldsAfterAResumption()
    {
        GrpoConfig config = fixture.Config("late-edit", steps: 3);
        GrpoRun? running = null;
        using RecordingObserver observer = new() { StopAfter = 2, AtStep = step => running!.Change(step.Step == 2 ? new GrpoEdit { LearningRate = 1e-3 } : new GrpoEdit()) };
        await fixture.RunAsync(config, observer, Letters, beside: (run, _) =>
        {
            running = run;
            return Task.CompletedTask;
        });
        using RecordingObserver resumed = new();
        await fixture.RunAsync(config, resumed, Letters, resume: true);
        Assert.Equal(1e-3, Assert.Single(resumed.Steps).LearningRate);
    }

    [Fact]
    public async Task Execute_OtherRequests_AreServedMeanwhileByTheLiveWeights()
    {
        GrpoConfig config = fixture.Config("beside");
        using RecordingObserver observer = new();
        List<int[]> answers = [];
        await fixture.RunAsync(config, observer, Letters, beside: async (_, engine) =>
        {
            while (observer.Steps.Count < 3)
            {
                List<int> tokens = [];
                await foreach (GenerationUpdate update in engine.Generate(
                    new GenerationRequest { RequestId = "live", PromptTokenIds = [5, 6, 7, 8], MaxNewTokens = 6, Sampling = SamplingParameters.Greedy }, TestContext.Current.CancellationToken))
                {
                    Assert.Equal(engine.Host.LiveVersion, update.WeightVersion);
                    tokens.AddRange(update.TokenIds);
                }

                answers.Add([.. tokens]);
            }
        });
        Assert.True(answers.Count > 3);
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
    }

    [Fact]
    public async Task Execute_OutputHoldsCheckpoints_IsRefusedWithoutResume()
    {
        GrpoConfig config = fixture.Config("twice", steps: 1);
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, Letters);
        TrainingConfigException again = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config, observer, Letters));
        Assert.Contains("'output'", again.Message, StringComparison.Ordinal);
        TrainingConfigException differs = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config with { GroupSize = 3 }, observer, Letters, resume: true));
        Assert.Contains("differs", differs.Message, StringComparison.Ordinal);
        TrainingConfigException room = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config with { Output = config.Output + "2", MaxResponseTokens = 600 }, observer, Letters));
        Assert.Contains("'max_response_tokens'", room.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_PromptsThatAskForAnotherForm_AreRefusedForTheBuiltInReward()
    {
        GrpoConfig config = fixture.Config("hermes", steps: 1) with { ChatFormat = "hermes" };
        using RecordingObserver observer = new();
        TrainingConfigException refused = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config, observer, reward: null));
        Assert.Contains("'chat_format'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'tool-n1'", refused.Message, StringComparison.Ordinal);

        // Whoever brings a reward knows what it reads.
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, observer, Letters));
    }

    [Fact]
    public async Task Execute_HeldOutFileWithoutRows_IsRefused()
    {
        string empty = Path.Combine(fixture.Folder, "empty.jsonl");
        File.WriteAllText(empty, "\n");
        GrpoConfig config = fixture.Config("held-out-empty", steps: 1) with { Evaluation = new GrpoEvaluationPlan { Data = [fixture.Rows, empty] } };
        using RecordingObserver observer = new();
        TrainingConfigException refused = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config, observer, Letters));
        Assert.Contains($"'evaluation.data': {empty} has no rows", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_OtherRowsThanTheRunBeganWith_AreRefused()
    {
        string rows = Path.Combine(fixture.Folder, "changing.jsonl");
        File.Copy(fixture.Rows, rows);
        GrpoConfig config = fixture.Config("other-rows", steps: 2) with { Data = [rows] };
        using RecordingObserver first = new() { StopAfter = 1 };
        Assert.Equal(GrpoOutcome.Stopped, await fixture.RunAsync(config, first, Letters));
        File.WriteAllLines(rows, File.ReadAllLines(fixture.Rows).Reverse());
        using RecordingObserver second = new();
        TrainingConfigException refused = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config, second, Letters, resume: true));
        Assert.Contains("the data", refused.Message, StringComparison.Ordinal);

        File.Copy(fixture.Rows, rows, overwrite: true);
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(config, second, Letters, resume: true));
    }

    [Theory]
    [InlineData(0.9, 0, 1)]
    [InlineData(1, 20, 1)]
    [InlineData(1, 0, 0)]
    public async Task Execute_SamplingThatCutsTokensOff_WarnsOnce(double topP, int topK, int warnings)
    {
        GrpoConfig config = fixture.Config($"truncated-{topP}-{topK}", steps: 2) with { Sampling = new GrpoSampling { TopP = topP, TopK = topK } };
        using RecordingObserver observer = new();
        await fixture.RunAsync(config, observer, Letters);
        Assert.Equal(warnings, observer.Alarms.Count(alarm => alarm is { Kind: "truncated_sampling", EndsRun: false }));
    }

    [Fact]
    public async Task Execute_MoreMemoryThanPlanned_WarnsOnce()
    {
        using RecordingObserver observer = new();
        await fixture.RunAsync(fixture.Config("unplanned", steps: 2), observer, Letters, plannedBytes: 1 << 20);
        Assert.Single(observer.Alarms, alarm => alarm is { Kind: "memory", EndsRun: false });
    }

    [Fact]
    public async Task Execute_DamagedCheckpoint_IsRefusedByItsChecksum()
    {
        GrpoConfig config = fixture.Config("damaged", steps: 2);
        using RecordingObserver first = new() { StopAfter = 1 };
        await fixture.RunAsync(config, first, Letters);
        string file = Path.Combine(config.Output, "checkpoints", "step-00000001", "optimizer.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        using RecordingObserver second = new();
        CheckpointException error = await Assert.ThrowsAsync<CheckpointException>(() => fixture.RunAsync(config, second, Letters, resume: true));
        Assert.Contains("checksum", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_ResumedElsewhere_GoesOn_AndOverOtherWeightsOrRowsIsRefused()
    {
        GrpoConfig config = fixture.Config("moves", steps: 2);
        using RecordingObserver first = new() { StopAfter = 1 };
        await fixture.RunAsync(config, first, Letters);

        // 1. Under the same paths other weights, other rows.
        string rows = Path.Combine(fixture.Folder, "moved-rows.jsonl");
        File.WriteAllLines(rows, File.ReadLines(fixture.Rows).Skip(1));
        using RecordingObserver second = new();
        TrainingConfigException weights = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config with { Model = fixture.OtherModel }, second, Letters, resume: true));
        Assert.Contains("holds other weights than the run began with", weights.Message, StringComparison.Ordinal);
        TrainingConfigException data = await Assert.ThrowsAsync<TrainingConfigException>(() => fixture.RunAsync(config with { Data = [rows] }, second, Letters, resume: true));
        Assert.Contains("differs", data.Message, StringComparison.Ordinal);

        // 2. The same in another place.
        GrpoConfig moved = config with { Output = config.Output + "-moved", Data = [rows] };
        Directory.Move(config.Output, moved.Output);
        File.Copy(fixture.Rows, rows, overwrite: true);
        Assert.Equal(GrpoOutcome.Finished, await fixture.RunAsync(moved, second, Letters, resume: true));
    }

    [Fact]
    public async Task Execute_LoadingAndRestoring_TakeNoTurnsOfTheEngine()
    {
        GrpoConfig config = fixture.Config("turns", steps: 1);
        using RecordingObserver first = new();
        await fixture.RunAsync(config, first, Letters);
        InferenceEngine? engine = null;
        using RecordingObserver second = new();
        await fixture.RunAsync(config, second, Letters, resume: true, beside: (_, serving) =>
        {
            engine = serving;
            return Task.CompletedTask;
        });

        // All that is left are the policy's publication and its end.
        Assert.Empty(second.Steps);
        Assert.Equal(2, engine!.Snapshot().Turns);
    }

    private static int[] LinesOf(GrpoConfig config, string file) =>
        [.. File.ReadAllLines(Path.Combine(config.Output, file)).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt32())];

    private static Tensor Embedding(GrpoConfig config, int step)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(config.Output, "checkpoints", $"step-{step:D8}", "masters.safetensors"));
        SafetensorsEntry entry = file.Find(ModelTensors.Embedding)!;
        Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
        file.ReadInto(entry, tensor);
        return tensor;
    }

    private static byte[] Newest(GrpoConfig config, int step, string file) =>
        File.ReadAllBytes(Path.Combine(config.Output, "checkpoints", $"step-{step:D8}", file));

    private sealed class FunctionReward(Func<RewardSample, double> score) : IReward
    {
        public RewardScore Score(RewardSample sample, CancellationToken cancellationToken)
        {
            double value = score(sample);
            return new RewardScore(value, [new RewardComponent("value", value)]);
        }
    }
}
