using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>One decoder layer: attention and SwiGLU, each behind an RMS norm and a residual. Owns its weights.</summary>
/// <remarks>The projections may be replaced (quantised, with an adapter); who replaces one disposes what was there.</remarks>
public sealed class DecoderLayer : IDisposable
{
    private readonly ModelConfig _config;
    private readonly int _index;

    internal DecoderLayer(ModelConfig config, int index, Func<string, Tensor> take, LinearFactory makeLinear)
    {
        _config = config;
        _index = index;
        string prefix = ModelTensors.LayerPrefix(index);
        InputNorm = Norm("input_layernorm");
        Query = Projection("self_attn.q_proj", config.QkvBias);
        Key = Projection("self_attn.k_proj", config.QkvBias);
        Value = Projection("self_attn.v_proj", config.QkvBias);
        if (config.QkNorm)
        {
            QueryNorm = Norm("self_attn.q_norm");
            KeyNorm = Norm("self_attn.k_norm");
        }

        Output = Projection("self_attn.o_proj", config.AttentionOutputBias);
        PostAttentionNorm = Norm("post_attention_layernorm");
        Gate = Projection("mlp.gate_proj", false);
        Up = Projection("mlp.up_proj", false);
        Down = Projection("mlp.down_proj", false);

        RmsNorm Norm(string name) => new(take($"{prefix}{name}.weight"), config.RmsNormEpsilon);

        Linear Projection(string name, bool bias) =>
            makeLinear(prefix + name, take($"{prefix}{name}.weight"), bias ? take($"{prefix}{name}.bias") : null);
    }

    /// <summary>Norm before attention.</summary>
    public RmsNorm InputNorm { get; }

    /// <summary>hidden → heads × headDim.</summary>
    public Linear Query { get; set; }

    /// <summary>hidden → kvHeads × headDim.</summary>
    public Linear Key { get; set; }

    /// <summary>hidden → kvHeads × headDim.</summary>
    public Linear Value { get; set; }

    /// <summary>Norm over each query head (Qwen3), or null.</summary>
    public RmsNorm? QueryNorm { get; }

    /// <summary>Norm over each key head (Qwen3), or null.</summary>
    public RmsNorm? KeyNorm { get; }

    /// <summary>heads × headDim → hidden.</summary>
    public Linear Output { get; set; }

    /// <summary>Norm before the SwiGLU.</summary>
    public RmsNorm PostAttentionNorm { get; }

    /// <summary>hidden → intermediate, through SiLU.</summary>
    public Linear Gate { get; set; }

    /// <summary>hidden → intermediate.</summary>
    public Linear Up { get; set; }

    /// <summary>intermediate → hidden.</summary>
    public Linear Down { get; set; }

    /// <summary>The seven projections.</summary>
    public IEnumerable<Linear> Projections => [Query, Key, Value, Output, Gate, Up, Down];

    /// <summary>The layer.</summary>
    /// <param name="hidden">[tokens, hidden], model dtype.</param>
    /// <param name="cosine">As from <see cref="RotaryEmbedding.Angles"/>.</param>
    /// <param name="sine">As from <see cref="RotaryEmbedding.Angles"/>.</param>
    /// <param name="attention">How tokens see each other.</param>
    /// <returns>[tokens, hidden], in the current dispose scope.</returns>
    public Tensor Forward(Tensor hidden, Tensor cosine, Tensor sine, IAttention attention)
    {
        Tensor normed = InputNorm.Forward(hidden);
        Tensor[] products = Query.ForwardWith(normed, Key, Value);
        Tensor query = products[0].view(-1, _config.Heads, _config.HeadDim);
        Tensor key = products[1].view(-1, _config.KeyValueHeads, _config.HeadDim);
        Tensor value = products[2].view(-1, _config.KeyValueHeads, _config.HeadDim);
        if (QueryNorm is not null && KeyNorm is not null)
        {
            query = QueryNorm.Forward(query);
            key = KeyNorm.Forward(key);
        }

        (query, key) = RotaryEmbedding.Rotate(query, key, cosine, sine);
        Tensor attended = attention.Attend(_index, query, key, value);
        hidden = hidden.AddTensor(Output.Forward(attended));

        normed = PostAttentionNorm.Forward(hidden);
        return hidden.AddTensor(Down.Forward(Gate.ForwardGated(normed, Up)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InputNorm.Dispose();
        PostAttentionNorm.Dispose();
        QueryNorm?.Dispose();
        KeyNorm?.Dispose();
        foreach (Linear projection in Projections)
        {
            projection.Dispose();
        }
    }
}
