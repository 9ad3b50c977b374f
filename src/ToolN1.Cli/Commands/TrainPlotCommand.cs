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
        Command command = new("plot", "Draws answer loss and accuracy over tokens.") { metrics, output };
        command.SetAction(result => File.WriteAllText(result.GetRequiredValue(output).FullName, LossCurve.Svg(result.GetRequiredValue(metrics).Select(file => file.FullName))));
        return command;
    }
}
