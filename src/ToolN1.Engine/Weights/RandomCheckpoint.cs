using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>Writes Hugging Face folders with random weights, for benchmarks and tests.</summary>
public static class RandomCheckpoint
{
    /// <summary>Writes config.json, generation_config.json and model.safetensors; one tensor at a time is in memory.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="folder">Created if need be; files of these names are replaced.</param>
    /// <param name="seed">Equal seeds give equal files.</param>
    /// <param name="dtype">bf16, f16 or f32.</param>
    public static void Write(ModelConfig config, string folder, long seed, ScalarType dtype = ScalarType.BFloat16)
    {
        Directory.CreateDirectory(folder);
        using Generator generator = new((ulong)seed);
        using SafetensorsWriter writer = new(
            Path.Combine(folder, Checkpoint.SingleFileName),
            ModelTensors.Enumerate(config).Select(tensor => (tensor.Name, dtype, tensor.Shape)));
        foreach ((string name, long[] shape) in ModelTensors.Enumerate(config))
        {
            using Tensor tensor = empty(shape, dtype);
            RandomWeights.Fill(name, tensor, config.Layers, 0.02, generator);
            writer.Write(tensor);
        }

        config.Save(folder, SafetensorsDTypes.TorchNameOf(dtype));
        writer.Commit();
    }
}
