using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Rewards;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 model import</c>.</summary>
internal static class ModelImportCommand
{
    private const string RecordFile = "tooln1-import.json";

    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> from = new("--from") { Description = "A Hugging Face folder, as verl's model merger writes it.", Required = true };
        Option<DirectoryInfo> @base = new("--base") { Description = "The model that it came from: same shape, and what it must not be worse than.", Required = true };
        Option<FileInfo[]> heldOut = new("--held-out") { Description = "Rows files that both models answer.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder to make.", Required = true };
        Option<int> limit = CountOption.Create("--limit", "Most rows of a file.", int.MaxValue);
        Option<string> format = new("--chat-format") { Description = "auto, tool-n1 or hermes.", DefaultValueFactory = _ => "auto" };
        format.AcceptOnlyFromAmong([.. ChatFormats.Names]);
        Option<bool> mustRise = new("--must-rise") { Description = "Asks for a rise beyond chance (p < 0.05), not only for no fall." };
        Option<bool> force = new("--force") { Description = "Imports a model that the gate refuses; noted in the record." };
        Command command = new("import", "Takes a model trained elsewhere, through the gate: held-out exact match must not fall.") { from, @base, heldOut, output, limit, format, mustRise, force };
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                return await RunAsync(
                    result.GetRequiredValue(from).FullName, result.GetRequiredValue(@base).FullName, [.. result.GetRequiredValue(heldOut).Select(file => file.FullName).Distinct(StringComparer.Ordinal)],
                    Path.TrimEndingDirectorySeparator(result.GetRequiredValue(output).FullName), result.GetValue(limit), result.GetValue(format)!, result.GetValue(mustRise), result.GetValue(force), cancellationToken);
            }
            catch (Exception error) when (CommandFailure.IsExpected(error))
            {
                return CommandFailure.Tell(error);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(
        string from, string @base, string[] heldOut, string output, int limit, string formatName, bool mustRise, bool force, CancellationToken cancellationToken)
    {
        // 1. Is it the base's shape, with every tensor in place, and can it be compared?
        if (Directory.Exists(output))
        {
            Console.Error.WriteLine($"{output} exists already.");
            return 1;
        }

        using (Checkpoint candidate = Checkpoint.Open(from))
        using (Checkpoint original = Checkpoint.Open(@base))
        {
            if (!candidate.Tensors.Select(item => (item.Name, string.Join(',', item.Entry.Shape))).SequenceEqual(original.Tensors.Select(item => (item.Name, string.Join(',', item.Entry.Shape)))))
            {
                Console.Error.WriteLine($"{from} is not of the shape of {@base}.");
                return 1;
            }
        }

        int inWords = 0;
        List<(string Name, TrainingRow[] Rows)> sets = [.. heldOut.Select(file => (Path.GetFileNameWithoutExtension(file), CallRows.Take(file, limit, ref inWords)))];
        if (sets.FindIndex(set => set.Rows.Length == 0) is int empty and >= 0)
        {
            throw new TrainingDataException(heldOut[empty], 0, "there is no row whose answer is calls");
        }

        Dictionary<string, string> checksums = heldOut.ToDictionary(file => file, Checksum, StringComparer.Ordinal);
        Tokenizer tokenizer = Tokenizer.Load(@base);
        IChatFormat format = ChatFormats.Create(formatName, @base, tokenizer);
        if (inWords > 0)
        {
            Console.WriteLine($"{inWords:N0} held-out rows are left out: their answers are in words, which nothing here can judge.");
        }

        // 2. The folder as it will be, under a temporary name: whatever keeps it from being made shows before the long part.
        string temporary = DurableStorage.BeginFolder(output);
        try
        {
            CopyFiles(from, @base, temporary);
            ModelConfig config = ModelConfig.Load(from);
            config.Save(temporary, config.DeclaredDType ?? "bfloat16", format.Name);

            // 3. The gate, with the base's tokenizer and prompts for both.
            List<EvaluationCase> before = await EvaluateAsync(@base, tokenizer, format, sets, cancellationToken);
            List<EvaluationCase> after = await EvaluateAsync(temporary, tokenizer, format, sets, cancellationToken);
            PromotionGate gate = PromotionGate.Decide(before, after, mustRise);
            Console.WriteLine(gate.Reason);
            if (!gate.Passes && !force)
            {
                Console.Error.WriteLine("Not imported; --force imports it all the same.");
                return 2;
            }

            // 4. Its record, and its name.
            ImportRecord record = new(DateTimeOffset.UtcNow, gate, Forced: !gate.Passes, checksums);
            await File.WriteAllBytesAsync(Path.Combine(temporary, RecordFile), JsonSerializer.SerializeToUtf8Bytes(record, ImportJson.Default.ImportRecord), cancellationToken);
            DurableStorage.ReplaceFolder(temporary, output);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }

        Console.WriteLine($"Model: {output}");
        return 0;
    }

    private static void CopyFiles(string from, string @base, string folder)
    {
        foreach (string file in Directory.GetFiles(from).Where(file => Path.GetExtension(file) is ".safetensors" or ".json"))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        // What other programs write back differently: the tokenizer as ours reads it.
        foreach (string name in TokenizerFiles.Where(name => File.Exists(Path.Combine(@base, name))))
        {
            File.Copy(Path.Combine(@base, name), Path.Combine(folder, name), overwrite: true);
        }
    }

    private static async Task<List<EvaluationCase>> EvaluateAsync(string model, Tokenizer tokenizer, IChatFormat format, List<(string Name, TrainingRow[] Rows)> sets, CancellationToken cancellationToken)
    {
        Device device = DeviceSelector.Select("auto");
        Decoder decoder = CheckpointLoader.Load(model, device, DTypeSelector.Select("auto", ModelConfig.Load(model).DeclaredDType, device));
        await using InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(model)), new EngineOptions { MaxSequences = 32 });
        RowEvaluator evaluator = new(engine, tokenizer, format);
        List<EvaluationCase> cases = [];
        foreach ((string name, TrainingRow[] rows) in sets)
        {
            cases.AddRange(await evaluator.EvaluateAsync(name, rows, cancellationToken));
        }

        return cases;
    }

    private static string Checksum(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

/// <summary>What an import was decided by.</summary>
/// <param name="ImportedAt">When.</param>
/// <param name="Gate">Scores and verdict.</param>
/// <param name="Forced">Whether it was imported against the verdict.</param>
/// <param name="HeldOut">Checksums of the rows files, by their paths.</param>
internal sealed record ImportRecord(DateTimeOffset ImportedAt, PromotionGate Gate, bool Forced, IReadOnlyDictionary<string, string> HeldOut);

/// <summary>JSON of the record.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ImportRecord))]
internal sealed partial class ImportJson : JsonSerializerContext;
