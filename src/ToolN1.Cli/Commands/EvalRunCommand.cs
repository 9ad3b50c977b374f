using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using ToolN1.Cli.Evaluation;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval bfcl|api-bank|acebench</c>: runs a model on a benchmark.</summary>
internal sealed class EvalRunCommand
{
    private readonly string _benchmark;
    private readonly Option<DirectoryInfo> _data = new("--data") { Required = true, Description = "The benchmark's folder." };
    private readonly Option<DirectoryInfo> _model = new("--model") { Description = "A checkpoint's folder, run in this process." };
    private readonly Option<Uri?> _baseUrl = new("--base-url") { CustomParser = HttpAddress.Parse, Description = "An OpenAI-compatible server instead." };
    private readonly Option<string> _servedModel = new("--served-model") { Description = "The server's model id (default: the first it lists)." };
    private readonly Option<string> _apiKeyVariable = new("--api-key-variable") { DefaultValueFactory = _ => "OPENAI_API_KEY", Description = "Environment variable that holds the server's key." };
    private readonly Option<string[]> _categories = new("--categories") { AllowMultipleArgumentsPerToken = true, Description = "Only these categories." };
    private readonly Option<DirectoryInfo> _out = new("--out") { Required = true, Description = "The run's folder; a run that was cut off goes on there." };
    private readonly Option<string> _mode = new("--mode") { DefaultValueFactory = _ => "parity", Description = "parity: the paper's exact prompt; native: the tools parameter." };
    private readonly Option<bool> _chat = new("--chat") { Description = "Parity over chat/completions, for servers without completions." };
    private readonly Option<int> _maxTokens = new("--max-tokens") { DefaultValueFactory = _ => 2048, Description = "Most tokens of an answer." };
    private readonly Option<int> _concurrency = new("--concurrency") { DefaultValueFactory = _ => 16, Description = "Sequences at once." };
    private readonly Option<int> _timeout = new("--timeout") { DefaultValueFactory = _ => 600, Description = "Seconds until a request to a server is given up and sent again." };
    private readonly Option<int?> _limit = new("--limit") { Description = "Only the first N cases of each category." };
    private readonly Option<string> _device = new("--device") { DefaultValueFactory = _ => "auto", Description = "auto, cpu, cuda or cuda:N." };
    private readonly Option<string> _dtype = new("--dtype") { DefaultValueFactory = _ => "auto", Description = "auto, float32 or bfloat16." };
    private readonly Option<string> _chatFormat = new("--chat-format") { DefaultValueFactory = _ => "auto", Description = "auto, tool-n1 or hermes." };
    private readonly Option<bool> _fixed = new("--fixed") { Description = "Put the official checker's quirks right (docs/evaluation.md)." };
    private readonly Option<FileInfo> _reference = new("--reference") { Description = "More rows to print beside the run and the paper's (JSON)." };

    private EvalRunCommand(string benchmark) => _benchmark = benchmark;

