using System.Text.Json;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>What the command-line trainer says of a run before it begins.</summary>
public sealed class TrainPlanTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-plan-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TrainGrpo_PlannedBeyondTheMachine_IsRefusedWithWhatWouldFit_UnlessToldToGoOn()
    {
        string config = Write(new() { ["prompts_per_step"] = 4096, ["group_size"] = 64, ["micro_batch_tokens"] = int.MaxValue, ["engine"] = new Dictionary<string, object> { ["kv_cache_mib"] = 32 } });
        (int refused, string plan) = await CommandProcess.RunAsync("train", "grpo", "--config", config);
        Assert.Equal(3, refused);
        Assert.Contains("This does not fit", plan, StringComparison.Ordinal);
        Assert.Contains("micro_batch_tokens: ", plan, StringComparison.Ordinal);
        Assert.Contains("--ignore-plan", plan, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "run")));

        // It goes on to the rows, which are not there.
        (int failed, string error) = await CommandProcess.RunAsync("train", "grpo", "--config", config, "--ignore-plan");
        Assert.Equal(1, failed);
        Assert.Contains("rows.jsonl", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrainPlan_NoDeviceNamed_PlansForTheConfigurations()
    {
        string config = Write(new() { ["engine"] = new Dictionary<string, object> { ["device"] = "cuda:1" } });
        (int unknown, string error) = await CommandProcess.RunAsync("train", "plan", "--config", config);
        Assert.Equal(1, unknown);
        Assert.Contains("--memory-gib", error, StringComparison.Ordinal);
        Assert.Equal(0, (await CommandProcess.RunAsync("train", "plan", "--config", config, "--memory-gib", "80")).ExitCode);
        Assert.Equal(0, (await CommandProcess.RunAsync("train", "plan", "--config", config, "--device", "cpu")).ExitCode);
    }

    [Fact]
    public async Task TrainSft_PlannedBeyondTheMachine_IsRefusedWithWhatWouldFit_UnlessToldToGoOn()
    {
        string config = WriteSupervised(new() { ["tokens_per_step"] = int.MaxValue, ["micro_batch_tokens"] = int.MaxValue });
        (int refused, string plan) = await CommandProcess.RunAsync("train", "sft", "--config", config);
        Assert.Equal(3, refused);
        Assert.Contains("This does not fit", plan, StringComparison.Ordinal);
        Assert.Contains("micro_batch_tokens: ", plan, StringComparison.Ordinal);
        Assert.Contains("--ignore-plan", plan, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "run")));

        // It goes on to the rows, which are not there.
        (int failed, string error) = await CommandProcess.RunAsync("train", "sft", "--config", config, "--ignore-plan");
        Assert.Equal(1, failed);
        Assert.Contains("rows.jsonl", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrainPlan_OfASupervisedRun_IsToldByItsFields()
    {
        string config = WriteSupervised([]);
        (int fits, string plan) = await CommandProcess.RunAsync("train", "plan", "--config", config, "--json");
        Assert.Equal(0, fits);
        Assert.Contains("\"training_weights\"", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("rollout_weights", plan, StringComparison.Ordinal);
        (int tight, string remedies) = await CommandProcess.RunAsync("train", "plan", "--config", config, "--memory-gib", "0.1");
        Assert.Equal(3, tight);
        Assert.Contains("micro_batch_tokens: 2048", remedies, StringComparison.Ordinal);

        // Its own checks hold.
        string wrong = WriteSupervised(new() { ["lanes"] = 0 });
        (int refused, string error) = await CommandProcess.RunAsync("train", "plan", "--config", wrong);
        Assert.Equal(1, refused);
        Assert.Contains("field 'lanes'", error, StringComparison.Ordinal);
    }

    private string WriteSupervised(Dictionary<string, object> more)
    {
        string file = Path.Combine(_folder, "sft.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new Dictionary<string, object>(more)
        {
            ["output"] = Path.Combine(_folder, "run"),
            ["init"] = new Dictionary<string, object> { ["from"] = TestPaths.NanoModel },
            ["phases"] = new[] { new Dictionary<string, object> { ["name"] = "only", ["data"] = new[] { Path.Combine(_folder, "rows.jsonl") }, ["steps"] = 1 } },
        }));
        return file;
    }

    private string Write(Dictionary<string, object> more)
    {
        string file = Path.Combine(_folder, "run.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new Dictionary<string, object>(more)
        {
            ["output"] = Path.Combine(_folder, "run"),
            ["model"] = TestPaths.NanoModel,
            ["data"] = new[] { Path.Combine(_folder, "rows.jsonl") },
            ["max_response_tokens"] = 256,
        }));
        return file;
    }
}
