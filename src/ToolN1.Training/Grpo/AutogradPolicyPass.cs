using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>
/// A decoder's pass over packed batches, forward and back through autograd. Logits exist a piece at a time. With
/// recomputation only each layer's input stays between the two directions. Weights that need no gradient (frozen, bf16) get
/// none; the residual is f32 whatever their dtype.
/// </summary>
/// <param name="decoder">The model; the caller owns it.</param>
/// <param name="recomputes">Keeps layer inputs only.</param>
internal sealed class AutogradPolicyPass(Decoder decoder, bool recomputes) : PolicyPass
{
    /// <summary>Logits that exist at once: 16 MiB in f32, of which a piece has four copies.</summary>
    public const long LogitElements = 4 << 20;

    private readonly RotaryEmbedding _rotary = new(decoder.Config, decoder.Device);
    private readonly HeadPieces _pieces = new(LogitElements, decoder.Config.VocabularySize, decoder.Device);

    /// <inheritdoc/>
    public override PassScores Score(PackedBatch batch, double temperature)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using BatchTensors inputs = new(batch, _rotary, _pieces, decoder.Device);
        Tensor hidden = Embed(inputs.Ids);
        foreach (DecoderLayer layer in decoder.Layers)
        {
            hidden = Replace(hidden, Layer(layer, hidden, inputs));
        }

        Tensor rows = decoder.FinalNorm.Forward(hidden.index_select(0, inputs.Sources));
        PassScores scores = NewScores(batch);
        foreach ((int start, int count) in _pieces.Of(rows.shape[0]))
        {
            using DisposeScope piece = NewDisposeScope();
            ScorePiece(rows, inputs.Targets, start, count, temperature, scores);
        }

