using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
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
        Option<FileInfo> config = new("--config") { Description = "The run as JSON, of train grpo or train sft.", Required = true };
        Option<string> preset = new("--preset") { Description = "Plans for a known shape instead of the configuration's model." };
        preset.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        Option<string> device = new("--device") { Description = "cpu or cuda, by default the configuration's (engine.device, or a supervised run's device); it need not be here." };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        Option<double?> memory = new("--memory-gib") { Description = "Memory there is; by default this machine's, or its GPU's as the driver tells it." };
        Option<bool> json = new("--json") { Description = "Writes JSON." };
        Command command = new("plan", "What a GRPO or supervised run will need, in bytes by kind; refuses what does not fit, with what would.") { config, preset, device, memory, json };
        command.SetAction(result => Run(result.GetRequiredValue(config).FullName, result.GetValue(preset), result.GetValue(device), result.GetValue(memory), result.GetValue(json)));
        return command;
    }

    private static int Run(string file, string? preset, string? deviceName, double? memoryGiB, bool asJson)
    {
        try
        {
            // 1. Where, and how much there is.
            bool isSupervised = IsSupervised(file);
            SftConfig? supervised = isSupervised ? SftConfigReader.Read(file) : null;
            GrpoConfig? reinforcement = isSupervised ? null : GrpoConfigReader.Read(file);
            Device device = DeviceOf(deviceName ?? supervised?.Device ?? reinforcement!.Engine.Device);
            long? limit = memoryGiB is double gib ? (long)(gib * GiB) : DeviceMemory.TotalBytes(device);
            if (limit is null)
            {
                Console.Error.WriteLine("--memory-gib is required for a GPU that is not here, or whose driver does not tell how much memory it has.");
                return 1;
            }

            // 2. What the run needs of it.
            MemoryCheck check = supervised is not null
                ? SftMemoryPlan.Check(supervised, preset is null ? SftMemoryPlan.ModelOf(supervised) : ModelPresets.Get(preset), device, limit)
                : GrpoMemoryPlan.Check(reinforcement!, preset is null ? ModelConfig.Load(reinforcement!.Model) : ModelPresets.Get(preset), device, limit);
            bool fits = check.Fits == true;
            if (asJson)
            {
                Console.WriteLine(JsonSerializer.Serialize(new MemoryPlanReport(check.Plan.Total, limit.Value, fits, check.Plan.Items, check.Remedies), MemoryPlanJson.Default.MemoryPlanReport));
            }
            else
            {
                MemoryPlanText.Write(check, Console.Out);
            }

            return fits ? 0 : MemoryPlanText.DoesNotFit;
        }
        catch (Exception error) when (CommandFailure.IsExpected(error))
        {
            return CommandFailure.Tell(error);
        }
    }

    /// <summary>Which trainer a configuration is for: a supervised run has an 'init' and 'phases', a GRPO run has neither and refuses both.</summary>
    /// <exception cref="TrainingConfigException">The file cannot be read or is no object.</exception>
    private static bool IsSupervised(string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? root.TryGetProperty("init", out _) || root.TryGetProperty("phases", out _)
                : throw new TrainingConfigException(file, "is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new TrainingConfigException(file, error.Message, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TrainingConfigException(file, "cannot be read: " + error.Message, error);
        }
    }

    /// <summary>A named GPU need not be here; <c>auto</c> is what a run on this machine would take.</summary>
    private static Device DeviceOf(string name) =>
        name == "auto" ? DeviceSelector.Select(name)
        : name.StartsWith("cuda:", StringComparison.Ordinal) ? new Device(DeviceType.CUDA, int.Parse(name.AsSpan(5), CultureInfo.InvariantCulture))
        : name == "cuda" ? new Device(DeviceType.CUDA, 0) : CPU;
}
