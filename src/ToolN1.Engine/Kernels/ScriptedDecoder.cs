using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A whole pass of a decoder as one call into libtorch. A GPU ends most of a layer's operators sooner than the processor can
/// ask for the next; libtorch's interpreter asks with less ado than managed code (docs/cuda.md has the figures).
/// </summary>
internal static class ScriptedDecoder
{
    // A layer's tensors, in this order; one that it lacks is empty.
    private const int TensorsPerLayer = 15;

    // Compiled once a process and never changed.
    private static readonly Lazy<jit.CompilationUnit> Script = new(Compile);

    /// <summary>The transformer, without the head, as <see cref="Decoder.Forward"/> computes it; null where a projection is not a plain one.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="inputIds">int64 [tokens].</param>
    /// <param name="positions">int64 [tokens].</param>
    /// <param name="step">What the tokens read and write.</param>
    /// <returns>[tokens, hidden] after the final norm, model dtype, in the current dispose scope.</returns>
    public static Tensor? Forward(Decoder decoder, Tensor inputIds, Tensor positions, BatchedPagedAttention.Step step)
    {
        if (!decoder.Layers.All(layer => layer.Projections.All(linear => linear.GetType() == typeof(Linear) && linear.ComputeDType is null)))
        {
            return null;
        }

        ModelConfig config = decoder.Config;
        Tensor hidden = decoder.Embed(inputIds);
        (Tensor cosine, Tensor sine) = decoder.Angles(positions);
        if (cosine.shape[^1] != config.HeadDim)
        {
            (cosine, sine) = RotaryEmbedding.Widen(cosine, sine);
        }

        // 1. Rows, slots and masks of each batch and chunk; no rows where a batch is the whole step.
        Tensor none = empty([0], ScalarType.Int64, decoder.Device);
        Tensor noWeight = empty([0], decoder.DType, decoder.Device);
        Tensor[] batches = [.. step.Decodes.SelectMany(batch => new[] { step.IsOneBatch ? none : batch.Rows, batch.Slots, batch.Mask })];
        Tensor[] prompts = [.. step.Prompts.SelectMany(prompt => new[] { prompt.Rows, prompt.Slots, prompt.Mask })];

        // 2. Weights and cache of each layer.
        Tensor[] weights = new Tensor[decoder.Layers.Count * TensorsPerLayer];
        Tensor[] cache = new Tensor[decoder.Layers.Count * 2];
        for (int index = 0; index < decoder.Layers.Count; index++)
        {
            DecoderLayer layer = decoder.Layers[index];
            Tensor[] own =
            [
                layer.InputNorm.Weight,
                layer.Query.Weight, layer.Query.Bias ?? noWeight, layer.Key.Weight, layer.Key.Bias ?? noWeight, layer.Value.Weight, layer.Value.Bias ?? noWeight,
                layer.QueryNorm?.Weight ?? noWeight, layer.KeyNorm?.Weight ?? noWeight,
                layer.Output.Weight, layer.Output.Bias ?? noWeight,
                layer.PostAttentionNorm.Weight, layer.Gate.Weight, layer.Up.Weight, layer.Down.Weight,
            ];
            own.CopyTo(weights, index * TensorsPerLayer);
            cache[2 * index] = step.Pool.Keys(index);
            cache[(2 * index) + 1] = step.Pool.Values(index);
        }

        // 3. The call; its numbers are held until it is over, for the reason that NumberOps gives.
        using Scalar heads = config.Heads;
        using Scalar keyValueHeads = config.KeyValueHeads;
        using Scalar epsilon = config.RmsNormEpsilon;
        hidden = Script.Value.invoke<Tensor>(
            "layers", hidden, cosine, sine, step.Written, batches, prompts, weights, cache, heads, keyValueHeads, epsilon);
        return decoder.FinalNorm.Forward(hidden);
    }

