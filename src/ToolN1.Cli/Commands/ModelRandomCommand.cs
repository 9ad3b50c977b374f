using System.CommandLine;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 model random</c>.</summary>
internal static class ModelRandomCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<string> preset = new("--preset") { Description = "Shape.", Required = true };
        preset.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        Option<DirectoryInfo> output = new("--out") { Description = "Folder to write.", Required = true };
        Option<FileInfo?> tokenizer = new("--tokenizer") { Description = "A tokenizer.json to put beside the weights; its tokenizer_config.json comes along." };
        Option<long> seed = new("--seed") { Description = "Equal seeds give equal files.", DefaultValueFactory = _ => 0 };
        Command command = new("random", "Writes a random checkpoint of a known shape, in bf16.") { preset, output, tokenizer, seed };
        command.SetAction(result => Run(
            ModelPresets.Get(result.GetRequiredValue(preset)),
            result.GetRequiredValue(output).FullName,
            result.GetValue(tokenizer),
            result.GetRequiredValue(seed)));
        return command;
    }

    private static int Run(ModelConfig config, string folder, FileInfo? tokenizerFile, long seed)
    {
        try
        {
            if (tokenizerFile is not null)
            {
                int tokens = Tokenizer.Parse(File.ReadAllBytes(tokenizerFile.FullName), tokenizerFile.FullName).VocabularySize;
                if (tokens > config.VocabularySize)
                {
                    Console.Error.WriteLine($"--tokenizer: {tokenizerFile.FullName} has {tokens:N0} tokens, more than the {config.VocabularySize:N0} embeddings of the shape.");
                    return 1;
                }
            }

            RandomCheckpoint.Write(config, folder, seed);
            if (tokenizerFile is not null)
            {
                File.Copy(tokenizerFile.FullName, Path.Combine(folder, "tokenizer.json"), overwrite: true);
                string settings = Path.Combine(tokenizerFile.DirectoryName!, "tokenizer_config.json");
                if (File.Exists(settings))
                {
                    File.Copy(settings, Path.Combine(folder, "tokenizer_config.json"), overwrite: true);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or TokenizerFormatException)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }

        Console.WriteLine($"{ModelTensors.CountParameters(config):N0} parameters in {folder}");
        return 0;
    }
}
