using System.CommandLine;
using System.Globalization;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 data xlam</c> and <c>data toolace</c>: the paper's datasets to training rows.</summary>
internal sealed class DataPaperCommand
{
    private readonly Func<bool, IPaperConverter> _converter;
    private readonly Option<FileInfo[]> _input = new("--in") { Required = true, AllowMultipleArgumentsPerToken = true, Description = "The dataset's files: .json (one array), .jsonl or .parquet." };
    private readonly Option<DirectoryInfo> _output = new("--out") { Required = true, Description = "Folder for train.jsonl, validation.jsonl, dropped.jsonl, contaminated.jsonl and report.json." };
    private readonly Option<bool> _parity = new("--parity") { Description = "The published script's behaviour to the quirk (docs/paper-data.md)." };
    private readonly Option<double> _validation = new("--validation") { DefaultValueFactory = _ => 0.1, Description = "Share held out." };
    private readonly Option<double> _irrelevance = new("--irrelevance") { Description = "Share of rows that get a twin without the called tools, answered by no call (0.15 in the published script)." };
    private readonly Option<double> _masking = new("--mask") { Description = "Share of rows with masked function and parameter names (0.67 in the published script)." };
    private readonly Option<double?> _duplicates = new("--near-duplicates") { Description = "Leave out rows whose similarity to an earlier one is at least this (0.8 is sensible)." };
    private readonly Option<string[]> _questions = new("--decontaminate") { AllowMultipleArgumentsPerToken = true, Description = "Leave out rows that share text with a benchmark's questions: bfcl=DIR, api-bank=DIR, acebench=DIR." };
    private readonly Option<int> _run = new("--shared-words") { DefaultValueFactory = _ => 8, Description = "Words in a row that count as shared text." };
    private readonly Option<long> _seed = new("--seed") { Description = "Decides split, twins and masks." };

    private DataPaperCommand(Func<bool, IPaperConverter> converter) => _converter = converter;

    /// <summary>The xLAM command.</summary>
    public static Command CreateXlam() =>
        new DataPaperCommand(parity => new XlamConverter(parity)).Create("xlam", "Converts xLAM function-calling files to training rows.");

    /// <summary>The ToolACE command.</summary>
    public static Command CreateToolAce() =>
        new DataPaperCommand(parity => new ToolAceConverter(parity)).Create("toolace", "Converts ToolACE conversations to training rows, one for each turn of calls.");

    private Command Create(string name, string description)
    {
        _input.AcceptExistingOnly();
        foreach (Option<double> share in (Option<double>[])[_validation, _irrelevance, _masking])
        {
            share.Validators.Add(result => Refuse(result, value => value is >= 0 and <= 1, "must be between 0 and 1"));
        }

        _duplicates.Validators.Add(result => Refuse(result, value => value is > 0 and <= 1, "must be above 0 and at most 1"));
        _run.Validators.Add(result => Refuse(result, value => value >= 2, "must be at least 2"));
        Command command = new(name, description) { _input, _output, _parity, _validation, _irrelevance, _masking, _duplicates, _questions, _run, _seed };
        command.SetAction(RunAsync);
        return command;
    }

    private static void Refuse(System.CommandLine.Parsing.OptionResult result, Func<double, bool> allowed, string rule)
    {
        if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double value) && !allowed(value))
        {
            result.AddError($"{result.Option.Name} {rule}.");
        }
    }

    private async Task<int> RunAsync(ParseResult options, CancellationToken cancellationToken)
    {
        try
        {
            bool parity = options.GetValue(_parity);
            PaperDatasetOptions settings = new()
            {
                Validation = options.GetValue(_validation),
                Irrelevance = options.GetValue(_irrelevance),
                Masking = options.GetValue(_masking),
                NearDuplicates = options.GetValue(_duplicates),
                Questions = Questions(options.GetValue(_questions) ?? [], options.GetValue(_run)),
                Seed = options.GetValue(_seed),
                PublishedCounts = parity,
            };
            string folder = options.GetValue(_output)!.FullName;
            PaperDatasetReport report = await PaperDataset.ConvertAsync(
                options.GetValue(_input)!.Select(file => file.FullName).ToList(), _converter(parity), folder, settings, cancellationToken).ConfigureAwait(false);
            await File.WriteAllTextAsync(Path.Combine(folder, "report.json"), report.ToJson(), cancellationToken).ConfigureAwait(false);
            Print(report);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.Error.WriteLine("Stopped; nothing was written.");
            return 130;
        }
        catch (Exception e) when (e is TrainingDataException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static BenchmarkQuestions? Questions(string[] sources, int run)
    {
        if (sources.Length == 0)
        {
            return null;
        }

        BenchmarkQuestions questions = new(run);
        foreach (string source in sources)
        {
            string[] parts = source.Split('=', 2);
            if (parts.Length != 2 || !BenchmarkSuite.Names.Contains(parts[0]))
            {
                throw new InvalidDataException($"--decontaminate '{source}' is not BENCHMARK=DIR with one of {string.Join(", ", BenchmarkSuite.Names)}.");
            }

            questions.Add(parts[0], parts[1]);
        }

        Console.WriteLine($"{questions.Count} benchmark questions to keep clear of");
        return questions;
    }

    private static void Print(PaperDatasetReport report)
    {
        Console.WriteLine($"\n{report.Table()}");
        Console.WriteLine($"{report.Training} training rows, {report.Validation} validation rows, {report.Masked} of them masked");
        Counts("rows", report.Rows);
        Counts("left out (dropped.jsonl names each)", report.Dropped);
        if (report.Contaminated.Count > 0)
        {
            Counts("of these, sharing text with questions of (contaminated.jsonl)", report.Contaminated);
        }

        if (report.PublishedReadsOtherwise > 0)
        {
            Console.WriteLine($"{report.PublishedReadsOtherwise} rows whose calls the published script reads as others than they are");
        }
    }

    private static void Counts(string title, IReadOnlyDictionary<string, long> counts)
    {
        Console.WriteLine($"{counts.Values.Sum()} {title}");
        foreach ((string name, long count) in counts)
        {
            Console.WriteLine($"{count,10}  {name}");
        }
    }
}
