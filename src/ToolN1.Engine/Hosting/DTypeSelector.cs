using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>Chooses the dtype of weights, activations and cache.</summary>
public static class DTypeSelector
{
    /// <summary>
    /// <c>float32</c> and <c>bfloat16</c> are taken at their word. <c>auto</c> follows the checkpoint: bf16 stays bf16, f32
    /// stays f32, and f16 becomes f32 on a CPU (f16 has bits that bf16 drops) and bf16 on a GPU.
    /// </summary>
    /// <param name="dtype">The option.</param>
    /// <param name="declared">What config.json declares, or null.</param>
    /// <param name="device">Where the model runs.</param>
    public static ScalarType Select(string dtype, string? declared, Device device) => (dtype, declared) switch
    {
        ("bfloat16", _) => ScalarType.BFloat16,
        ("float32", _) => ScalarType.Float32,
        ("auto", "bfloat16") => ScalarType.BFloat16,
        ("auto", "float16") => device.type == DeviceType.CPU ? ScalarType.Float32 : ScalarType.BFloat16,
        ("auto", _) => ScalarType.Float32,
        _ => throw new ArgumentException($"'{dtype}' is not a dtype that can be served.", nameof(dtype)),
    };
}
