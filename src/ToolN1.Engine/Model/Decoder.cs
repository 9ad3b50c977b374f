using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// A decoder-only transformer (Qwen2, Qwen2.5, Qwen3, Llama 3) over a flattened batch: all tokens of all sequences lie in
/// one dimension, and <see cref="IAttention"/> knows which see which. The same pass therefore serves prefill, decode and
/// packed training. Owns its weights; not thread-safe; works under autograd and under inference mode.
/// </summary>
public sealed class Decoder : IDisposable
{
    private readonly RotaryEmbedding _rotary;
    private readonly bool _ownsHead;

    /// <summary>Builds a decoder from its tensors, taking them one at a time in the order of <see cref="ModelTensors.Enumerate"/>.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="take">Gives the tensor of a name, on its final device and in its final dtype; the decoder owns it from then on.</param>
    /// <param name="weightVersion">Asked once all tensors are taken: the identity of the weights.</param>
    /// <param name="makeLinear">Makes projections; null makes plain ones.</param>
    public Decoder(ModelConfig config, Func<string, Tensor> take, Func<string> weightVersion, LinearFactory? makeLinear = null)
    {
        makeLinear ??= static (_, weight, bias) => new Linear(weight, bias);
        Config = config;
        Tensor Take(string name) => take(name).DetachFromDisposeScope();

        // 1. Embedding.  2. Layers.  3. Final norm.  4. Head, which may be the embedding again.
        Embedding = Take(ModelTensors.Embedding);
        DecoderLayer[] layers = new DecoderLayer[config.Layers];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            layers[layer] = new DecoderLayer(config, layer, Take, makeLinear);
        }

        Layers = layers;
        FinalNorm = new RmsNorm(Take(ModelTensors.FinalNorm), config.RmsNormEpsilon);
        _ownsHead = !config.TieWordEmbeddings;
        Head = _ownsHead ? makeLinear("lm_head", Take(ModelTensors.OutputHead), null) : new Linear(Embedding, null);
        _rotary = new RotaryEmbedding(config, Embedding.device);
        WeightVersion = weightVersion();
    }

    /// <summary>Shape and constants.</summary>
    public ModelConfig Config { get; }

    /// <summary>Identity of the weights: equal for equal tensors, whatever their files.</summary>
    public string WeightVersion { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public Tensor Embedding { get; }

    /// <summary>
    /// When set, looks rows up instead of <see cref="Embedding"/>, whose memory a tied head has repacked: int64 [tokens] to
    /// [tokens, hidden].
    /// </summary>
    internal Func<Tensor, Tensor>? EmbeddingLookup { get; set; }

    /// <summary>The layers, first to last.</summary>
    public IReadOnlyList<DecoderLayer> Layers { get; }

    /// <summary>The norm after the last layer.</summary>
    public RmsNorm FinalNorm { get; }

    /// <summary>hidden → vocabulary; over the embedding's own tensor when tied. May be replaced by its owner.</summary>
    public Linear Head { get; set; }

    /// <summary>Dtype of the weights and of the residual stream.</summary>
    public ScalarType DType => Embedding.dtype;

    /// <summary>Where the weights live.</summary>
    public Device Device => Embedding.device;

    /// <summary>The transformer, without the head.</summary>
    /// <param name="inputIds">int64 [tokens].</param>
    /// <param name="positions">int64 [tokens]: each token's position within its own sequence.</param>
    /// <param name="attention">How tokens see each other and the cache.</param>
    /// <returns>[tokens, hidden] after the final norm, model dtype, in the current dispose scope.</returns>
    public Tensor Forward(Tensor inputIds, Tensor positions, IAttention attention)
    {
        Tensor hidden = Embed(inputIds);
        (Tensor cosine, Tensor sine) = Angles(positions);
        foreach (DecoderLayer layer in Layers)
        {
            // A layer's tensors go with the layer; what a graph needs of them it holds itself.
            using DisposeScope scope = NewDisposeScope();
            hidden = layer.Forward(hidden, cosine, sine, attention).MoveToOuterDisposeScope();
        }

        return FinalNorm.Forward(hidden);
    }

    /// <summary>int64 [tokens] to [tokens, hidden].</summary>
    internal Tensor Embed(Tensor inputIds) => EmbeddingLookup is null ? Embedding.index_select(0, inputIds) : EmbeddingLookup(inputIds);

    /// <summary>The rotations of int64 [tokens] positions, in the model's dtype; see <see cref="RotaryEmbedding.Angles"/>.</summary>
    internal (Tensor Cosine, Tensor Sine) Angles(Tensor positions) => _rotary.Angles(positions, DType);

    /// <summary>The head.</summary>
    /// <param name="hidden">[rows, hidden], model dtype.</param>
    /// <returns>float32 [rows, vocabulary], in the current dispose scope.</returns>
    public Tensor Logits(Tensor hidden) => Head.Forward(hidden).to_type(ScalarType.Float32);

    /// <summary>Every weight under its Hugging Face name, tied ones once; only for decoders with plain projections.</summary>
    /// <returns>Names and tensors (owned by the decoder) in the order of <see cref="ModelTensors.Enumerate"/>.</returns>
    public IEnumerable<(string Name, Tensor Tensor)> NamedWeights()
    {
        yield return (ModelTensors.Embedding, Embedding);
        for (int index = 0; index < Layers.Count; index++)
        {
            foreach ((string name, Tensor tensor) in LayerWeights(Layers[index]))
            {
                yield return (ModelTensors.LayerPrefix(index) + name, tensor);
            }
        }

        yield return (ModelTensors.FinalNorm, FinalNorm.Weight);
        if (_ownsHead)
        {
            yield return (ModelTensors.OutputHead, Head.Weight);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotary.Dispose();
        Embedding.Dispose();
        FinalNorm.Dispose();
        Head.Dispose();
        foreach (DecoderLayer layer in Layers)
        {
            layer.Dispose();
        }
    }

    private static IEnumerable<(string Name, Tensor Tensor)> LayerWeights(DecoderLayer layer)
    {
        yield return ("input_layernorm.weight", layer.InputNorm.Weight);
        foreach ((string name, Linear linear) in new[] { ("q_proj", layer.Query), ("k_proj", layer.Key), ("v_proj", layer.Value) })
        {
            yield return ($"self_attn.{name}.weight", linear.Weight);
            if (linear.Bias is not null)
            {
                yield return ($"self_attn.{name}.bias", linear.Bias);
            }
        }

        if (layer.QueryNorm is not null && layer.KeyNorm is not null)
        {
            yield return ("self_attn.q_norm.weight", layer.QueryNorm.Weight);
            yield return ("self_attn.k_norm.weight", layer.KeyNorm.Weight);
        }

        yield return ("self_attn.o_proj.weight", layer.Output.Weight);
        if (layer.Output.Bias is not null)
        {
            yield return ("self_attn.o_proj.bias", layer.Output.Bias);
        }

        yield return ("post_attention_layernorm.weight", layer.PostAttentionNorm.Weight);
        yield return ("mlp.gate_proj.weight", layer.Gate.Weight);
        yield return ("mlp.up_proj.weight", layer.Up.Weight);
        yield return ("mlp.down_proj.weight", layer.Down.Weight);
    }
}
