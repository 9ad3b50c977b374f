using System.CommandLine;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train sft</c>.</summary>
internal static class TrainSftCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo> config = new("--config") { Description = "The run as JSON; docs/training.md explains every field.", Required = true };
        Option<bool> resume = new("--resume") { Description = "Goes on from the newest checkpoint in the output folder." };
        Option<bool> ignorePlan = new("--ignore-plan") { Description = "Starts a run that is planned to need more memory than there is." };
        Command command = new("sft", "Supervised training on rows with reasoning and calls.") { config, resume, ignorePlan };
        command.SetAction((result, cancellationToken) => Task.FromResult(Run(result.GetRequiredValue(config).FullName, result.GetValue(resume), result.GetValue(ignorePlan), cancellationToken)));
        return command;
    }

    private static int Run(string file, bool resume, bool ignorePlan, CancellationToken cancellationToken)
    {
        try
        {
            // 1. Whether there is the memory for it.
            SftConfig config = SftConfigReader.Read(file);
            Device device = DeviceSelector.Select(config.Device, $"{file}: field 'device'");
            MemoryCheck check = SftMemoryPlan.Check(config, SftMemoryPlan.ModelOf(config), device, DeviceMemory.TotalBytes(device));
            if (MemoryPlanText.Refuses(check, ignorePlan))
            {
                return MemoryPlanText.DoesNotFit;
            }

            // 2. The run.
            using SftProgress progress = new();
            SftRun run = new(config, file, progress);
            bool finished = run.Execute(resume, cancellationToken);
            progress.Dispose();
            MemoryPlanText.WritePeak(check.Plan, device.type == DeviceType.CPU);
            Console.WriteLine(finished ? $"Model: {run.ModelFolder}" : "Stopped and saved; --resume goes on from here.");
            return finished ? 0 : 130;
        }
        catch (Exception error) when (CommandFailure.IsExpected(error))
        {
            return CommandFailure.Tell(error);
        }
    }
}
