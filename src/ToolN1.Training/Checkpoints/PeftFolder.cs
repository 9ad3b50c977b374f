using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>An adapter as PEFT writes and reads it: adapter_config.json and adapter_model.safetensors.</summary>
internal static class PeftFolder
{
    private const string NamePrefix = "base_model.model.";
    private const string ConfigFile = "adapter_config.json";
    private const string WeightsFile = "adapter_model.safetensors";

    /// <summary>Whether a folder holds an adapter rather than whole weights.</summary>
    public static bool Is(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>Writes an adapter in f32.</summary>
    /// <param name="folder">Appears whole or not at all, also when the machine goes down; replaced if it exists.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="targets">The projections, as the configuration names them.</param>
    /// <param name="baseModel">Noted as the base.</param>
    public static void Write(string folder, LoraAdapter adapter, IReadOnlyList<string> targets, string baseModel) => DurableStorage.WriteFolder(folder, temporary =>
    {
        WriteConfig(temporary, adapter.Rank, adapter.Alpha, targets, baseModel);
        SafetensorsWriter.Write(Path.Combine(temporary, WeightsFile), [.. adapter.NamedTensors.Select(item => (NamePrefix + item.Name, item.Tensor))], ScalarType.Float32);
    });

    /// <summary>Writes the adapter of a run's checkpoint, in f32.</summary>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="folder">Exists, empty.</param>
    /// <param name="lora">The adapter's shape.</param>
    /// <param name="baseModel">Noted as the base.</param>
    /// <exception cref="CheckpointException">The checkpoint is damaged or cannot be read.</exception>
    public static void WriteCheckpoint(string checkpoint, string folder, GrpoLora lora, string baseModel)
    {
        Manifest.Check(checkpoint);
        WriteConfig(folder, lora.Rank, lora.Alpha, lora.Targets, baseModel);
        using IDisposable scope = NewDisposeScope();
        using SafetensorsFile masters = SafetensorsFile.Open(Path.Combine(checkpoint, RunCheckpointFiles.Weights));
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), [.. masters.Entries.Select(entry => (NamePrefix + entry.Name, Load(masters, entry)))], ScalarType.Float32);
    }

    /// <summary>Reads an adapter.</summary>
    /// <param name="folder">PEFT's files.</param>
    /// <returns>On the CPU, in f32; the caller owns it.</returns>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public static LoraAdapter Read(string folder)
    {
        string configFile = Path.Combine(folder, ConfigFile);
        PeftConfig config;
        try
        {
            config = JsonSerializer.Deserialize(File.ReadAllBytes(configFile), PeftJson.Default.PeftConfig) ?? throw new CheckpointException(configFile, "is null.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(configFile, "cannot be read: " + error.Message, error);
        }

        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        string weightsFile = Path.Combine(folder, WeightsFile);
        using SafetensorsFile weights = SafetensorsFile.Open(weightsFile);
        Dictionary<string, (Tensor A, Tensor B)> pairs = [];
        foreach (SafetensorsEntry entry in weights.Entries.Where(entry => entry.Name.EndsWith(".lora_A.weight", StringComparison.Ordinal)))
        {
            string projection = entry.Name[..^".lora_A.weight".Length];
            SafetensorsEntry b = weights.Find(projection + ".lora_B.weight") ?? throw new CheckpointException(weightsFile, $"tensor '{projection}.lora_B.weight' is missing.");
            pairs.Add(projection[NamePrefix.Length..], (Load(weights, entry), Load(weights, b)));
        }

        return new LoraAdapter(config.R, config.LoraAlpha, pairs);
    }

    /// <summary>Identity of an adapter over a base: 32 hexadecimal digits, as whole weights have. What its files say of themselves is no part of it.</summary>
    /// <param name="adapter">On the CPU, in f32.</param>
    /// <param name="baseVersion">Identity of the base's whole weights.</param>
    public static string VersionOf(LoraAdapter adapter, string baseVersion)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{baseVersion}\0{adapter.Rank}\0{adapter.Alpha:R}\0")));
        foreach ((string name, Tensor tensor) in adapter.NamedTensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\0{string.Join(',', tensor.shape)}\0")));
            hash.AppendData(tensor.bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    private static Tensor Load(SafetensorsFile file, SafetensorsEntry entry)
    {
        Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
        file.ReadInto(entry, tensor);
        return tensor;
    }

    private static void WriteConfig(string folder, int rank, double alpha, IReadOnlyList<string> targets, string baseModel)
    {
        PeftConfig config = new("LORA", "CAUSAL_LM", baseModel, rank, alpha, targets, 0, "none", false);
        File.WriteAllBytes(Path.Combine(folder, ConfigFile), JsonSerializer.SerializeToUtf8Bytes(config, PeftJson.Default.PeftConfig));
    }
}

/// <summary>PEFT's adapter_config.json, as far as it concerns us.</summary>
internal sealed record PeftConfig(
    string PeftType, string TaskType, string BaseModelNameOrPath, int R, double LoraAlpha, IReadOnlyList<string> TargetModules, double LoraDropout, string Bias, bool FanInFanOut);

/// <summary>JSON of adapter_config.json.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(PeftConfig))]
internal sealed partial class PeftJson : JsonSerializerContext;
