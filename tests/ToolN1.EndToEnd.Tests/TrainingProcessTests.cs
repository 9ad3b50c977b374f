using System.Text.Json;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Training as a process that people interrupt and machines kill.</summary>
public sealed class TrainingProcessTests : IDisposable
{
    private const int Steps = 24;

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-train-").FullName;

    public TrainingProcessTests()
    {
        TinyCheckpoint.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        File.WriteAllLines(Path.Combine(_folder, "rows.jsonl"), Enumerable.Range(0, 24).Select(i =>
            $$$"""{"tools": [{"name": "f{{{i % 3}}}", "description": "Says {{{i % 3}}}.", "parameters": {"n": {"type": "integer"} } }], "messages": [{"role": "user", "content": "say {{{i}}}"}], "think": "n is {{{i}}}", "answer": [{"name": "f{{{i % 3}}}", "arguments": {"n": {{{i}}} } }]}"""));
    }

    [Fact]
    public async Task CtrlC_SavesAndResumesToTheSameWeights()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are Unix's.");
        string whole = Config("whole", checkpointEvery: 1000), parts = Config("parts", checkpointEvery: 1000);
        Assert.Equal(0, (await CommandProcess.RunAsync("train", "sft", "--config", whole)).ExitCode);

        await using (CommandProcess training = CommandProcess.Start("train", "sft", "--config", parts))
        {
            await training.WaitForAsync("step 2/");
            await training.SignalAsync("INT");
            Assert.Equal(130, await training.ExitAsync());
            Assert.Contains("Stopped and saved", training.Output, StringComparison.Ordinal);
        }

        Assert.Single(Directory.GetDirectories(Path.Combine(_folder, "parts", "checkpoints")));
        Assert.False(Directory.Exists(ModelOf("parts")));
        (int exitCode, string output) = await CommandProcess.RunAsync("train", "sft", "--config", parts, "--resume");
        Assert.Equal(0, exitCode);
        Assert.Contains("Model: ", output, StringComparison.Ordinal);
        AssertSameModel("whole", "parts");
        Assert.Equal(Steps, File.ReadAllLines(Path.Combine(_folder, "parts", "metrics.jsonl")).Length);
    }

    [Fact]
    public async Task CtrlCTwice_EndsAtOnceWithoutATrace()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are Unix's.");
        await using CommandProcess training = CommandProcess.Start("train", "sft", "--config", Config("twice", checkpointEvery: 1000));
        await training.WaitForAsync("parameters, steps 1");
        await training.SignalAsync("INT");
        await training.SignalAsync("INT");

        // By the signal, or, where the first was quick, by itself.
        Assert.Equal(130, await training.ExitAsync());
        Assert.DoesNotContain("   at ", training.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_AtAnyMoment_ResumesToTheSameWeightsAndTheModelIsAlwaysWhole()
    {
        string whole = Config("whole", checkpointEvery: 1000), parts = Config("parts", checkpointEvery: 1);
        Assert.Equal(0, (await CommandProcess.RunAsync("train", "sft", "--config", whole)).ExitCode);

        // 1. Killed while it trains and saves after every step; each time it goes on from what was saved.
        foreach (int step in new[] { 3, 8, 15 })
        {
            string[] resume = Directory.Exists(Path.Combine(_folder, "parts")) ? ["--resume"] : [];
            await using CommandProcess training = CommandProcess.Start(["train", "sft", "--config", parts, .. resume]);
            await training.WaitForAsync($"step {step}/");
            training.Kill();
            await training.ExitAsync();
            Assert.NotEmpty(Directory.GetDirectories(Path.Combine(_folder, "parts", "checkpoints")));
        }

        Assert.Equal(0, (await CommandProcess.RunAsync("train", "sft", "--config", parts, "--resume")).ExitCode);
        AssertSameModel("whole", "parts");

        // 2. A finished run that is resumed writes its model again: killed in that, the folder under the final name stays whole.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            await using CommandProcess again = CommandProcess.Start("train", "sft", "--config", parts, "--resume");
            while (!Directory.Exists(ModelOf("parts") + ".tmp") && !again.HasExited)
            {
                Assert.True(Directory.Exists(ModelOf("parts")));
            }

            again.Kill();
            await again.ExitAsync();
            AssertSameModel("whole", "parts");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string ModelOf(string run) => Path.Combine(_folder, run, "model");

    private void AssertSameModel(string one, string other)
    {
        string[] names = [.. Directory.GetFiles(ModelOf(one)).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal(names, Directory.GetFiles(ModelOf(other)).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.Contains("model.safetensors", names);
        Assert.All(names, name => Assert.True(File.ReadAllBytes(Path.Combine(ModelOf(one), name)).SequenceEqual(File.ReadAllBytes(Path.Combine(ModelOf(other), name))), name));
    }

    private string Config(string run, int checkpointEvery)
    {
        string file = Path.Combine(_folder, run + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(new
        {
            output = Path.Combine(_folder, run),
            init = new { tokenizer = Path.Combine(_folder, "tokenizer"), shape = new { hidden_size = 32, intermediate_size = 64, layers = 2, heads = 4, key_value_heads = 2 } },
            phases = new[] { new { name = "only", data = new[] { Path.Combine(_folder, "rows.jsonl") }, prompt = "short", steps = Steps } },
            optimizer = new { kind = "muon" },
            schedule = new { warmup_steps = 2 },
            tokens_per_step = 1500,
            dtype = "float32",
            log_every_steps = 1,
            checkpoint_every_steps = checkpointEvery,
        }));
        return file;
    }
}
