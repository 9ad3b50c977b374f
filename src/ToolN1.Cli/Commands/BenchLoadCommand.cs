using System.CommandLine;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using ToolN1.Cli.Bench;
using ToolN1.Cli.Evaluation;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 bench load</c>: a server's live traffic alone, beside a training job, and alone once more.</summary>
internal sealed class BenchLoadCommand
{
    private const string KeyVariable = "TOOLN1_ADMIN_KEY";

    private readonly Option<Uri?> _server = new("--base-url") { Required = true, CustomParser = HttpAddress.Parse, Description = "The server's address." };
    private readonly Option<string?> _model = new("--served-model") { Description = "The served model's id (default: the first it lists)." };
    private readonly Option<FileInfo> _rows = new("--training-file") { Description = "Rows of a training job to measure beside; without them only the traffic is measured." };
    private readonly Option<string> _method = new("--method") { Description = "The job's method: supervised or reinforcement.", DefaultValueFactory = _ => "supervised" };
    private readonly Option<double?> _share = new("--live-share") { Description = "The job's live_share (default: the server's)." };
    private readonly Option<int> _clients = new("--clients") { Description = "Requests in flight.", DefaultValueFactory = _ => 4 };
    private readonly Option<int> _tokens = new("--tokens") { Description = "Tokens of every answer.", DefaultValueFactory = _ => 128 };
    private readonly Option<int> _seconds = new("--seconds") { Description = "Seconds of each measurement.", DefaultValueFactory = _ => 30 };
    private readonly Option<FileInfo?> _json = new("--json") { Description = "Also writes the report here." };

    private BenchLoadCommand()
    {
    }

    /// <summary>The command.</summary>
    public static Command Create()
    {
        BenchLoadCommand load = new();
        load._rows.AcceptExistingOnly();
        load._method.AcceptOnlyFromAmong("supervised", "reinforcement");
        Command command = new("load", $"Streams requests to a server, alone and beside a training job ({KeyVariable} holds the admin key).")
        {
            load._server, load._model, load._rows, load._method, load._share, load._clients, load._tokens, load._seconds, load._json,
        };
        command.SetAction(load.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult options, CancellationToken cancellationToken)
    {
        Uri address = new(options.GetRequiredValue(_server)!.ToString().TrimEnd('/') + "/");
        using SocketsHttpHandler handler = new();
        using HttpClient http = new(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        string? key = Environment.GetEnvironmentVariable(KeyVariable);
        http.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        try
        {
            string model = options.GetValue(_model) ?? await OpenAiEvaluationModel.FirstModelAsync(handler, address, key, cancellationToken);
            (Dictionary<string, double> results, IReadOnlyList<string> failures) = await MeasureAsync(options, http, model, cancellationToken);
            await ReportAsync(options, model, results, cancellationToken);
            foreach (string failure in failures.Take(3))
            {
                Console.Error.WriteLine(failure);
            }

            return failures.Count == 0 ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or Training.Evaluation.Harness.EvaluationModelException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private async Task<(Dictionary<string, double> Results, IReadOnlyList<string> Failures)> MeasureAsync(
        ParseResult options, HttpClient http, string model, CancellationToken cancellationToken)
    {
        LoadClients clients = new(http, model, Math.Max(1, options.GetRequiredValue(_clients)), Math.Max(2, options.GetRequiredValue(_tokens)));
        TimeSpan duration = TimeSpan.FromSeconds(options.GetRequiredValue(_seconds));
        Dictionary<string, double> results = [];
        await clients.RunAsync(TimeSpan.Zero, cancellationToken);

        // 1. Alone.
        LoadResult alone = await clients.RunAsync(duration, cancellationToken);
        if (options.GetValue(_rows) is not FileInfo rows)
        {
            Add(results, "alone", alone);
            return (results, alone.Failures);
        }

        // 2. Beside a job that trains from the first to the last moment.
        TrainingJobClient job = new(http);
        await job.StartAsync(model, rows, options.GetRequiredValue(_method), options.GetValue(_share), cancellationToken);
        (double turns, double milliseconds) = await job.TurnsAsync(cancellationToken);
        int step = await job.StepAsync(cancellationToken);
        LoadResult beside = await clients.RunAsync(duration, cancellationToken);
        (double turnsAfter, double millisecondsAfter) = await job.TurnsAsync(cancellationToken);
        results["training steps meanwhile"] = await job.StepAsync(cancellationToken) - step;
        await job.CancelAsync(cancellationToken);

        // 3. Alone once more: a machine that others use too drifts.
        alone = LoadResult.Join(alone, await clients.RunAsync(duration, cancellationToken));

        Add(results, "alone", alone);
        Add(results, "beside the job", beside);
        results["turns"] = turnsAfter - turns;
        results["turn ms, mean"] = (millisecondsAfter - milliseconds) / (turnsAfter - turns);
        results["between tokens ms, median, growth"] = BenchRunner.Quantile(beside.GapMilliseconds, 0.5) - BenchRunner.Quantile(alone.GapMilliseconds, 0.5);
        results["time per token ms, median, growth"] = BenchRunner.Quantile(beside.PerTokenMilliseconds, 0.5) - BenchRunner.Quantile(alone.PerTokenMilliseconds, 0.5);
        return (results, [.. alone.Failures, .. beside.Failures]);
    }

    private static void Add(Dictionary<string, double> results, string when, LoadResult load)
    {
        results[$"requests, {when}"] = load.Requests;
        results[$"failed requests, {when}"] = load.Failures.Count;
        results[$"time to first token ms, median, {when}"] = BenchRunner.Quantile(load.FirstMilliseconds, 0.5);

        // Tokens that a client reads together have next to nothing between them, and may be most of them: an answer's own mean has no such gaps.
        results[$"time per token ms, median, {when}"] = BenchRunner.Quantile(load.PerTokenMilliseconds, 0.5);
        foreach (double share in (double[])[0.5, 0.95, 0.99])
        {
            results[$"between tokens ms, {(share == 0.5 ? "median" : $"{100 * share:F0}%")}, {when}"] = BenchRunner.Quantile(load.GapMilliseconds, share);
        }
    }

    private async Task ReportAsync(ParseResult options, string model, Dictionary<string, double> results, CancellationToken cancellationToken)
    {
        double? share = options.GetValue(_share);
        string job = options.GetValue(_rows) is null ? "" : $", a {options.GetRequiredValue(_method)} job";
        BenchReport report = new(
            "load",
            MachineProbe.Processor(),
            RuntimeInformation.FrameworkDescription,
            typeof(BenchLoadCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            model,
            "the server's",
            FormattableString.Invariant($"{options.GetRequiredValue(_clients)} clients, {options.GetRequiredValue(_tokens)} new tokens each, {options.GetRequiredValue(_seconds)} s a measurement{job}{(share is null ? "" : FormattableString.Invariant($", live_share {share}"))}"),
            Math.Round(MachineProbe.ReadGigabytesPerSecond(), 1),
            Math.Round(MachineProbe.Float32Gigaflops(), 1),
            results.Where(result => double.IsFinite(result.Value)).ToDictionary(result => result.Key, result => Math.Round(result.Value, 3)));
        BenchRunner.Print(report);
        if (options.GetValue(_json) is FileInfo file)
        {
            await File.WriteAllTextAsync(file.FullName, JsonSerializer.Serialize(report, BenchReportContext.Default.BenchReport), cancellationToken);
        }
    }
}
