using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// Rotary positions in Hugging Face's layout: dimension i of a head is paired with i + headDim/2. Angles, cosines and
/// sines are computed in f32 and rounded to the model's dtype.
/// </summary>
/// <remarks>RoFormer, arXiv:2104.09864; frequency scaling as in Llama 3.1's reference code.</remarks>
public sealed class RotaryEmbedding : IDisposable
{
    private readonly Tensor _frequencies;

    /// <summary>Prepares the frequencies of a model.</summary>
    /// <param name="config">Head width, base and scaling.</param>
    /// <param name="device">Where positions live.</param>
    public RotaryEmbedding(ModelConfig config, Device device) =>
        _frequencies = tensor(Frequencies(config), dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();

    /// <summary>The angular frequency of each pair, in radians a token.</summary>
    /// <returns>[headDim / 2].</returns>
    public static float[] Frequencies(ModelConfig config)
    {
        float[] frequencies = new float[config.HeadDim / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double frequency = 1 / Math.Pow(config.RopeTheta, 2.0 * i / config.HeadDim);
            frequencies[i] = (float)(config.RopeScaling is RopeScaling scaling ? Scale(frequency, scaling) : frequency);
        }

        return frequencies;
    }

    /// <summary>Cosines and sines for a batch of positions; made once a forward pass and used by every layer.</summary>
    /// <param name="positions">int64 [tokens].</param>
    /// <param name="dtype">The model's dtype.</param>
    /// <returns>Two [tokens, 1, headDim / 2], in the current dispose scope.</returns>
    public (Tensor Cosine, Tensor Sine) Angles(Tensor positions, ScalarType dtype)
    {
        Tensor angles = positions.to_type(ScalarType.Float32).unsqueeze(-1).mul(_frequencies).unsqueeze(1);
        return (angles.cos().to_type(dtype), angles.sin().to_type(dtype));
    }

    /// <summary>Rotates queries or keys.</summary>
    /// <param name="states">[tokens, heads, headDim].</param>
    /// <param name="cosine">[tokens, 1, headDim / 2].</param>
    /// <param name="sine">[tokens, 1, headDim / 2].</param>
    /// <returns>[tokens, heads, headDim], in the current dispose scope.</returns>
    public static Tensor Rotate(Tensor states, Tensor cosine, Tensor sine)
    {
        if (FusedOps.Rotate(states, cosine, sine) is Tensor fused)
        {
            return fused;
        }

        long half = states.shape[^1] / 2;
        Tensor first = states.narrow(-1, 0, half);
        Tensor second = states.narrow(-1, half, half);
        return cat([(first * cosine).sub_(second * sine), (second * cosine).add_(first * sine)], -1);
    }

    /// <inheritdoc/>
    public void Dispose() => _frequencies.Dispose();

    private static double Scale(double frequency, RopeScaling scaling)
    {
        double wavelength = 2 * Math.PI / frequency;
        double turns = scaling.OriginalMaxPositionEmbeddings / wavelength;
        if (turns < scaling.LowFrequencyFactor)
        {
            return frequency / scaling.Factor;
        }

        if (turns > scaling.HighFrequencyFactor)
        {
            return frequency;
        }

        double smooth = (turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return ((1 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }
}
