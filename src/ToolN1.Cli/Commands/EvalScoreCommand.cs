using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using ToolN1.Training.Evaluation;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval score</c>: verdicts on given outputs, without a model.</summary>
internal static class EvalScoreCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<string> benchmark = new("--benchmark") { Required = true, Description = "Which benchmark's checker." };
        benchmark.AcceptOnlyFromAmong([.. OutputScorer.Benchmarks]);
        Option<DirectoryInfo> data = new("--data") { Description = "The benchmark's folder (not needed for reward)." };
        data.AcceptExistingOnly();
        Option<FileInfo> outputs = new("--outputs") { Required = true, Description = "JSON lines (.gz too): the fields of the benchmark's verdict files." };
        outputs.AcceptExistingOnly();
        Option<FileInfo> verdicts = new("--verdicts") { Required = true, Description = "JSON lines to write: the verdict and error type of each input line." };
        Option<bool> fixedRules = new("--fixed") { Description = "Put the official checkers' quirks right (docs/evaluation.md)." };
        Command command = new("score", "Scores given outputs without a model.") { benchmark, data, outputs, verdicts, fixedRules };
        command.SetAction(result =>
        {
            string name = result.GetValue(benchmark)!;
            DirectoryInfo? folder = result.GetValue(data);
            if (folder is null && name != "reward")
            {
                Console.Error.WriteLine($"--data is required for --benchmark {name}.");
                return 1;
            }

            try
            {
                OutputScorer scorer = OutputScorer.Create(name, folder?.FullName ?? "", result.GetValue(fixedRules));
                Score(scorer, result.GetValue(outputs)!.FullName, result.GetValue(verdicts)!.FullName);
                return 0;
            }
            catch (InvalidDataException exception)
            {
                Console.Error.WriteLine(exception.Message);
                return 1;
            }
        });
        return command;
    }

    private static void Score(OutputScorer scorer, string outputs, string verdicts)
    {
        SortedDictionary<string, int> errors = new(StringComparer.Ordinal);
        int count = 0, valid = 0;
        Stopwatch time = Stopwatch.StartNew();
        using (StreamReader reader = Open(outputs))
        using (StreamWriter writer = new(verdicts))
        {
            writer.NewLine = "\n";
            for (int number = 1; reader.ReadLine() is string line; number++)
            {
                EvaluationVerdict verdict;
                try
                {
                    verdict = scorer.Score(line);
                }
                catch (InvalidDataException exception)
                {
                    throw new InvalidDataException($"{outputs}, line {number}: {exception.Message}", exception);
                }

                count++;
                valid += verdict.Valid ? 1 : 0;
                if (verdict.ErrorType is string error)
                {
                    errors[error] = errors.GetValueOrDefault(error) + 1;
                }

                writer.WriteLine(scorer.Write(verdict));
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{valid} of {count} correct ({100.0 * valid / Math.Max(1, count):F2} %), {count / time.Elapsed.TotalSeconds:F0} a second"));
        foreach ((string error, int times) in errors.OrderByDescending(entry => entry.Value))
        {
            Console.WriteLine($"{times,8}  {error}");
        }
    }

    private static StreamReader Open(string file)
    {
        Stream stream = File.OpenRead(file);
        return new StreamReader(file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
    }
}
