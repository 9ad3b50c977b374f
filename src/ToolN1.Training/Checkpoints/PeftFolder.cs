using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>An adapter as PEFT writes and reads it: adapter_config.json and adapter_model.safetensors.</summary>
internal static class PeftFolder
{
    private const string NamePrefix = "base_model.model.";

    /// <summary>Writes an adapter in f32.</summary>
    /// <param name="folder">Appears whole or not at all, also when the machine goes down; replaced if it exists.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="targets">The projections, as the configuration names them.</param>
    /// <param name="baseModel">Noted as the base.</param>
    public static void Write(string folder, LoraAdapter adapter, IReadOnlyList<string> targets, string baseModel)
    {
        string temporary = DurableStorage.BeginFolder(folder);
        PeftConfig config = new("LORA", "CAUSAL_LM", baseModel, adapter.Rank, adapter.Alpha, targets, 0, "none", false);
        File.WriteAllBytes(Path.Combine(temporary, "adapter_config.json"), JsonSerializer.SerializeToUtf8Bytes(config, PeftJson.Default.PeftConfig));
        SafetensorsWriter.Write(
            Path.Combine(temporary, "adapter_model.safetensors"), [.. adapter.NamedTensors.Select(item => (NamePrefix + item.Name, item.Tensor))], ScalarType.Float32);
        DurableStorage.ReplaceFolder(temporary, folder);
    }
}

/// <summary>PEFT's adapter_config.json, as far as it concerns us.</summary>
internal sealed record PeftConfig(
    string PeftType, string TaskType, string BaseModelNameOrPath, int R, double LoraAlpha, IReadOnlyList<string> TargetModules, double LoraDropout, string Bias, bool FanInFanOut);

/// <summary>JSON of adapter_config.json.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(PeftConfig))]
internal sealed partial class PeftJson : JsonSerializerContext;
