using System.CommandLine;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train grpo</c>.</summary>
internal static class TrainGrpoCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo> config = new("--config") { Description = "The run as JSON; docs/training.md explains every field.", Required = true };
        Option<bool> resume = new("--resume") { Description = "Goes on from the newest checkpoint in the output folder." };
        Option<bool> ignorePlan = new("--ignore-plan") { Description = "Starts a run that is planned to need more memory than there is." };
        Command command = new("grpo", "Reinforcement by group-relative policy optimisation on rows with the right calls.") { config, resume, ignorePlan };
        command.SetAction((result, cancellationToken) => RunAsync(result.GetRequiredValue(config).FullName, result.GetValue(resume), result.GetValue(ignorePlan), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string file, bool resume, bool ignorePlan, CancellationToken cancellationToken)
    {
        try
        {
            // 1. Whether there is the memory for it.
            GrpoConfig config = GrpoConfigReader.Read(file);
            Device device = DeviceSelector.Select(config.Engine.Device, "field 'engine.device'");
            bool isCpu = device.type == DeviceType.CPU;
            MemoryCheck check = GrpoMemoryPlan.Check(config, ModelConfig.Load(config.Model), device, DeviceMemory.TotalBytes(device));
            if (MemoryPlanText.Refuses(check, ignorePlan))
            {
                return MemoryPlanText.DoesNotFit;
            }

            // 2. The run.
            await using LocalGrpoEngine engine = LocalGrpoEngine.Start(config, device, isCpu ? check.Plan.Total : null);
            GrpoOutcome outcome;
            GrpoRun run;
            using (GrpoProgress progress = new())
            {
                run = new GrpoRun(config, file, engine.Host, progress);
                outcome = await run.ExecuteAsync(resume, cancellationToken);
            }

            MemoryPlanText.WritePeak(check.Plan, isCpu);
            Console.WriteLine(outcome switch
            {
                GrpoOutcome.Finished => $"Model: {run.ModelFolder}",
                GrpoOutcome.EndedByAlarm => $"Ended by an alarm; the model of step {run.ModelStep}: {run.ModelFolder}",
                _ => "Stopped and saved; --resume goes on from here.",
            });
            return outcome switch { GrpoOutcome.Finished => 0, GrpoOutcome.EndedByAlarm => 2, _ => 130 };
        }
        catch (Exception error) when (CommandFailure.IsExpected(error))
        {
            return CommandFailure.Tell(error);
        }
    }
}
