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
    /// <returns>Two [tokens, 1, headDim / 2], on a GPU as <see cref="Widen"/> makes them; in the current dispose scope.</returns>
    public (Tensor Cosine, Tensor Sine) Angles(Tensor positions, ScalarType dtype)
    {
        Tensor angles = positions.to_type(ScalarType.Float32).unsqueeze(-1).mul(_frequencies).unsqueeze(1);
        (Tensor cosine, Tensor sine) = (angles.cos().to_type(dtype), angles.sin().to_type(dtype));
        return positions.device_type == TorchSharp.DeviceType.CPU ? (cosine, sine) : Widen(cosine, sine);
    }

    /// <summary>Tables over whole heads, the sines of the first half negative: with them a rotation takes few launches.</summary>
    /// <param name="cosine">[tokens, 1, headDim / 2].</param>
    /// <param name="sine">[tokens, 1, headDim / 2].</param>
    /// <returns>Two [tokens, 1, headDim], in the current dispose scope.</returns>
    public static (Tensor Cosine, Tensor Sine) Widen(Tensor cosine, Tensor sine) => (cat([cosine, cosine], -1), cat([sine.neg(), sine], -1));

    /// <summary>Rotates queries and keys.</summary>
    /// <param name="query">[tokens, heads, headDim].</param>
    /// <param name="key">[tokens, kvHeads, headDim].</param>
    /// <param name="cosine">As from <see cref="Angles"/>.</param>
    /// <param name="sine">As from <see cref="Angles"/>.</param>
    /// <returns>Shaped as given, in the current dispose scope; not always contiguous.</returns>
    public static (Tensor Query, Tensor Key) Rotate(Tensor query, Tensor key, Tensor cosine, Tensor sine)
    {
        if (cosine.shape[^1] != query.shape[^1])
        {
            return (Rotate(query, cosine, sine), Rotate(key, cosine, sine));
        }

        Tensor both = Rotate(cat([query, key], 1), cosine, sine);
        return (both.narrow(1, 0, query.shape[1]), both.narrow(1, query.shape[1], key.shape[1]));
    }

    /// <summary>Rotates heads.</summary>
    /// <param name="states">[tokens, heads, headDim].</param>
    /// <param name="cosine">As from <see cref="Angles"/>.</param>
    /// <param name="sine">As from <see cref="Angles"/>.</param>
    /// <returns>[tokens, heads, headDim], in the current dispose scope.</returns>
    public static Tensor Rotate(Tensor states, Tensor cosine, Tensor sine)
    {
        if (cosine.shape[^1] == states.shape[^1])
        {
            return states.mul(cosine).AddProduct_(states.roll(states.shape[2] / 2, 2), sine, 1);
        }

        if (FusedOps.Rotate(states, cosine, sine) is Tensor fused)
        {
            return fused;
        }

        long half = states.shape[^1] / 2;
        Tensor first = states.narrow(-1, 0, half);
        Tensor second = states.narrow(-1, half, half);
        return cat([(first * cosine).sub_(second * sine), (second * cosine).AddTensor_(first * sine)], -1);
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
