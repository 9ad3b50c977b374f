using System.CommandLine;
using ToolN1.Training.Sft;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train sft</c>.</summary>
internal static class TrainSftCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo> config = new("--config") { Description = "The run as JSON; docs/training.md explains every field.", Required = true };
        Option<bool> resume = new("--resume") { Description = "Goes on from the newest checkpoint in the output folder." };
        Command command = new("sft", "Supervised training on rows with reasoning and calls.") { config, resume };
        command.SetAction((result, cancellationToken) => Task.FromResult(Run(result.GetRequiredValue(config).FullName, result.GetValue(resume), cancellationToken)));
        return command;
    }

    private static int Run(string file, bool resume, CancellationToken cancellationToken)
    {
        try
        {
            SftConfig config = SftConfigReader.Read(file);
            using SftProgress progress = new();
            SftRun run = new(config, file, progress);
            bool finished = run.Execute(resume, cancellationToken);
            progress.Dispose();
            Console.WriteLine(finished ? $"Model: {run.ModelFolder}" : "Stopped and saved; --resume goes on from here.");
            return finished ? 0 : 130;
        }
        catch (Exception error) when (CommandFailure.IsExpected(error))
        {
            return CommandFailure.Tell(error);
        }
    }
}
