using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary><c>tooln1 eval</c> as its own process against a server that counts what it is asked.</summary>
public sealed class EvaluationProcessTests
{
    private const int Cases = 40;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Eval_KilledAndStartedAgain_AsksOnlyWhatHasNoAnswerOnDisk()
    {
        const int Concurrency = 4;
        const int KillAt = 20;
        using TideBenchmark benchmark = new(Cases);
        await using CountingModelServer server = await CountingModelServer.StartAsync();
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Instead = async (_, requests, _, _) =>
        {
            if (requests >= KillAt && !gone.Task.IsCompleted)
            {
                reached.TrySetResult();
                await gone.Task;
            }

            return false;
        };

        // 1. kill -9 while answers are written, questions are asked and one more is on its way.
        await using (CommandProcess first = Start(benchmark, server, "--concurrency", $"{Concurrency}"))
        {
            await reached.Task.WaitAsync(None);
            first.Kill();
            Assert.NotEqual(0, await first.ExitAsync());
        }

        HashSet<int> written = [.. WholeLines(benchmark).Select(Number)];
        gone.SetResult();
        Assert.InRange(written.Count, KillAt - Concurrency, KillAt - 1);

        // 2. The same command again: what has an answer on disk is never asked again, all else once more at most.
        await RunAsync(benchmark, server, "--concurrency", $"{Concurrency}");

        Assert.Equal(Enumerable.Range(0, Cases), server.Asked.Keys.Order());
        Assert.All(server.Asked, question => Assert.InRange(question.Value, 1, written.Contains(question.Key) ? 1 : 2));
        Assert.InRange(server.Asked.Values.Sum() - Cases, 1, Concurrency);
        Assert.Equal(Enumerable.Range(0, Cases), WholeLines(benchmark).Select(Number).Order());

        // 3. And once more: nothing is left to ask.
        int asked = server.Asked.Values.Sum();
        await RunAsync(benchmark, server, "--concurrency", "1");
        Assert.Equal(asked, server.Asked.Values.Sum());
    }

    [Fact]
    public async Task Eval_ServerThatIsBusyBreaksOrHangs_IsAskedAgainUntilEveryQuestionHasItsAnswer()
    {
        using TideBenchmark benchmark = new(8);
        await using CountingModelServer server = await CountingModelServer.StartAsync();
        server.Instead = async (context, _, question, times) =>
        {
            if (times > 1)
            {
                return false;
            }

            switch (question % 4)
            {
                case 0:
                    context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                    context.Response.Headers.RetryAfter = "0";
                    return true;
                case 1:
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    return true;
                case 2:
                    context.Abort();
                    return true;
                default:
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                    return true;
            }
        };

        // A machine so busy that an answer takes longer than the limit makes more questions of it, never a failure.
        await RunAsync(benchmark, server, "--concurrency", "8", "--timeout", "5");

        Assert.All(Enumerable.Range(0, 8), question => Assert.InRange(server.Asked[question], 2, 7));
    }

    [Fact]
    public async Task Eval_LocalModelWhoseWeightsOrDataChanged_RefusesToGoOn()
    {
        using TideBenchmark benchmark = new(2);
        string model = TinyCheckpoint.Write(Path.Combine(benchmark.Folder, "model"));
        string[] command = ["eval", "bfcl", "--data", benchmark.Folder, "--model", model, "--device", "cpu", "--dtype", "float32", "--max-tokens", "4", "--limit", "1", "--out", benchmark.Run];
        (int exit, string output) = await CommandProcess.RunAsync(command);
        Assert.True(exit == 0, output);
        string[] answered = WholeLines(benchmark);
        Assert.Single(answered);

        // 1. Nothing changed: the run goes on, here with more questions.
        (exit, output) = await CommandProcess.RunAsync([.. command[..^4], "--out", benchmark.Run]);
        Assert.True(exit == 0, output);
        Assert.Equal(2, WholeLines(benchmark).Length);

        // 2. Other weights under the same name: one byte of the last tensor.
        string weights = Path.Combine(model, "model.safetensors");
        byte[] trained = await File.ReadAllBytesAsync(weights, None);
        trained[^1] ^= 1;
        await File.WriteAllBytesAsync(weights, trained, None);
        (exit, output) = await CommandProcess.RunAsync(command);
        Assert.Equal(1, exit);
        Assert.Contains("holds a run with other settings", output, StringComparison.Ordinal);
        trained[^1] ^= 1;
        await File.WriteAllBytesAsync(weights, trained, None);

        // 3. Another right answer to a question.
        string answers = Path.Combine(benchmark.Folder, "possible_answers", "BFCL_v3_simple.json");
        await File.WriteAllTextAsync(answers, (await File.ReadAllTextAsync(answers, None)).Replace("[0]", "[7]", StringComparison.Ordinal), None);
        (exit, output) = await CommandProcess.RunAsync(command);
        Assert.Equal(1, exit);
        Assert.Contains("holds a run with other settings", output, StringComparison.Ordinal);
        Assert.Equal(2, WholeLines(benchmark).Length);
    }

    private static CommandProcess Start(TideBenchmark benchmark, CountingModelServer server, params string[] more) => CommandProcess.Start(
        ["eval", "bfcl", "--data", benchmark.Folder, "--base-url", server.Address, "--served-model", "m", "--out", benchmark.Run, .. more]);

    /// <summary>Runs to the end, which must be a good one with every answer right.</summary>
    private static async Task RunAsync(TideBenchmark benchmark, CountingModelServer server, params string[] more)
    {
        await using CommandProcess command = Start(benchmark, server, more);
        int exit = await command.ExitAsync();
        Assert.True(exit == 0, command.Output);
        using JsonDocument summary = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(benchmark.Run, "summary.json"), None));
        Assert.Equal(1, summary.RootElement.GetProperty("total").GetProperty("accuracy").GetDouble());
        Assert.Equal(WholeLines(benchmark).Length, summary.RootElement.GetProperty("total").GetProperty("cases").GetInt32());
    }

    /// <summary>The lines that count: the last is not one where the kill cut it off.</summary>
    private static string[] WholeLines(TideBenchmark benchmark) => File.ReadAllText(Path.Combine(benchmark.Run, "results.jsonl")).Split('\n')[..^1];

    private static int Number(string line)
    {
        using JsonDocument result = JsonDocument.Parse(line);
        string id = result.RootElement.GetProperty("id").GetString()!;
        return int.Parse(id["simple_".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
