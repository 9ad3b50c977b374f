using System.CommandLine;
using System.Globalization;
using ToolN1.Cli.Bench;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 bench masks</c>.</summary>
internal static class BenchMasksCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> data = new("--data") { Description = "BFCL's folder, with questions/.", Required = true };
        Option<FileInfo> tokenizer = new("--tokenizer") { Description = "A Hugging Face tokenizer.json.", Required = true };
        Option<int> steps = new("--steps") { Description = "Sampled tokens of each tool list.", DefaultValueFactory = _ => 100 };
        Option<int> repeat = new("--repeat") { Description = "Repetitions after one warm-up; medians are reported.", DefaultValueFactory = _ => 5 };
        Option<string?> only = new("--only") { Description = "Only lists whose first tool's name contains this." };
        Command command = new("masks", "Times constraints: compiling tool schemas, and the token mask of each step.") { data, tokenizer, steps, repeat, only };
        command.SetAction(result =>
        {
            FileInfo file = result.GetRequiredValue(tokenizer);
            Tokenizer vocabulary = Tokenizer.Parse(File.ReadAllBytes(file.FullName), file.Name);
            int end = vocabulary.FindAddedToken("<|im_end|>") ?? throw new InvalidOperationException("The tokenizer has no <|im_end|>.");
            List<ConstrainedTool[]> lists = MaskSchemas.Load(result.GetRequiredValue(data).FullName);
            if (result.GetValue(only) is { } part)
            {
                lists.RemoveAll(list => !list[0].Name.Contains(part, StringComparison.Ordinal));
            }

            MaskBench bench = new(vocabulary, end);
            bench.Measure(lists, Math.Min(20, result.GetRequiredValue(steps)), 0);
            List<Dictionary<string, double>> runs = [.. Enumerable.Range(1, Math.Max(1, result.GetRequiredValue(repeat)))
                .Select(run => bench.Measure(lists, result.GetRequiredValue(steps), run))];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{MachineProbe.Processor()}, .NET {Environment.Version}, {vocabulary.VocabularySize} tokens, median of {runs.Count} runs"));
            foreach (string name in runs[0].Keys)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-40} {BenchRunner.Quantile([.. runs.Select(run => run[name])], 0.5),12:0.###}"));
            }
        });
        return command;
    }
}
