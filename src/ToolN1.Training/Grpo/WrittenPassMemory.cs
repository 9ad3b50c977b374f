using ToolN1.Engine.Model;
using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>What the pass with written-out derivatives takes, counted tensor by tensor (see <see cref="LayerTape"/> and <see cref="HeadPass{T}"/>).</summary>
/// <param name="config">The run.</param>
/// <param name="model">Its model's shape.</param>
/// <param name="compute">Dtype of the products.</param>
/// <param name="tokens">Of a micro-batch.</param>
internal sealed class WrittenPassMemory(GrpoConfig config, ModelConfig model, ScalarType compute, long tokens)
{
    private readonly int _size = compute == ScalarType.Float32 ? 4 : 2;
    private readonly long _queries = (long)model.Heads * model.HeadDim;
    private readonly long _keys = (long)model.KeyValueHeads * model.HeadDim;

    // Prompts and responses are taken to be half as long as they may be, on average.
    private readonly double _prompt = config.MaxPromptTokens / 2.0;
    private readonly double _responses = config.GroupSize * config.MaxResponseTokens / 2.0;

    /// <summary>A pass's weights beside the decoder's own: fused ones always, the others where they are rounded.</summary>
    /// <param name="stored">Dtype of the decoder's weights.</param>
    public long Weights(ScalarType stored)
    {
        long fused = model.Layers * (model.HiddenSize * (_queries + (2 * _keys)) + (2L * model.HiddenSize * model.IntermediateSize));
        long single = (model.Layers * ((model.HiddenSize * _queries) + ((long)model.HiddenSize * model.IntermediateSize))) + ((long)model.VocabularySize * model.HiddenSize);
        return _size * (fused + (stored == compute ? 0 : single));
    }

    /// <summary>f32, of every layer.</summary>
    public long LayerInputs => model.Layers * tokens * model.HiddenSize * 4;

    /// <summary>
    /// What else stays of one layer: the residual after attention and two scales in f32; norms' outputs, queries, keys, values, attention's
    /// output twice, gate, up and their product; and attention's probabilities, of the prompt and of what is near in a piece.
    /// </summary>
    public long Layer
    {
        get
        {
            double near = Math.Min(_responses, Math.Max(AttentionLayout.PieceSlots + AttentionLayout.Alignment, ((config.MaxResponseTokens / 2.0) + AttentionLayout.PieceSlots) / 2));
            long seen = (long)Math.Min(tokens, (ResponseShare * (_prompt + near)) + ((1 - ResponseShare) * (_prompt + AttentionLayout.PieceSlots) / 2));
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
            long rows = (long)(tokens * ResponseShare);
            long head = (8 * tokens * model.HiddenSize) + (rows * (8 + (2L * _size)) * model.HiddenSize) + Logits(rows);
            return Math.Max(layer, head);
        }
    }

    private double ResponseShare => _responses / (_prompt + _responses);

    private long Logits(long rows)
    {
        long piece = Math.Min(rows, PassPlan.Whole(DecoderPass.LogitElements / model.VocabularySize));
        return _size * ((piece * (model.VocabularySize + model.HiddenSize)) + ((long)model.VocabularySize * model.HiddenSize));
    }
}
