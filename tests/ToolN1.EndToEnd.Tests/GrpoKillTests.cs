using System.Diagnostics;
using System.Text.Json;
using ToolN1.TestSupport;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The command-line trainer as its own process, killed at a moment of chance and started again.</summary>
public sealed class GrpoKillTests : IDisposable
{
    private const int Steps = 4;

    private static readonly string[] Compared = ["step", "reward_mean", "loss", "gradient_norm", "entropy", "generated_tokens", "learning_rate"];

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-kill-").FullName;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TrainGrpo_KilledAndResumed_TakesExactlyTheStepsOfAnUndisturbedRun()
    {
        string rows = Path.Combine(_folder, "rows.jsonl");
        TrainingRowWriter.Write(rows, new SyntheticGenerator().Training(1, 40, seed: 5));
        string whole = WriteConfig("whole", rows);
        Assert.Equal(0, await RunAsync(whole, resume: false, killAfterStep: null));

        // kill -9 in the middle of a step after the third; the newest checkpoint is then that of step 2.
        string parts = WriteConfig("parts", rows);
        Assert.NotEqual(0, await RunAsync(parts, resume: false, killAfterStep: 3));
        Assert.False(Directory.Exists(Path.Combine(_folder, "parts", "model")));
        Assert.Equal(0, await RunAsync(parts, resume: true, killAfterStep: null));

        foreach (string file in new[] { "masters.safetensors", "optimizer.safetensors" })
        {
            Assert.Equal(Newest("whole", file), Newest("parts", file));
        }

        Assert.Equal(Curve("whole"), Curve("parts"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<int> RunAsync(string config, bool resume, int? killAfterStep)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { Path.Combine(AppContext.BaseDirectory, "tooln1.dll"), "train", "grpo", "--config", config }.Concat(resume ? ["--resume"] : []))
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(None);
            while (await process.StandardOutput.ReadLineAsync(None) is string line)
            {
                if (killAfterStep is int step && line.StartsWith($"{step}\t", StringComparison.Ordinal))
                {
                    process.Kill();
                }
            }

            await process.WaitForExitAsync(None);
            Assert.True(process.ExitCode == 0 || killAfterStep is not null, await errors);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private string WriteConfig(string name, string rows)
    {
        string file = Path.Combine(_folder, name + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["output"] = Path.Combine(_folder, name),
            ["model"] = Path.Combine(TestPaths.Root, "models", "tool-n1-nano"),
            ["data"] = new[] { rows },
            ["steps"] = Steps,
            ["prompts_per_step"] = 2,
            ["group_size"] = 2,
            ["mini_batch_prompts"] = 1,
            ["max_response_tokens"] = 24,
            ["dtype"] = "float32",
            ["engine"] = new Dictionary<string, object> { ["dtype"] = "float32", ["kv_cache_mib"] = 32 },
            ["reward"] = new Dictionary<string, object> { ["kind"] = "partial" },
            ["loss"] = new Dictionary<string, object> { ["drop_uniform_groups"] = false, ["kl_coefficient"] = 0.01 },
            ["optimizer"] = new Dictionary<string, object> { ["learning_rate"] = 1e-4 },
            ["checkpoints"] = new Dictionary<string, object> { ["every_steps"] = 2 },
        }));
        return file;
    }

    private byte[] Newest(string name, string file) => File.ReadAllBytes(Path.Combine(_folder, name, "checkpoints", $"step-{Steps:D8}", file));

    private string[] Curve(string name) => [.. File.ReadLines(Path.Combine(_folder, name, "metrics.jsonl")).Select(line =>
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return string.Join(' ', Compared.Select(field => document.RootElement.GetProperty(field).GetRawText()));
    })];
}
