using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Model;
using ToolN1.Training;
using ToolN1.Training.Grpo;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 train plan</c>.</summary>
internal static class TrainPlanCommand
{
    private const double MiB = 1 << 20;
    private const double GiB = 1 << 30;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<FileInfo> config = new("--config") { Description = "The run as JSON.", Required = true };
        Option<string> preset = new("--preset") { Description = "Plans for a known shape instead of the configuration's model." };
        preset.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        Option<string> device = new("--device") { Description = "cpu or cuda; the device need not be here.", DefaultValueFactory = _ => "cpu" };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        Option<double?> memory = new("--memory-gib") { Description = "Memory there is; on a CPU this machine's by default." };
        Option<bool> json = new("--json") { Description = "Writes JSON." };
        Command command = new("plan", "What a GRPO run will need, in bytes by kind; refuses what does not fit, with what would.") { config, preset, device, memory, json };
        command.SetAction(result => Run(result.GetRequiredValue(config).FullName, result.GetValue(preset), result.GetValue(device)!, result.GetValue(memory), result.GetValue(json)));
        return command;
    }

    private static int Run(string file, string? preset, string deviceName, double? memoryGiB, bool asJson)
    {
        try
        {
            GrpoConfig config = GrpoConfigReader.Read(file);
            ModelConfig model = preset is null ? ModelConfig.Load(config.Model) : ModelPresets.Get(preset);
            Device device = new(deviceName == "cuda" ? DeviceType.CUDA : DeviceType.CPU);
            if (memoryGiB is null && device.type == DeviceType.CUDA)
            {
                Console.Error.WriteLine("--memory-gib is required with --device cuda.");
                return 1;
            }

            long limit = memoryGiB is double gib ? (long)(gib * GiB) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            GrpoMemoryPlan plan = GrpoMemoryPlan.Create(config, model, device);
            bool fits = plan.Total <= limit;
            IReadOnlyList<GrpoMemoryRemedy> remedies = fits ? [] : GrpoMemoryPlan.Remedies(config, model, device, limit);
            if (asJson)
            {
                Console.WriteLine(JsonSerializer.Serialize(new MemoryPlanReport(plan.Total, limit, fits, plan.Items, remedies), MemoryPlanJson.Default.MemoryPlanReport));
            }
            else
            {
                Write(plan, limit, remedies);
            }

            return fits ? 0 : 3;
        }
        catch (Exception error) when (error is TrainingConfigException or CheckpointException or OptionsValidationException or IOException)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    private static void Write(GrpoMemoryPlan plan, long limit, IReadOnlyList<GrpoMemoryRemedy> remedies)
    {
        foreach (GrpoMemoryItem item in plan.Items)
        {
            Console.WriteLine($"{item.Kind,-18}{item.Bytes / MiB,12:N1} MiB  {item.What}");
        }

        Console.WriteLine($"{"total",-18}{plan.Total / MiB,12:N1} MiB  of {limit / MiB:N1} MiB");
        if (plan.Total <= limit)
        {
            return;
        }

        Console.WriteLine();
        Console.WriteLine("This does not fit. Each change below is on top of those before it:");
        foreach (GrpoMemoryRemedy remedy in remedies)
        {
            Console.WriteLine($"  {remedy.Change,-40}{remedy.TotalBytes / MiB,12:N1} MiB{(remedy.TotalBytes <= limit ? "  fits" : string.Empty)}");
        }

        if (remedies.Count == 0 || remedies[^1].TotalBytes > limit)
        {
            Console.WriteLine("  Nothing that this project can change makes it fit.");
        }
    }
}
