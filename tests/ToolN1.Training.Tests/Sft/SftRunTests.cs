using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Sft;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Sft;

public sealed class SftRunTests(SftFixture fixture) : IClassFixture<SftFixture>
{
    [Fact]
    public void Execute_StoppedAndResumed_EqualsTheWholeRunBitForBit()
    {
        SftConfig whole = fixture.Config("whole") with { CheckpointEverySteps = 2 };
        using SilentObserver wholeObserver = new();
        Assert.True(SftFixture.Run(whole, wholeObserver));

        SftConfig parts = whole with { Output = Path.Combine(fixture.Folder, "parts") };
        using SilentObserver first = new() { StopAfter = 3 };
        Assert.False(SftFixture.Run(parts, first));
        using SilentObserver second = new();
        Assert.True(SftFixture.Run(parts, second, resume: true));

        Assert.Equal([1, 2, 3], first.Results.Select(result => result.Step));
        Assert.Equal([4, 5, 6], second.Results.Select(result => result.Step));
        Assert.Equal(wholeObserver.Results.Select(result => result.Loss), first.Results.Concat(second.Results).Select(result => result.Loss));
        foreach (string file in new[] { "masters.safetensors", "optimizer.safetensors" })
        {
            Assert.Equal(Newest(whole, file), Newest(parts, file));
        }

        Assert.Equal(6, File.ReadAllLines(Path.Combine(parts.Output, "metrics.jsonl")).Length);
        Assert.Equal([2, 3], first.Checkpoints);
        Assert.Equal([4, 6], second.Checkpoints);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(whole.Output, "checkpoints")).Length);
    }

    [Fact]
    public void Execute_StoppedWhileRowsAreRead_CanBeResumed()
    {
        SftConfig whole = fixture.Config("unstopped", steps: 2), stopped = fixture.Config("stopped", steps: 2);
        using SilentObserver observer = new();
        Assert.True(SftFixture.Run(whole, observer));
        Assert.False(new SftRun(stopped, "test", observer).Execute(resume: false, new CancellationToken(canceled: true)));
        Assert.True(SftFixture.Run(stopped, observer, resume: true));

        const string Weights = "checkpoints/step-00000002/masters.safetensors";
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole.Output, Weights)), File.ReadAllBytes(Path.Combine(stopped.Output, Weights)));
    }

    [Fact]
    public void Execute_OtherRowsThanThePhaseBeganWith_AreRefused()
    {
        string rows = Path.Combine(fixture.Folder, "changing.jsonl");
        File.Copy(fixture.Rows, rows);
        SftConfig config = fixture.Config("other-rows", steps: 2);
        config = config with { Phases = [config.Phases[0] with { Data = [rows] }] };
        using SilentObserver first = new() { StopAfter = 1 };
        Assert.False(SftFixture.Run(config, first));
        File.WriteAllLines(rows, File.ReadAllLines(fixture.Rows).Reverse());
        using SilentObserver second = new();
        TrainingConfigException refused = Assert.Throws<TrainingConfigException>(() => SftFixture.Run(config, second, resume: true));
        Assert.Contains("the data", refused.Message, StringComparison.Ordinal);

        File.Copy(fixture.Rows, rows, overwrite: true);
        Assert.True(SftFixture.Run(config, second, resume: true));
    }

    [Fact]
    public void Execute_EnoughSteps_LearnsTheAnswersAndWritesAFolderThatLoads()
    {
        SftConfig config = fixture.Config("learns", steps: 30);
        using SilentObserver observer = new();
        SftRun run = new(config, "test", observer);
        Assert.True(run.Execute(resume: false, TestContext.Current.CancellationToken));
        Assert.True(observer.Results[^1].AnswerLoss < observer.Results[0].AnswerLoss * 0.7, $"{observer.Results[0].AnswerLoss} → {observer.Results[^1].AnswerLoss}");
        Assert.InRange(observer.Results[^1].TokenAccuracy, 0.1, 1);

        // The exported folder is the bf16 rounding of the masters.
        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = CheckpointLoader.Load(run.ModelFolder, CPU, ScalarType.Float32);
        using SafetensorsFile masters = SafetensorsFile.Open(Directory.GetFiles(Path.Combine(config.Output, "checkpoints"), "masters.safetensors", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last());
        foreach ((string name, Tensor tensor) in decoder.NamedWeights())
        {
            Tensor master = empty(tensor.shape);
            masters.ReadInto(masters.Find(name)!, master);
            Assert.True(tensor.allclose(master.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32), 0, 0), name);
        }

        Assert.NotEmpty(decoder.Config.EndOfSequenceIds);
        Assert.Contains("\"chat_format\": \"tool-n1\"", File.ReadAllText(Path.Combine(run.ModelFolder, "config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Execute_InTurnsOnAnotherThread_EqualsThePlainRunBitForBit()
    {
        SftConfig plain = fixture.Config("plain", steps: 3) with { MicroBatchTokens = 200 };
        using SilentObserver plainObserver = new();
        SftFixture.Run(plain, plainObserver);

        SftConfig turned = plain with { Output = Path.Combine(fixture.Folder, "turned") };
        using SilentObserver turnedObserver = new();
        int turns = 0;
        void Turn(Action work)
        {
            turns++;
            Thread thread = new(() => work());
            thread.Start();
            thread.Join();
        }

        new SftRun(turned, "test", turnedObserver, Turn).Execute(resume: false, TestContext.Current.CancellationToken);
        Assert.Equal(plainObserver.Results.Select(result => (result.Loss, result.GradientNorm)), turnedObserver.Results.Select(result => (result.Loss, result.GradientNorm)));
        Assert.True(turns > 3 * 3, $"{turns} turns");
    }

    [Fact]
    public void Execute_RowsPerStep_BoundTheStep()
    {
        SftConfig config = fixture.Config("rows", steps: 9) with { TokensPerStep = int.MaxValue, RowsPerStep = 2, SharedPrefixRows = 1 };
        using SilentObserver observer = new();
        SftFixture.Run(config, observer);

        // Eighteen rows in nine steps are one pass.
        Assert.Equal(1, observer.Results[^1].Epoch);
    }

    [Fact]
    public void Execute_MetricsTornByAKill_AreMendedAtTheCheckpoint()
    {
        SftConfig config = fixture.Config("torn", steps: 4);
        using SilentObserver first = new() { StopAfter = 2 };
        SftFixture.Run(config, first);
        string metrics = Path.Combine(config.Output, "metrics.jsonl");
        File.AppendAllText(metrics, File.ReadLines(metrics).First().Replace("\"step\":1", "\"step\":3", StringComparison.Ordinal) + "\n{\"step\":4,\"los");

        using SilentObserver second = new();
        Assert.True(SftFixture.Run(config, second, resume: true));
        Assert.Equal(4, File.ReadAllLines(metrics).Length);
    }

    [Fact]
    public void Execute_FromAFolder_ContinuesFromItsWeights()
    {
        SftConfig first = fixture.Config("first", steps: 2);
        using SilentObserver observer = new();
        SftRun run = new(first, "test", observer);
        run.Execute(resume: false, TestContext.Current.CancellationToken);

        SftConfig second = first with { Output = Path.Combine(fixture.Folder, "second"), Init = new SftInit { From = run.ModelFolder }, Schedule = new SftSchedule { WarmupSteps = 0 } };
        using SilentObserver continued = new();
        Assert.True(SftFixture.Run(second, continued));
        Assert.True(continued.Results[0].Loss < observer.Results[0].Loss);
    }

    [Fact]
    public void Execute_OutputHoldsCheckpoints_IsRefusedWithoutResume()
    {
        SftConfig config = fixture.Config("twice", steps: 1);
        using SilentObserver observer = new();
        new SftRun(config, "run.json", observer).Execute(resume: false, TestContext.Current.CancellationToken);
        TrainingConfigException again = Assert.Throws<TrainingConfigException>(() => new SftRun(config, "run.json", observer).Execute(resume: false, TestContext.Current.CancellationToken));
        Assert.Contains("'output'", again.Message, StringComparison.Ordinal);

        SftConfig other = config with { TokensPerStep = 700 };
        TrainingConfigException differs = Assert.Throws<TrainingConfigException>(() => new SftRun(other, "run.json", observer).Execute(resume: true, TestContext.Current.CancellationToken));
        Assert.Contains("differs", differs.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Execute_ResumedElsewhere_GoesOn_AndOverOtherWeightsIsRefused()
    {
        SftConfig start = fixture.Config("start", steps: 1);
        using SilentObserver observer = new();
        SftRun run = new(start, "test", observer);
        run.Execute(resume: false, TestContext.Current.CancellationToken);
        SftConfig config = start with { Output = Path.Combine(fixture.Folder, "moves"), Init = new SftInit { From = run.ModelFolder }, Phases = [start.Phases[0] with { Steps = 3 }] };
        using SilentObserver first = new() { StopAfter = 1 };
        SftFixture.Run(config, first);

        string rows = Path.Combine(fixture.Folder, "moved-rows.jsonl");
        File.Copy(fixture.Rows, rows);
        string model = run.ModelFolder + "-moved";
        Directory.Move(run.ModelFolder, model);
        SftConfig moved = config with { Output = config.Output + "-moved", Init = new SftInit { From = model }, Phases = [config.Phases[0] with { Data = [rows] }] };
        Directory.Move(config.Output, moved.Output);
        using SilentObserver second = new();
        TrainingConfigException refused = Assert.Throws<TrainingConfigException>(() =>
            new SftRun(moved with { Init = new SftInit { From = Other(fixture.Config("other", steps: 1) with { Seed = 7 }) } }, "test", second).Execute(resume: true, TestContext.Current.CancellationToken));
        Assert.Contains("holds other weights than the run began with", refused.Message, StringComparison.Ordinal);
        Assert.True(SftFixture.Run(moved, second, resume: true));

        static string Other(SftConfig config)
        {
            using SilentObserver observer = new();
            SftRun run = new(config, "test", observer);
            run.Execute(resume: false, TestContext.Current.CancellationToken);
            return run.ModelFolder;
        }
    }

    [Fact]
    public void Execute_RowsTooLong_AreLeftOutAndCounted()
    {
        SftConfig config = fixture.Config("none") with { Phases = [new SftPhase { Name = "only", Data = [fixture.Rows], Steps = 1, MaxTokens = 5 }] };
        using SilentObserver observer = new();
        TrainingDataException error = Assert.Throws<TrainingDataException>(() => SftFixture.Run(config, observer));
        Assert.Contains("18 too long", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Execute_RowsShareTools_ShareTheirPrefix()
    {
        SftConfig config = fixture.Config("groups", steps: 1) with { SharedPrefixRows = 4 };
        using SilentObserver observer = new();
        SftFixture.Run(config, observer);
        Assert.Equal(18, observer.Data!.RowsKept);

        // Six rows a tool make groups of four and two.
        Assert.Equal(6, observer.Data.Groups);
    }

    private static byte[] Newest(SftConfig config, string file) =>
        File.ReadAllBytes(Path.Combine(config.Output, "checkpoints", "step-00000006", file));
}
