using System.CommandLine;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval</c>: benchmarks and rewards.</summary>
internal static class EvalCommands
{
    /// <summary>The command group.</summary>
    public static Command Create()
    {
        Command group = new("eval", "Runs and scores benchmarks.")
        {
            EvalScoreCommand.Create(),
            EvalSyntheticCommand.Create(),
            EvalCompareCommand.Create(),
        };
        foreach (string benchmark in BenchmarkSuite.Names)
        {
            group.Add(EvalRunCommand.Create(benchmark));
        }

        return group;
    }
}
