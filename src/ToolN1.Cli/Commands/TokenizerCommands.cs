using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 tokenizer …</c>.</summary>
internal static class TokenizerCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("tokenizer", "Trains tokenizers.") { TokenizerTrainCommand.Create() };
}
