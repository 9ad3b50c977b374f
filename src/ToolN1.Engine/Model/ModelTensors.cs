namespace ToolN1.Engine.Model;

/// <summary>The tensors a decoder consists of: Hugging Face's names and the shapes that a config implies.</summary>
public static class ModelTensors
{
    /// <summary>The embedding, which is the output head too when they are tied.</summary>
    public const string Embedding = "model.embed_tokens.weight";

    /// <summary>The last norm.</summary>
    public const string FinalNorm = "model.norm.weight";

    /// <summary>The output head of untied models.</summary>
    public const string OutputHead = "lm_head.weight";

    /// <summary>Name prefix of a layer's tensors.</summary>
    /// <param name="layer">Index from 0.</param>
    public static string LayerPrefix(int layer) => $"model.layers.{layer}.";

    /// <summary>Every tensor in the order in which <see cref="Decoder"/> takes them.</summary>
    /// <param name="config">The shape.</param>
    /// <returns>Names and shapes.</returns>
    public static IEnumerable<(string Name, long[] Shape)> Enumerate(ModelConfig config)
    {
        long hidden = config.HiddenSize;
        long queries = (long)config.Heads * config.HeadDim;
        long keys = (long)config.KeyValueHeads * config.HeadDim;
        yield return (Embedding, [config.VocabularySize, hidden]);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            string prefix = LayerPrefix(layer);
            yield return (prefix + "input_layernorm.weight", [hidden]);
            foreach ((string name, long rows) in new[] { ("q_proj", queries), ("k_proj", keys), ("v_proj", keys) })
            {
                yield return ($"{prefix}self_attn.{name}.weight", [rows, hidden]);
                if (config.QkvBias)
                {
                    yield return ($"{prefix}self_attn.{name}.bias", [rows]);
                }
            }

            if (config.QkNorm)
            {
                yield return (prefix + "self_attn.q_norm.weight", [config.HeadDim]);
                yield return (prefix + "self_attn.k_norm.weight", [config.HeadDim]);
            }

            yield return (prefix + "self_attn.o_proj.weight", [hidden, queries]);
            if (config.AttentionOutputBias)
            {
                yield return (prefix + "self_attn.o_proj.bias", [hidden]);
            }

            yield return (prefix + "post_attention_layernorm.weight", [hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [config.IntermediateSize, hidden]);
            yield return (prefix + "mlp.up_proj.weight", [config.IntermediateSize, hidden]);
            yield return (prefix + "mlp.down_proj.weight", [hidden, config.IntermediateSize]);
        }

        yield return (FinalNorm, [hidden]);
        if (!config.TieWordEmbeddings)
        {
            yield return (OutputHead, [config.VocabularySize, hidden]);
        }
    }

    /// <summary>Parameters of a model, tied ones counted once.</summary>
    /// <param name="config">The shape.</param>
    public static long CountParameters(ModelConfig config) =>
        Enumerate(config).Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
}
