using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 bench …</c>.</summary>
internal static class BenchCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("bench", "Measures throughput and latency.");
}
