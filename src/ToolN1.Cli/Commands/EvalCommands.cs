using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval</c>: benchmarks and rewards.</summary>
internal static class EvalCommands
{
    /// <summary>The command group.</summary>
    public static Command Create() => new("eval", "Runs and scores benchmarks.")
    {
        EvalScoreCommand.Create(),
        EvalSyntheticCommand.Create(),
    };
}
