using ToolN1.Engine.Model;
using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Planning;

/// <summary>What the pass with written-out derivatives takes, counted tensor by tensor (see <see cref="LayerTape"/> and <see cref="HeadPass{T}"/>).</summary>
/// <param name="model">The model's shape.</param>
/// <param name="compute">Dtype of the products.</param>
/// <param name="tokens">Of a micro-batch.</param>
/// <param name="shape">What that is made of.</param>
internal sealed class WrittenPassMemory(ModelConfig model, ScalarType compute, long tokens, BatchShape shape)
{
    // Products of a layer and of the head, forward and back, and of attention's.
    private const int LayerProducts = 15;
    private const int AttentionProducts = 5;

    private readonly int _size = MemoryLedger.Size(compute);
    private readonly long _queries = (long)model.Heads * model.HeadDim;
    private readonly long _keys = (long)model.KeyValueHeads * model.HeadDim;

    /// <summary>Of a micro-batch.</summary>
    public long Tokens => tokens;

    /// <summary>f32, of every layer.</summary>
    public long LayerInputs => model.Layers * tokens * model.HiddenSize * 4;

    /// <summary>
    /// What else stays of one layer: the residual after attention and two scales in f32; norms' outputs, queries, keys, values, attention's
    /// output twice, gate, up and their product; and attention's probabilities, of the prefix and of what is near in a piece.
    /// </summary>
    public long Layer
    {
        get
        {
            double near = Math.Min(shape.Rest, Math.Max(AttentionLayout.PieceSlots + AttentionLayout.Alignment, (shape.Row + AttentionLayout.PieceSlots) / 2));
            long seen = (long)Math.Min(tokens, (shape.RestShare * (shape.Prefix + near)) + ((1 - shape.RestShare) * (shape.Prefix + AttentionLayout.PieceSlots) / 2));
            long narrow = (2L * model.HiddenSize) + (3 * _queries) + (2 * _keys) + (3L * model.IntermediateSize) + (model.Heads * seen);
            return tokens * (8 + (4 * model.HiddenSize) + (_size * narrow));
        }
    }

    /// <summary>What comes and goes: a layer's gradients and its largest weight's, or the head's rows, a piece of logits and its weight's gradient.</summary>
    public long Working
    {
        get
        {
            long layer = (tokens * ((4 * model.HiddenSize) + (_size * ((3L * model.HiddenSize) + (4 * _queries) + (4 * _keys))))) + (2L * _size * model.HiddenSize * model.IntermediateSize);
            long rows = (long)(tokens * shape.Predicting);
            long head = (8 * tokens * model.HiddenSize) + (rows * (8 + (2L * _size)) * model.HiddenSize) + Logits(rows);
            return Math.Max(layer, head);
        }
    }

    /// <summary>All of the above where no layer is computed again.</summary>
    public long Total => LayerInputs + (model.Layers * Layer) + Working;

    /// <summary>A pass's weights beside the decoder's own: fused ones always, the others where they are rounded.</summary>
    /// <param name="model">The model's shape.</param>
    /// <param name="compute">Dtype of the products.</param>
    /// <param name="stored">Dtype of the decoder's weights.</param>
    public static long Weights(ModelConfig model, ScalarType compute, ScalarType stored)
    {
        long queries = (long)model.Heads * model.HeadDim;
        long keys = (long)model.KeyValueHeads * model.HeadDim;
        long fused = model.Layers * (model.HiddenSize * (queries + (2 * keys)) + (2L * model.HiddenSize * model.IntermediateSize));
        long single = (model.Layers * ((model.HiddenSize * queries) + ((long)model.HiddenSize * model.IntermediateSize))) + ((long)model.VocabularySize * model.HiddenSize);
        return MemoryLedger.Size(compute) * (fused + (stored == compute ? 0 : single));
    }

    /// <summary>
    /// Compiled products: a layer's and the head's for every number of rows between half a micro-batch and a whole one, attention's for
    /// every number of queries and keys.
    /// </summary>
    /// <param name="compute">Dtype of the products.</param>
    /// <param name="tokens">Of a micro-batch.</param>
    /// <param name="longest">Tokens of a row up to which attention is counted on to meet every length.</param>
    public static long Kernels(ScalarType compute, long tokens, long longest)
    {
        long keys = (longest + AttentionLayout.Alignment - 1) / AttentionLayout.Alignment;
        return CompiledProducts.Bytes(compute, (LayerProducts * CompiledProducts.RowCounts(tokens)) + (AttentionProducts * (AttentionLayout.PieceSlots / AttentionLayout.Alignment) * keys));
    }

    private long Logits(long rows)
    {
        long piece = Math.Min(rows, PassPlan.Whole(DecoderPass.LogitElements / model.VocabularySize));
        return _size * ((piece * (model.VocabularySize + model.HiddenSize)) + ((long)model.VocabularySize * model.HiddenSize));
    }
}
