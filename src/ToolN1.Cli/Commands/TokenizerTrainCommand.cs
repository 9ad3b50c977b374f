using System.CommandLine;
using ToolN1.Training.Data.Tokenizers;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 tokenizer train</c>.</summary>
internal static class TokenizerTrainCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo[]> corpus = new("--corpus") { Description = "Rows (.jsonl) or plain text files.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<int> vocabulary = new("--vocab") { Description = "Tokens in all.", DefaultValueFactory = _ => 2048 };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder for tokenizer.json and tokenizer_config.json.", Required = true };
        Command command = new("train", "Trains a byte-level BPE for tool calls, as Hugging Face's tokenizer.json.") { corpus, vocabulary, output };
        command.SetAction(result => TokenizerCorpus.Train(result.GetRequiredValue(corpus).Select(file => file.FullName), result.GetRequiredValue(vocabulary)).Write(result.GetRequiredValue(output).FullName));
        return command;
    }
}
