using System.CommandLine;
using System.Text.Json;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train plan</c>.</summary>
internal static class TrainPlanCommand
{
    private const double GiB = 1 << 30;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo> config = new("--config") { Description = "The run as JSON.", Required = true };
        Option<string> preset = new("--preset") { Description = "Plans for a known shape instead of the configuration's model." };
        preset.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        Option<string> device = new("--device") { Description = "cpu or cuda, by default the configuration's engine.device; the device need not be here." };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        Option<double?> memory = new("--memory-gib") { Description = "Memory there is; on a CPU this machine's by default." };
        Option<bool> json = new("--json") { Description = "Writes JSON." };
        Command command = new("plan", "What a GRPO run will need, in bytes by kind; refuses what does not fit, with what would.") { config, preset, device, memory, json };
        command.SetAction(result => Run(result.GetRequiredValue(config).FullName, result.GetValue(preset), result.GetValue(device), result.GetValue(memory), result.GetValue(json)));
        return command;
    }

    private static int Run(string file, string? preset, string? deviceName, double? memoryGiB, bool asJson)
    {
        try
        {
            GrpoConfig config = GrpoConfigReader.Read(file);
            ModelConfig model = preset is null ? ModelConfig.Load(config.Model) : ModelPresets.Get(preset);
            Device device = new(IsCuda(deviceName ?? config.Engine.Device) ? DeviceType.CUDA : DeviceType.CPU);
            if (memoryGiB is null && device.type == DeviceType.CUDA)
            {
                Console.Error.WriteLine("--memory-gib is required for a GPU: nothing tells how much memory it has.");
                return 1;
            }

            GrpoPlanCheck check = GrpoPlanCheck.Create(config, model, device, memoryGiB is double gib ? (long)(gib * GiB) : GrpoPlanCheck.MachineBytes);
            if (asJson)
            {
                Console.WriteLine(JsonSerializer.Serialize(new MemoryPlanReport(check.Plan.Total, check.Limit, check.Fits, check.Plan.Items, check.Remedies), MemoryPlanJson.Default.MemoryPlanReport));
            }
            else
            {
                check.Write(Console.Out);
            }

            return check.Fits ? 0 : GrpoPlanCheck.DoesNotFit;
        }
        catch (Exception error) when (CommandFailure.IsExpected(error))
        {
            return CommandFailure.Tell(error);
        }
    }

    /// <summary>A named GPU need not be here; <c>auto</c> is what a run on this machine would take.</summary>
    private static bool IsCuda(string device) => device == "auto" ? cuda.is_available() : device.StartsWith("cuda", StringComparison.Ordinal);
}
