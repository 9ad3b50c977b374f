using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>Loads a Hugging Face folder into a <see cref="Decoder"/>.</summary>
public static class CheckpointLoader
{
    /// <summary>
    /// Checks the whole folder first, then reads tensor by tensor in small pieces straight into the final tensors, so that
    /// the peak stays close to the size of the loaded weights.
    /// </summary>
    /// <param name="folder">config.json, optionally generation_config.json, and safetensors (single or sharded; bf16, f16 or f32).</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="dtype">Dtype of weights and residual stream: float32, bfloat16 or float16.</param>
    /// <param name="makeLinear">Makes projections as their tensors arrive (to quantise, say); null makes plain ones.</param>
    /// <returns>A decoder that the caller owns.</returns>
    /// <exception cref="CheckpointException">Names the file and the field or tensor at fault.</exception>
    public static Decoder Load(string folder, Device device, ScalarType dtype, LinearFactory? makeLinear = null)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        using WeightVersionHash hash = new();
        Dictionary<string, long[]> shapes = ModelTensors.Enumerate(checkpoint.Config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        List<Tensor> taken = [];
        try
        {
            return new Decoder(checkpoint.Config, Take, () => hash.Version, makeLinear);
        }
        catch
        {
            foreach (Tensor tensor in taken)
            {
                tensor.Dispose();
            }

            throw;
        }

        Tensor Take(string name)
        {
            Tensor tensor = empty(shapes[name], dtype, device);
            taken.Add(tensor);
            checkpoint.ReadInto(name, tensor, hash);
            return tensor;
        }
    }
}