    private static jit.CompilationUnit Compile()
    {
        NativeEnvironment.LeaveScriptsAsWritten();
        return jit.compile(
            """
            def project(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
                if bias.numel() == 0:
                    return torch.linear(x, weight)
                return torch.linear(x, weight, bias)

            def normed(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
                return torch.rms_norm(x, weight.size(), weight, epsilon)

            def attend_batch(query: Tensor, keys: Tensor, values: Tensor, slots: Tensor, mask: Tensor) -> Tensor:
                count = mask.size(0)
                context = mask.size(3)
                heads = keys.size(1)
                width = keys.size(2)
                read_keys = keys.index_select(0, slots).view(count, context, heads, width).transpose(1, 2)
                read_values = values.index_select(0, slots).view(count, context, heads, width).transpose(1, 2)
                mixed = torch.scaled_dot_product_attention(query.reshape(count, heads, -1, width), read_keys, read_values, mask, 0.0, False)
                return mixed.reshape(count, -1)

            def attend_prompt(query: Tensor, keys: Tensor, values: Tensor, slots: Tensor, mask: Tensor) -> Tensor:
                group = query.size(1) // keys.size(1)
                read_keys = keys.index_select(0, slots).transpose(0, 1).repeat_interleave(group, 0).unsqueeze(0)
                read_values = values.index_select(0, slots).transpose(0, 1).repeat_interleave(group, 0).unsqueeze(0)
                mixed = torch.scaled_dot_product_attention(query.transpose(0, 1).unsqueeze(0), read_keys, read_values, mask, 0.0, False)
                return mixed.squeeze(0).transpose(0, 1).reshape(query.size(0), -1)

            def attend(query: Tensor, keys: Tensor, values: Tensor, batches: List[Tensor], prompts: List[Tensor]) -> Tensor:
                if len(prompts) == 0 and len(batches) == 3 and batches[0].numel() == 0:
                    return attend_batch(query, keys, values, batches[1], batches[2])
                result = torch.empty_like(query)
                for i in range(len(batches) // 3):
                    rows = batches[3 * i]
                    mixed = attend_batch(query.index_select(0, rows), keys, values, batches[3 * i + 1], batches[3 * i + 2])
                    result.index_copy_(0, rows, mixed.view(rows.size(0), query.size(1), query.size(2)))
                for i in range(len(prompts) // 3):
                    rows = prompts[3 * i]
                    mixed = attend_prompt(query.index_select(0, rows), keys, values, prompts[3 * i + 1], prompts[3 * i + 2])
                    result.index_copy_(0, rows, mixed.view(rows.size(0), query.size(1), query.size(2)))
                return result.reshape(query.size(0), -1)

            def layers(hidden: Tensor, cosine: Tensor, sine: Tensor, written: Tensor, batches: List[Tensor], prompts: List[Tensor],
                       weights: List[Tensor], cache: List[Tensor], heads: int, key_heads: int, epsilon: float) -> Tensor:
                tokens = hidden.size(0)
                for i in range(len(cache) // 2):
                    at = 15 * i
                    x = normed(hidden, weights[at], epsilon)
                    query = project(x, weights[at + 1], weights[at + 2]).view(tokens, heads, -1)
                    key = project(x, weights[at + 3], weights[at + 4]).view(tokens, key_heads, -1)
                    value = project(x, weights[at + 5], weights[at + 6]).view(tokens, key_heads, -1)
                    if weights[at + 7].numel() > 0:
                        query = normed(query, weights[at + 7], epsilon)
                        key = normed(key, weights[at + 8], epsilon)
                    both = torch.cat([query, key], 1)
                    both = torch.addcmul(both * cosine, torch.roll(both, [both.size(2) // 2], [2]), sine)
                    keys = cache[2 * i].flatten(0, 1)
                    values = cache[2 * i + 1].flatten(0, 1)
                    keys.index_copy_(0, written, both.narrow(1, heads, key_heads))
                    values.index_copy_(0, written, value)
                    mixed = attend(both.narrow(1, 0, heads), keys, values, batches, prompts)
                    hidden = hidden + project(mixed, weights[at + 9], weights[at + 10])
                    x = normed(hidden, weights[at + 11], epsilon)
                    hidden = hidden + torch.linear(torch.silu(torch.linear(x, weights[at + 12])) * torch.linear(x, weights[at + 13]), weights[at + 14])
                return hidden

            """);
    }
}
