using System.CommandLine;
using System.Text.Json;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 data xlam</c> and <c>data toolace</c>: the paper's datasets to training rows.</summary>
internal static class DataPaperCommand
{
    /// <summary>The xLAM command.</summary>
    public static Command CreateXlam() => Create("xlam", "Converts xLAM function-calling files to training rows.", item => [XlamConverter.Convert(item)]);

    /// <summary>The ToolACE command.</summary>
    public static Command CreateToolAce() => Create("toolace", "Converts ToolACE conversations to training rows, one for each turn of calls.", ToolAceConverter.Convert);

    private static Command Create(string name, string description, Func<JsonElement, IEnumerable<PaperRowResult>> convert)
    {
        Option<FileInfo[]> input = new("--in") { Required = true, AllowMultipleArgumentsPerToken = true, Description = "The dataset's files: .json (one array) or .jsonl." };
        input.AcceptExistingOnly();
        Option<DirectoryInfo> output = new("--out") { Required = true, Description = "Folder for train.jsonl, validation.jsonl and dropped.jsonl." };
        Option<double> validation = new("--validation") { DefaultValueFactory = _ => 0.1, Description = "Share of rows held out." };
        Option<double> irrelevance = new("--irrelevance") { Description = "Share of rows that get a twin without the called tools, answered by no call." };
        Option<long> seed = new("--seed") { Description = "Decides split and twins." };
        foreach (Option<double> share in (Option<double>[])[validation, irrelevance])
        {
            share.Validators.Add(result =>
            {
                if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, out double value) && value is not (>= 0 and <= 1))
                {
                    result.AddError($"{share.Name} must be between 0 and 1.");
                }
            });
        }

        Command command = new(name, description) { input, output, validation, irrelevance, seed };
        command.SetAction(async (options, cancellationToken) =>
        {
            PaperDatasetOptions settings = new()
            {
                Validation = options.GetValue(validation),
                Irrelevance = options.GetValue(irrelevance),
                Seed = options.GetValue(seed),
            };
            try
            {
                PaperDatasetReport report = await PaperDataset.ConvertAsync(
                    options.GetValue(input)!.Select(file => file.FullName).ToList(), convert, options.GetValue(output)!.FullName, settings, cancellationToken).ConfigureAwait(false);
                Print(report);
                return 0;
            }
            catch (TrainingDataException exception)
            {
                Console.Error.WriteLine(exception.Message);
                return 1;
            }
        });
        return command;
    }

    private static void Print(PaperDatasetReport report)
    {
        Console.WriteLine($"{report.Items} items, {report.Training} training rows, {report.Validation} validation rows");
        foreach ((string category, long rows) in report.Categories)
        {
            Console.WriteLine($"{rows,10}  {category}");
        }

        Console.WriteLine($"{report.Dropped.Values.Sum()} dropped (dropped.jsonl names them)");
        foreach ((string reason, long count) in report.Dropped)
        {
            Console.WriteLine($"{count,10}  {reason}");
        }
    }
}
