using System.CommandLine;
using ToolN1.Training.Evaluation;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train plot</c>.</summary>
internal static class TrainPlotCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo[]> metrics = new("--metrics") { Description = "metrics.jsonl of each run, in order.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<FileInfo> output = new("--out") { Description = "The .svg file.", Required = true };
        Command command = new("plot", "Draws supervised runs (answer loss and accuracy over tokens) or GRPO runs (reward, held-out match, KL and entropy over steps, one line a run).") { metrics, output };
        command.SetAction(result =>
        {
            string[] files = [.. result.GetRequiredValue(metrics).Select(file => file.FullName)];
            File.WriteAllText(result.GetRequiredValue(output).FullName, RewardCurve.IsMetrics(files[0]) ? RewardCurve.Svg(files) : LossCurve.Svg(files));
        });
        return command;
    }
}