        return scores;
    }

    /// <inheritdoc/>
    public override PassScores Accumulate(PackedBatch batch, double temperature, bool wholeBatch, LossDerivative derivative)
    {
        using DisposeScope scope = NewDisposeScope();
        using BatchTensors inputs = new(batch, _rotary, _pieces, decoder.Device);

        // 1. Forward: with the graph of all layers, or with their inputs alone.
        List<Tensor> layerInputs = [];
        Tensor hidden;
        using (recomputes ? no_grad() : null)
        {
            hidden = Embed(inputs.Ids);
            foreach (DecoderLayer layer in decoder.Layers)
            {
                layerInputs.Add(hidden);
                hidden = Layer(layer, hidden, inputs);
            }
        }

        // 2. Head and loss on a detached copy of the wanted rows, each piece backward at once.
        Tensor last = recomputes ? Leaf(hidden) : hidden;
        Tensor wanted = decoder.FinalNorm.Forward(last.index_select(0, inputs.Sources));
        Tensor rows = Leaf(wanted);
        PassScores scores = HeadBack(batch, inputs, rows, temperature, wholeBatch, derivative);
        wanted.backward([rows.grad!]);
        if (!recomputes)
        {
            return scores;
        }

        // 3. Back, layer by layer, each computed again.
        Tensor gradient = last.grad!;
        for (int index = decoder.Layers.Count - 1; index >= 0; index--)
        {
            using DisposeScope layerScope = NewDisposeScope();
            Tensor input = Leaf(layerInputs[index]);
            Layer(decoder.Layers[index], input, inputs).backward([gradient]);
            inputs.Release();
            gradient.Dispose();
            layerInputs[index].Dispose();
            gradient = input.grad!.MoveToOuterDisposeScope();
        }

        if (decoder.Embedding.requires_grad)
        {
            Embed(inputs.Ids).backward([gradient]);
        }

        return scores;
    }

    /// <inheritdoc/>
    public override void Dispose() => _rotary.Dispose();

    private static Tensor Leaf(Tensor tensor)
    {
        Tensor leaf = tensor.detach();
        leaf.requires_grad = true;
        return leaf;
    }

    private static Tensor Replace(Tensor old, Tensor tensor)
    {
        old.Dispose();
        return tensor;
    }

    private static PassScores NewScores(PackedBatch batch) => new(new float[batch.AnswerTokens], new float[batch.AnswerTokens]);

    private Tensor Embed(Tensor ids) => decoder.Embedding.index_select(0, ids).to_type(ScalarType.Float32);

    /// <summary>A layer; its attention's saved tensors live as long as the graph, or not at all without one.</summary>
    private static Tensor Layer(DecoderLayer layer, Tensor hidden, BatchTensors inputs)
    {
        // What the graph needs it holds itself; the rest of the layer's tensors go at once.
        using DisposeScope scope = NewDisposeScope();
        SpanAttention attention = new(inputs.Spans, hidden.device);
        inputs.Keep(attention);
        Tensor output = layer.Forward(hidden, inputs.Cosine, inputs.Sine, attention).MoveToOuterDisposeScope();
        if (!is_grad_enabled())
        {
            inputs.Release();
        }

        return output;
    }

    private PassScores HeadBack(PackedBatch batch, BatchTensors inputs, Tensor rows, double temperature, bool wholeBatch, LossDerivative derivative)
    {
        PassScores scores = NewScores(batch);
        float[]? all = null;
        if (wholeBatch)
        {
            using IDisposable noGrad = no_grad();
            foreach ((int start, int count) in _pieces.Of(rows.shape[0]))
            {
                using DisposeScope piece = NewDisposeScope();
                ScorePiece(rows, inputs.Targets, start, count, temperature, scores);
            }

            all = derivative(0, scores.LogProbs);
        }

        foreach ((int start, int count) in _pieces.Of(rows.shape[0]))
        {
            using DisposeScope piece = NewDisposeScope();
            Tensor chosen = ScorePiece(rows, inputs.Targets, start, count, temperature, scores);
            int wanted = Math.Min(count, scores.LogProbs.Length - start);
            float[] coefficients = all is null ? derivative(start, scores.LogProbs[start..(start + wanted)]) : all[start..(start + wanted)];

            // What is padding counts nothing.
            Array.Resize(ref coefficients, count);
            (chosen * tensor(coefficients, device: decoder.Device)).sum().backward();
        }

        return scores;
    }

    /// <summary>The log-probabilities of a piece, with graph where gradients are on; noted in the scores.</summary>
    private Tensor ScorePiece(Tensor rows, Tensor targets, int start, int count, double temperature, PassScores scores)
    {
        Tensor logits = decoder.Logits(rows.narrow(0, start, count));
        Tensor logProbs = TemperedLogProbs(logits, temperature);
        Tensor chosen = logProbs.gather(1, targets.narrow(0, start, count).unsqueeze(1)).squeeze(1);
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        int wanted = Math.Min(count, scores.LogProbs.Length - start);
        Tensor entropies = Entropy(logProbs.detach());
        chosen.detach().narrow(0, 0, wanted).cpu().data<float>().ToArray().CopyTo(scores.LogProbs, start);
        entropies.narrow(0, 0, wanted).cpu().data<float>().ToArray().CopyTo(scores.Entropies, start);
        return chosen;
    }

    /// <summary>A batch on the device, padded, in the current dispose scope; predictions that are padding count nothing.</summary>
    private sealed class BatchTensors : IDisposable
    {
        private readonly List<SpanAttention> _attentions = [];

        public BatchTensors(PackedBatch batch, RotaryEmbedding rotary, HeadPieces pieces, Device device)
        {
            PaddedBatch padded = new(batch, pieces, device);
            Spans = padded.Spans;
            Ids = tensor(padded.Ids, device: device);
            Sources = tensor(padded.Sources, device: device);
            Targets = tensor(padded.Targets, device: device);
            (Cosine, Sine) = rotary.Angles(tensor(padded.Positions, device: device), ScalarType.Float32);
        }

        public IReadOnlyList<AttentionSpan> Spans { get; }

        public Tensor Ids { get; }

        public Tensor Sources { get; }

        public Tensor Targets { get; }

        public Tensor Cosine { get; }

        public Tensor Sine { get; }

        /// <summary>Holds what an attention saved until its graph was gone back through.</summary>
        public void Keep(SpanAttention attention) => _attentions.Add(attention);

        /// <summary>Frees what attentions saved.</summary>
        public void Release()
        {
            foreach (SpanAttention attention in _attentions)
            {
                attention.Dispose();
            }

            _attentions.Clear();
        }

        public void Dispose() => Release();
    }
}
