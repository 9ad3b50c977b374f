using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 model …</c>.</summary>
internal static class ModelCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("model", "Makes and inspects checkpoints.") { ModelRandomCommand.Create(), ModelInspectCommand.Create(), ModelImportCommand.Create() };
}
