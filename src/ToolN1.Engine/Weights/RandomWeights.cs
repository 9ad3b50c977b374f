using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>Random initial weights: normal matrices, zero biases, norms of one.</summary>
public static class RandomWeights
{
    /// <summary>A decoder with random weights.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="dtype">Their dtype.</param>
    /// <param name="seed">Equal seeds give equal weights, whatever the device: chance is drawn on the CPU, the only generator that TorchSharp has.</param>
    /// <param name="standardDeviation">Of the matrices; those that write into the residual stream get it divided by √(2 × layers).</param>
    /// <returns>A decoder that the caller owns.</returns>
    public static Decoder Create(ModelConfig config, Device device, ScalarType dtype, long seed, double standardDeviation = 0.02)
    {
        using Generator generator = new((ulong)seed);
        Dictionary<string, long[]> shapes = ModelTensors.Enumerate(config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        return new Decoder(
            config,
            name =>
            {
                Tensor tensor = empty(shapes[name], dtype);
                Fill(name, tensor, config.Layers, standardDeviation, generator);
                if (device.type == DeviceType.CPU)
                {
                    return tensor;
                }

                using (tensor)
                {
                    return tensor.to(device);
                }
            },
            () => $"random-{seed}");
    }

    /// <summary>Fills one tensor.</summary>
    /// <param name="name">Its Hugging Face name, which decides how.</param>
    /// <param name="tensor">Changed in place.</param>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="standardDeviation">Of the matrices.</param>
    /// <param name="generator">Source of chance.</param>
    public static void Fill(string name, Tensor tensor, int layers, double standardDeviation, Generator generator)
    {
        using IDisposable noGrad = no_grad();

        // In-place operations return one more handle to the same memory, which the scope frees.
        using DisposeScope scope = NewDisposeScope();
        if (name.EndsWith(".bias", StringComparison.Ordinal))
        {
            tensor.zero_();
        }
        else if (tensor.dim() == 1)
        {
            tensor.Fill_(1);
        }
        else
        {
            bool writesResidual = name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            tensor.normal_(0, writesResidual ? standardDeviation / Math.Sqrt(2.0 * layers) : standardDeviation, generator);
        }
    }
}
