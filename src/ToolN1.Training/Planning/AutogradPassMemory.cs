using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Training.Planning;

/// <summary>What a pass through autograd takes.</summary>
/// <param name="model">The model's shape.</param>
/// <param name="compute">Dtype of the products.</param>
/// <param name="stored">Dtype of the weights.</param>
/// <param name="trainsWeights">Whether these are trained; otherwise adapters over them.</param>
/// <param name="tokens">Of a micro-batch.</param>
/// <param name="longest">Tokens of the longest row.</param>
/// <param name="logitElements">Logits that exist at once.</param>
internal sealed class AutogradPassMemory(ModelConfig model, ScalarType compute, ScalarType stored, bool trainsWeights, long tokens, long longest, long logitElements)
{
    // Products of a layer and of the head, forward and back, that differ in shape or in what they add to: counted in oneDNN's log.
    private const int WeightProducts = 15;
    private const int AdapterProducts = 29;

    /// <summary>Of a micro-batch.</summary>
    public long Tokens => tokens;

    /// <summary>Compiled products, for every number of rows between half a micro-batch and a whole one. Attention's are in f32.</summary>
    public long Kernels => CompiledProducts.Bytes(compute, (trainsWeights ? WeightProducts : AdapterProducts) * CompiledProducts.RowCounts(tokens));

    /// <summary>f32, of every layer: what stays where layers are computed again.</summary>
    public long LayerInputs => (model.Layers + 1L) * tokens * model.HiddenSize * 4;

    /// <summary>
    /// What autograd keeps of one layer, and the gradients that pass through it. In units of a token's row: eight of the
    /// hidden width (norms, residuals, attention's output), six of queries and keys (before and after rotation, scaled),
    /// six of the SwiGLU's width; with bf16 products a copy of each product's input and output in bf16 besides. Attention keeps
    /// its probabilities.
    /// </summary>
    public long Layer
    {
        get
        {
            long queries = (long)model.Heads * model.HeadDim;
            long keys = (long)model.KeyValueHeads * model.HeadDim;
            long wide = (8L * model.HiddenSize) + (6 * (queries + keys)) + (6L * model.IntermediateSize);
            long narrow = compute == ScalarType.BFloat16 ? (4L * model.HiddenSize) + (2 * (queries + keys)) + (4L * model.IntermediateSize) : 0;
            long seen = Math.Min(tokens, longest) / 2;
            long probabilities = model.Heads * seen;
            long castWeights = compute == ScalarType.BFloat16 && trainsWeights ? 2 * ((2 * model.HiddenSize * (queries + keys)) + (3L * model.HiddenSize * model.IntermediateSize)) : 0;
            return (tokens * ((4 * (wide + probabilities)) + (2 * narrow))) + castWeights;
        }
    }

    /// <summary>The head: a piece's logits, log-probabilities and gradients in f32, the head's cast, and its gradient, which is added piece by piece to the one that is kept.</summary>
    public long Logits
    {
        get
        {
            long rows = Math.Min(tokens, Math.Max(1, logitElements / model.VocabularySize));
            long copies = compute == ScalarType.BFloat16 ? 6 : 5;
            long head = (long)model.VocabularySize * model.HiddenSize;
            return (rows * model.VocabularySize * 4 * copies) + (compute == ScalarType.BFloat16 && stored != compute ? 2 * head : 0) + (trainsWeights ? 4 * head : 0);
        }
    }
}
