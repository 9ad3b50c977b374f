using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 data …</c>.</summary>
internal static class DataCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("data", "Makes and renders training rows.")
    {
        DataPromptsCommand.Create(),
        DataSyntheticCommand.Create(),
        DataPaperCommand.CreateXlam(),
        DataPaperCommand.CreateToolAce(),
    };
}