    /// <summary>The command of one benchmark.</summary>
    public static Command Create(string benchmark)
    {
        EvalRunCommand run = new(benchmark);
        run._data.AcceptExistingOnly();
        run._model.AcceptExistingOnly();
        run._reference.AcceptExistingOnly();
        run._mode.AcceptOnlyFromAmong("parity", "native");
        AtLeastOne(run._maxTokens);
        AtLeastOne(run._concurrency);
        AtLeastOne(run._limit);
        AtLeastOne(run._timeout);
        Command command = new(benchmark, $"Runs a model on {benchmark} and scores it.")
        {
            run._data, run._model, run._baseUrl, run._servedModel, run._apiKeyVariable, run._categories, run._out, run._mode, run._chat, run._maxTokens,
            run._concurrency, run._timeout, run._limit, run._device, run._dtype, run._chatFormat, run._fixed, run._reference,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(run._model) is null == result.GetValue(run._baseUrl) is null)
            {
                result.AddError("Give either --model or --base-url.");
            }
        });
        command.SetAction(run.RunAsync);
        return command;
    }

    private static void AtLeastOne<T>(Option<T> option) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int value) && value < 1)
        {
            result.AddError($"{option.Name} must be at least 1.");
        }
    });

    private async Task<int> RunAsync(ParseResult options, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<BenchmarkCase> cases = BenchmarkSuite.Load(
                _benchmark, options.GetValue(_data)!.FullName, options.GetValue(_categories) ?? [], options.GetValue(_fixed));
            if (options.GetValue(_limit) is int limit)
            {
                cases = cases.GroupBy(question => question.Category).SelectMany(group => group.Take(limit)).ToList();
            }

            IReadOnlyList<ReferenceRow> references = options.GetValue(_reference) is FileInfo file ? ReferenceRow.Load(file.FullName) : [];
            return await (options.GetValue(_model) is DirectoryInfo folder
                ? RunLocalAsync(options, folder.FullName, cases, references, cancellationToken)
                : RunRemoteAsync(options, options.GetValue(_baseUrl)!, cases, references, cancellationToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.Error.WriteLine("Stopped. The same command goes on where this run ended.");
            return 130;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or EvaluationModelException or NotSupportedException or ArgumentException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private async Task<int> RunLocalAsync(
        ParseResult options, string folder, IReadOnlyList<BenchmarkCase> cases, IReadOnlyList<ReferenceRow> references, CancellationToken cancellationToken)
    {
        int batch = options.GetValue(_concurrency);
        string name = Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar));
        NativeEnvironment.Prepare();
        LocalModel local = LocalModel.Load(folder, options.GetValue(_device)!, options.GetValue(_dtype)!, options.GetValue(_chatFormat)!, options.GetValue(_maxTokens), batch);
        await using (local.ConfigureAwait(false))
        {
            using EvaluationStore store = EvaluationStore.Open(options.GetValue(_out)!.FullName, Settings(options, folder, local.Identity));

            // Twice the batch in flight: a place that falls free is filled in the next step.
            IReadOnlyList<string> failures = await AskAsync(options, local.Model, store, cases, 2 * batch, cancellationToken).ConfigureAwait(false);
            return Report(store, name, cases, references, failures, local.Steps);
        }
    }

    private async Task<int> RunRemoteAsync(
        ParseResult options, Uri baseUrl, IReadOnlyList<BenchmarkCase> cases, IReadOnlyList<ReferenceRow> references, CancellationToken cancellationToken)
    {
        const int Retries = 6;
        string? key = Environment.GetEnvironmentVariable(options.GetValue(_apiKeyVariable)!);
        string format = options.GetValue(_chatFormat) == "tool-n1" ? "tool-n1" : "hermes";
        using SocketsHttpHandler handler = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        string name = options.GetValue(_servedModel) ?? await OpenAiEvaluationModel.FirstModelAsync(handler, baseUrl, key, cancellationToken).ConfigureAwait(false);
        using EvaluationStore store = EvaluationStore.Open(options.GetValue(_out)!.FullName, Settings(options, $"{baseUrl} {name}", new Dictionary<string, string> { ["chat_format"] = format }));
        using OpenAiEvaluationModel model = new(
            handler, baseUrl, key, name, options.GetValue(_maxTokens), options.GetValue(_chat), Retries, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(options.GetValue(_timeout)))
        { ChatFormat = format };
        IReadOnlyList<string> failures = await AskAsync(options, model, store, cases, options.GetValue(_concurrency), cancellationToken).ConfigureAwait(false);
        return Report(store, name, cases, references, failures, null);
    }

    private async Task<IReadOnlyList<string>> AskAsync(
        ParseResult options, IEvaluationModel model, EvaluationStore store, IReadOnlyList<BenchmarkCase> cases, int concurrency, CancellationToken cancellationToken)
    {
        EvaluationMode mode = options.GetValue(_mode) == "native" ? EvaluationMode.Native : EvaluationMode.Parity;
        EvaluationRunner runner = new(model, mode, store, concurrency, TimeProvider.System);
        return await AnsiConsole.Progress().AutoClear(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => runner.RunAsync(cases, new Bar(context.AddTask(_benchmark, maxValue: cases.Count)), cancellationToken)).ConfigureAwait(false);
    }

    private int Report(
        EvaluationStore store, string name, IReadOnlyList<BenchmarkCase> cases, IReadOnlyList<ReferenceRow> references, IReadOnlyList<string> failures, EngineSteps? steps)
    {
        EvaluationSummary summary = EvaluationReport.Write(store, _benchmark, name, cases, references, steps);
        Console.WriteLine(File.ReadAllText(Path.Combine(store.Folder, "summary.md")));
        Console.WriteLine($"{summary.Total.Correct} of {summary.Total.Cases} right. Written to {store.Folder}: {string.Join(", ", EvaluationReport.Files)}");
        if (failures.Count == 0)
        {
            return 0;
        }

        Console.Error.WriteLine($"{failures.Count} questions got no answer and are not in the figures; the same command asks them again. First: {failures[0]}");
        return 1;
    }

    /// <summary>What the answers and verdicts depend on, as far as it can be known here: a server's weights cannot.</summary>
    private string Settings(ParseResult options, string model, IReadOnlyDictionary<string, string> identity) => JsonSerializer.Serialize(
        new Dictionary<string, string>(identity)
        {
            ["benchmark"] = _benchmark,
            ["data"] = BenchmarkSuite.DataVersion(_benchmark, options.GetValue(_data)!.FullName),
            ["model"] = model,
            ["mode"] = options.GetValue(_mode)!,
            ["chat"] = options.GetValue(_chat).ToString(),
            ["max_tokens"] = options.GetValue(_maxTokens).ToString(CultureInfo.InvariantCulture),
            ["fixed"] = options.GetValue(_fixed).ToString(),
        });

    /// <summary>The progress bar with the accuracy so far.</summary>
    private sealed class Bar(ProgressTask task) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            task.Value = value.Answered + value.Failed;
            double accuracy = value.Answered == 0 ? 0 : 100.0 * value.Correct / value.Answered;
            task.Description = string.Create(CultureInfo.InvariantCulture, $"{value.Answered}/{value.Total}, {accuracy:F1} % right{(value.Failed > 0 ? $", {value.Failed} unanswered" : "")}");
        }
    }
}
