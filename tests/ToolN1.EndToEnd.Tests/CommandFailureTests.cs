using System.Diagnostics;
using System.Text.Json;
using ToolN1.TestSupport;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.EndToEnd.Tests;

/// <summary>What commands say and return when they cannot go on.</summary>
public sealed class CommandFailureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-failure-").FullName;

    public CommandFailureTests() => Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");

    [Fact]
    public async Task TrainGrpo_CtrlCWhileItReadsRows_EndsAsStopped()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals and named pipes are Unix's.");
        string pipe = Path.Combine(_folder, "rows.jsonl");
        using (Process make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await using CommandProcess training = CommandProcess.Start("train", "grpo", "--config", Config("stopped", pipe));

        // Opens once the command has begun to read; what it reads ends when this is closed.
        Task<FileStream> opening = Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite), TestContext.Current.CancellationToken);
        Assert.Same(opening, await Task.WhenAny(opening, training.ExitAsync()));
        await using (await opening)
        {
            await training.SignalAsync("INT");
            await training.WaitForAsync("once more ends at once");
        }

        Assert.Equal(130, await training.ExitAsync());
        Assert.DoesNotContain("xception", training.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train", "grpo")]
    [InlineData("export", "verl")]
    public async Task Command_WhatItMayNotRead_IsToldInALine(string command, string subcommand)
    {
        // A folder cannot be read as rows, which .NET calls unauthorised.
        string[] output = command == "export" ? ["--out", Path.Combine(_folder, "out")] : [];
        (int exitCode, string told) = await CommandProcess.RunAsync([command, subcommand, "--config", Config("denied", _folder), .. output]);

        Assert.Equal(1, exitCode);
        Assert.Contains("denied", told, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nodes")]
    [InlineData("--gpus")]
    public async Task ExportVerl_LessThanOneMachineOrGpu_IsRefusedByName(string option)
    {
        string rows = Path.Combine(_folder, "rows.jsonl");
        TrainingRowWriter.Write(rows, new SyntheticGenerator().Training(1, 4, seed: 5));
        (int exitCode, string told) = await CommandProcess.RunAsync("export", "verl", "--config", Config("export", rows), "--out", Path.Combine(_folder, "out"), option, "0");

        Assert.Equal(1, exitCode);
        Assert.Contains($"{option} must be at least 1.", told, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "out")));
    }

    [Theory]
    [InlineData("prefill", "--tokens", 1)]
    [InlineData("decode", "--tokens", 2)]
    [InlineData("decode", "--repeat", 1)]
    [InlineData("serve", "--tokens", 4)]
    [InlineData("serve", "--clients", 1)]
    public async Task Bench_TooFewToMeasure_IsRefusedByName(string what, string option, int least)
    {
        (int exitCode, string told) = await CommandProcess.RunAsync("bench", what, "--model", TestPaths.NanoModel, option, $"{least - 1}");

        Assert.Equal(1, exitCode);
        Assert.Contains($"{option} must be at least {least}.", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BenchDecode_ShortestAnswers_ReportsNumbers()
    {
        string report = Path.Combine(_folder, "report.json");
        (int exitCode, string told) = await CommandProcess.RunAsync("bench", "decode", "--model", TestPaths.NanoModel, "--tokens", "2", "--repeat", "1", "--json", report);

        Assert.True(exitCode == 0, told);
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(File.ReadAllText(report));
        Assert.Contains("decode tok/s", document.RootElement.GetRawText(), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Config(string name, string rows)
    {
        string file = Path.Combine(_folder, name + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["output"] = Path.Combine(_folder, name),
            ["model"] = TestPaths.NanoModel,
            ["data"] = new[] { rows },
            ["steps"] = 1,
            ["prompts_per_step"] = 2,
            ["max_response_tokens"] = 24,
            ["engine"] = new Dictionary<string, object> { ["kv_cache_mib"] = 32 },
            ["evaluation"] = new Dictionary<string, object> { ["data"] = new[] { rows } },
        }));
        return file;
    }
}
