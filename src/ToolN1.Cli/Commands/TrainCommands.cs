using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train …</c>.</summary>
internal static class TrainCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("train", "Trains models without the server, with the same code as the jobs.")
    {
        TrainSftCommand.Create(), TrainGrpoCommand.Create(), TrainPlanCommand.Create(), TrainPlotCommand.Create(),
    };
}
