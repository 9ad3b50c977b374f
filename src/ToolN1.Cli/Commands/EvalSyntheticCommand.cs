using System.CommandLine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Evaluation;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval synthetic</c>.</summary>
internal static class EvalSyntheticCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> data = new("--data") { Description = "Folder of rows files (.jsonl), as data synthetic writes in heldout/.", Required = true };
        Option<DirectoryInfo> model = new("--model") { Description = "A Hugging Face folder.", Required = true };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder for results.jsonl and table.md.", Required = true };
        Option<int> limit = new("--limit") { Description = "Most rows of a file.", DefaultValueFactory = _ => int.MaxValue };
        Option<string> dtype = new("--dtype") { Description = "float32, bfloat16 or auto.", DefaultValueFactory = _ => "auto" };
        Command command = new("synthetic", "Answers held-out rows greedily with the serving engine; exact match by category.") { data, model, output, limit, dtype };
        command.SetAction((result, cancel) => RunAsync(
            result.GetRequiredValue(data), result.GetRequiredValue(model).FullName, result.GetRequiredValue(output).FullName, result.GetRequiredValue(limit), result.GetRequiredValue(dtype), cancel));
        return command;
    }

    private static async Task<int> RunAsync(DirectoryInfo data, string model, string output, int limit, string dtype, CancellationToken cancellationToken)
    {
        FileInfo[] files = [.. data.GetFiles("*.jsonl").OrderBy(file => file.Name, StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            throw new FileNotFoundException($"There is no .jsonl file in {data.FullName}.");
        }

        Device device = DeviceSelector.Select("auto");
        Tokenizer tokenizer = Tokenizer.Load(model);
        IChatFormat format = ChatFormats.Create("auto", model, tokenizer);
        Decoder decoder = CheckpointLoader.Load(model, device, DTypeSelector.Select(dtype, "bfloat16", device));
        EngineOptions options = new() { MaxSequences = 32, MaxModelLength = 2048 };
        await using InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(model)), options);
        RowEvaluator evaluator = new(engine, tokenizer, format);
        Directory.CreateDirectory(output);
        List<EvaluationCase> all = [];
        using (StreamWriter results = new(Path.Combine(output, "results.jsonl")) { NewLine = "\n" })
        {
            foreach (FileInfo file in files)
            {
                string name = Path.GetFileNameWithoutExtension(file.Name);
                IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync(name, [.. TrainingRowReader.Read(file.FullName).Take(limit)], cancellationToken).ConfigureAwait(false);
                foreach (EvaluationCase item in cases)
                {
                    await results.WriteLineAsync(RowEvaluator.ToJson(item)).ConfigureAwait(false);
                }

                all.AddRange(cases);
                Console.WriteLine($"{name}: {new WilsonInterval(cases.Count(item => item.Correct), cases.Count)}");
            }
        }

        string table = EvaluationTable.Markdown(all);
        await File.WriteAllTextAsync(Path.Combine(output, "table.md"), table, cancellationToken).ConfigureAwait(false);
        Console.WriteLine();
        Console.Write(table);
        return 0;
    }
}
