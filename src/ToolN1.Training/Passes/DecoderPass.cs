using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// A decoder's pass forward and back over packed batches with the derivatives written out: products in the compute dtype by
/// libtorch, all between them in our own kernels, residual and its gradient in float32, and gradients added to the
/// parameters' own. For a CPU and for plain projections; elsewhere training goes through autograd.
/// </summary>
internal abstract class DecoderPass : IDisposable
{
    /// <summary>Whether a decoder can be trained this way.</summary>
    public static bool Supports(Decoder decoder)
    {
        ModelConfig config = decoder.Config;
        return decoder.Device.type == DeviceType.CPU
            && decoder.DType == ScalarType.Float32
            && !config.QkNorm && !config.AttentionOutputBias
            && config.HeadDim % 32 == 0 && config.HiddenSize % 16 == 0 && config.IntermediateSize % 16 == 0
            && decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head).All(linear => linear.GetType() == typeof(Linear));
    }

    /// <summary>Makes a pass.</summary>
    /// <param name="decoder">f32 masters; the caller owns it.</param>
    /// <param name="compute">Dtype of the products: float32 or bfloat16.</param>
    /// <exception cref="ArgumentException">The decoder is not supported.</exception>
    public static DecoderPass Create(Decoder decoder, ScalarType compute) => !Supports(decoder)
        ? throw new ArgumentException("The decoder needs autograd.", nameof(decoder))
        : compute == ScalarType.BFloat16 ? new DecoderPass<BFloat16Element>(decoder, compute) : new DecoderPass<Float32Element>(decoder, compute);

    /// <summary>Takes over the parameters' present values; call once a step, before its first batch.</summary>
    public abstract void LoadWeights();

    /// <summary>Adds the gradients of Σ weight · cross-entropy / <paramref name="totalWeight"/> to the parameters'.</summary>
    /// <returns>Loss and hit of every prediction, in the batch's order.</returns>
    public abstract PassResult Accumulate(PackedBatch batch, double totalWeight);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What a pass predicted.</summary>
/// <param name="Losses">[predictions], unweighted.</param>
/// <param name="Hits">[predictions].</param>
internal sealed record PassResult(float[] Losses, bool[] Hits);

/// <inheritdoc/>
internal sealed unsafe class DecoderPass<T> : DecoderPass
    where T : struct, IElement
{
    /// <summary>Logits that exist at once: 16 MiB in bf16.</summary>
    private const long LogitElements = 8 << 20;

    // Rows are padded to this, so that products have few different shapes.
    private const int RowAlignment = 128;

    private readonly Decoder _decoder;
    private readonly ModelConfig _config;
    private readonly ScalarType _compute;
    private readonly HeadShape _shape;
    private readonly RowParts _parts = new(get_num_threads());
    private readonly RotaryEmbedding _rotary;
    private readonly List<LayerWeights> _weights = [];
    private Tensor? _head;

    public DecoderPass(Decoder decoder, ScalarType compute)
    {
        _decoder = decoder;
        _config = decoder.Config;
        _compute = compute;
        _shape = new HeadShape(_config.Heads, _config.KeyValueHeads, _config.HeadDim);
        _rotary = new RotaryEmbedding(_config, decoder.Device);
    }

    public override void LoadWeights()
    {
        using IDisposable noGrad = no_grad();
        Forget();
        using DisposeScope scope = NewDisposeScope();
        foreach (DecoderLayer layer in _decoder.Layers)
        {
            _weights.Add(new LayerWeights(
                cat([layer.Query.Weight, layer.Key.Weight, layer.Value.Weight], 0).to_type(_compute).DetachFromDisposeScope(),
                layer.Query.Bias is null ? null : cat([layer.Query.Bias, layer.Key.Bias!, layer.Value.Bias!], 0).DetachFromDisposeScope(),
                layer.Output.Weight.to_type(_compute, copy: true).DetachFromDisposeScope(),
                cat([layer.Gate.Weight, layer.Up.Weight], 0).to_type(_compute).DetachFromDisposeScope(),
                layer.Down.Weight.to_type(_compute, copy: true).DetachFromDisposeScope()));
        }

        _head = _decoder.Head.Weight.to_type(_compute, copy: true).DetachFromDisposeScope();
    }

    public override PassResult Accumulate(PackedBatch batch, double totalWeight)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        long tokens = batch.TokenCount;
        long rows = Padded(tokens);
        BatchPlan plan = new(new AttentionLayout(batch.Spans, (int)tokens), rows, _rotary.Angles(tensor(batch.Positions), ScalarType.Float32));

        // 1. Forward, keeping what the way back needs.
        Tensor ids = tensor(batch.Ids);
        Tensor residual = zeros([rows, _config.HiddenSize]);
        residual.narrow(0, 0, tokens).copy_(_decoder.Embedding.index_select(0, ids));
        List<LayerTape> tapes = [];
        Tensor? branch = null;
        for (int layer = 0; layer < _weights.Count; layer++)
        {
            LayerTape tape = new();
            (residual, branch) = Forward(_decoder.Layers[layer], _weights[layer], plan, residual, branch, tape);
            tapes.Add(tape);
        }

        residual = residual.clone();
        PassKernels<T>.Add(_parts, Floats(residual), Bytes(branch!), rows, _config.HiddenSize);
        branch!.Dispose();

        // 2. The head on the wanted rows, and the gradient of the residual behind the last layer.
        Tensor gradient = zeros_like(residual);
        PassResult result = Head(batch, totalWeight, residual, gradient);
        residual.Dispose();

        // 3. Back.
        for (int layer = _weights.Count - 1; layer >= 0; layer--)
        {
            using DisposeScope layerScope = NewDisposeScope();
            Backward(_decoder.Layers[layer], _weights[layer], plan, tapes[layer], gradient);
            tapes[layer].Dispose();
        }

        Gradient(_decoder.Embedding).index_add_(0, ids, gradient.narrow(0, 0, tokens), 1);
        return result;
    }

    public override void Dispose()
    {
        Forget();
        _rotary.Dispose();
    }

    private static long Padded(long rows) => (rows + RowAlignment - 1) / RowAlignment * RowAlignment;

    private static float* Floats(Tensor tensor) => (float*)TensorMemory.Address(tensor);

    private static byte* Bytes(Tensor tensor) => TensorMemory.Address(tensor);

    private static Tensor Gradient(Tensor parameter) => parameter.grad ??= zeros_like(parameter).DetachFromDisposeScope();

    private Tensor Zeros(long rows, long width) => zeros([rows, width], _compute);

    private Tensor Empty(long rows, long width) => empty([rows, width], _compute);

    private (Tensor Residual, Tensor Branch) Forward(DecoderLayer layer, LayerWeights weights, BatchPlan plan, Tensor residual, Tensor? branch, LayerTape tape)
    {
        // 1. Norm, queries, keys and values.
        tape.Input = Norm(layer.InputNorm, residual, branch, tape.InputScales = empty([plan.Rows]), out tape.Residual);
        branch?.Dispose();
        using Tensor qkv = nn.functional.linear(tape.Input, weights.Qkv);
        tape.Query = Zeros(plan.Slots * _shape.Heads, _shape.Width);
        tape.Key = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        tape.Value = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        PassKernels<T>.Split(
            _parts, _shape, Bytes(qkv), weights.Bias is null ? null : Floats(weights.Bias), Floats(plan.Cosine), Floats(plan.Sine),
            plan.Layout.TokenSlots, plan.Slots, Bytes(tape.Query), Bytes(tape.Key), Bytes(tape.Value));

        // 2. Attention.
        tape.Mixed = Attend(plan, tape);
        tape.Attended = Zeros(plan.Rows, (long)_shape.Heads * _shape.Width);
        PassKernels<T>.Merge(_parts, _shape, Bytes(tape.Mixed), Bytes(tape.Attended), plan.Layout.TokenSlots, plan.Slots);
        using Tensor projected = nn.functional.linear(tape.Attended, weights.Output);

        // 3. SwiGLU.
        tape.Hidden = Norm(layer.PostAttentionNorm, tape.Residual, projected, tape.HiddenScales = empty([plan.Rows]), out tape.Middle);
        tape.GateUp = nn.functional.linear(tape.Hidden, weights.GateUp);
        tape.Gated = Empty(plan.Rows, _config.IntermediateSize);
        PassKernels<T>.SwiGlu(_parts, Bytes(tape.GateUp), Bytes(tape.Gated), plan.Rows, _config.IntermediateSize);

        // The next norm adds the two.
        return (tape.Middle, nn.functional.linear(tape.Gated, weights.Down));
    }

    private Tensor Norm(RmsNorm norm, Tensor residual, Tensor? branch, Tensor scales, out Tensor sum)
    {
        sum = branch is null ? residual : empty_like(residual);
        Tensor normed = Empty(residual.shape[0], _config.HiddenSize);
        PassKernels<T>.AddNorm(
            _parts, Floats(residual), branch is null ? null : Bytes(branch), Floats(sum), Floats(norm.Weight), Bytes(normed), Floats(scales),
            residual.shape[0], _config.HiddenSize, norm.Epsilon);
        return normed;
    }

    private void NormBack(RmsNorm norm, Tensor outer, Tensor input, Tensor scales, Tensor gradient) => PassKernels<T>.NormBack(
        _parts, Bytes(outer), Floats(input), Floats(scales), Floats(norm.Weight), Floats(gradient), Floats(Gradient(norm.Weight)), input.shape[0], _config.HiddenSize);

    private Tensor Attend(BatchPlan plan, LayerTape tape)
    {
        Tensor mixed = Zeros(plan.Slots * _shape.Heads, _shape.Width);
        int shared = _shape.HeadsPerKey;
        foreach (AttentionPiece piece in plan.Layout.Pieces)
        {
            for (int head = 0; head < _shape.KeyHeads; head++)
            {
                using DisposeScope scope = NewDisposeScope();
                PieceView view = new(piece, head, plan.Slots, shared);
                Tensor queries = view.Queries(tape.Query!);
                Tensor output = view.Queries(mixed);
                Tensor? context = piece.ContextSlots == 0 ? null : mm(queries, view.Context(tape.Key!).t()).DetachFromDisposeScope();
                Tensor near = mm(queries, view.Near(tape.Key!).t()).DetachFromDisposeScope();
                PassKernels<T>.Softmax(_parts, piece, plan.Layout.Sights, shared, context is null ? null : Bytes(context), Bytes(near));
                output.addmm_(near, view.Near(tape.Value!), 0, 1);
                if (context is not null)
                {
                    output.addmm_(context, view.Context(tape.Value!), 1, 1);
                }

                tape.Probabilities.Add((context, near));
            }
        }

        return mixed;
    }

    private void Backward(DecoderLayer layer, LayerWeights weights, BatchPlan plan, LayerTape tape, Tensor gradient)
    {
        // 1. SwiGLU.
        Tensor branch = Empty(plan.Rows, _config.HiddenSize);
        PassKernels<T>.Round(_parts, Floats(gradient), Bytes(branch), plan.Rows, _config.HiddenSize);
        AddProduct(layer.Down.Weight, branch, tape.Gated!);
        Tensor gated = mm(branch, weights.Down);
        PassKernels<T>.SwiGluBack(_parts, Bytes(gated), Bytes(tape.GateUp!), plan.Rows, _config.IntermediateSize);
        AddProducts([layer.Gate.Weight, layer.Up.Weight], tape.GateUp!, tape.Hidden!);
        NormBack(layer.PostAttentionNorm, mm(tape.GateUp!, weights.GateUp), tape.Middle!, tape.HiddenScales!, gradient);

        // 2. Attention.
        PassKernels<T>.Round(_parts, Floats(gradient), Bytes(branch), plan.Rows, _config.HiddenSize);
        AddProduct(layer.Output.Weight, branch, tape.Attended!);
        Tensor qkv = AttendBack(layer, plan, tape, mm(branch, weights.Output));
        AddProducts([layer.Query.Weight, layer.Key.Weight, layer.Value.Weight], qkv, tape.Input!);
        NormBack(layer.InputNorm, mm(qkv, weights.Qkv), tape.Residual!, tape.InputScales!, gradient);
    }

    private Tensor AttendBack(DecoderLayer layer, BatchPlan plan, LayerTape tape, Tensor attended)
    {
        Tensor outer = Zeros(plan.Slots * _shape.Heads, _shape.Width);
        Tensor dots = zeros([plan.Slots * _shape.Heads]);
        PassKernels<T>.MergeBack(_parts, _shape, Bytes(attended), Bytes(tape.Mixed!), Bytes(outer), Floats(dots), plan.Layout.TokenSlots, plan.Slots);

        Tensor query = Empty(plan.Slots * _shape.Heads, _shape.Width);
        Tensor key = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        Tensor value = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        int index = 0;
        foreach (AttentionPiece piece in plan.Layout.Pieces)
        {
            for (int head = 0; head < _shape.KeyHeads; head++)
            {
                using DisposeScope scope = NewDisposeScope();
                PieceView view = new(piece, head, plan.Slots, _shape.HeadsPerKey);
                Tensor queries = view.Queries(tape.Query!);
                Tensor outers = view.Queries(outer);
                Tensor target = view.Queries(query);
                float* pieceDots = Floats(dots) + view.QueryRow;
                (Tensor? context, Tensor near) = tape.Probabilities[index++];
                Stretch(near, view.Near, first: true);
                if (context is not null)
                {
                    Stretch(context, view.Context, first: false);
                }

                void Stretch(Tensor probabilities, Func<Tensor, Tensor> keysOf, bool first)
                {
                    keysOf(value).addmm_(probabilities.t(), outers, 1, 1);
                    Tensor scores = mm(outers, keysOf(tape.Value!).t());
                    PassKernels<T>.SoftmaxBack(_parts, scores.shape[0], scores.shape[1], Bytes(probabilities), Bytes(scores), pieceDots);
                    target.addmm_(scores, keysOf(tape.Key!), first ? 0 : 1, 1);
                    keysOf(key).addmm_(scores.t(), queries, 1, 1);
                }
            }
        }

        Tensor qkv = Zeros(plan.Rows, _shape.RowWidth);
        float[] biases = new float[_shape.RowWidth];
        fixed (float* biasGradient = biases)
        {
            PassKernels<T>.SplitBack(
                _parts, _shape, Bytes(qkv), biasGradient, Floats(plan.Cosine), Floats(plan.Sine), plan.Layout.TokenSlots, plan.Slots,
                Bytes(query), Bytes(key), Bytes(value));
        }

        int start = 0;
        foreach (Linear linear in new[] { layer.Query, layer.Key, layer.Value })
        {
            int width = (int)linear.Weight.shape[0];
            if (linear.Bias is not null)
            {
                Gradient(linear.Bias).add_(tensor(biases[start..(start + width)]));
            }

            start += width;
        }

        return qkv;
    }

    private PassResult Head(PackedBatch batch, double totalWeight, Tensor residual, Tensor gradient)
    {
        long count = batch.Sources.Length;
        long rows = Padded(count);
        Tensor sources = tensor(batch.Sources);
        Tensor wanted = zeros([rows, _config.HiddenSize]);
        wanted.narrow(0, 0, count).copy_(residual.index_select(0, sources));
        Tensor scales = empty([rows]);
        Tensor normed = Norm(_decoder.FinalNorm, wanted, null, scales, out _);
        Tensor outer = Empty(rows, _config.HiddenSize);

        long[] targets = [.. batch.Targets, .. new long[rows - count]];
        float[] weights = [.. batch.Weights.Select(weight => (float)(weight / totalWeight)), .. new float[rows - count]];
        float[] losses = new float[rows];
        bool[] hits = new bool[rows];
        long piece = Math.Max(1, LogitElements / _config.VocabularySize / RowAlignment) * RowAlignment;
        for (long start = 0; start < rows; start += piece)
        {
            using DisposeScope scope = NewDisposeScope();
            long length = Math.Min(piece, rows - start);
            Tensor input = normed.narrow(0, start, length);
            Tensor logits = nn.functional.linear(input, _head!);
            PassKernels<T>.CrossEntropy(_parts, Bytes(logits), targets, weights, losses, hits, start, length, _config.VocabularySize);
            outer.narrow(0, start, length).copy_(mm(logits, _head!));
            AddProduct(_decoder.Head.Weight, logits, input);
        }

        Tensor back = zeros_like(wanted);
        NormBack(_decoder.FinalNorm, outer, wanted, scales, back);
        gradient.index_add_(0, sources, back.narrow(0, 0, count), 1);
        return new PassResult(losses[..(int)count], hits[..(int)count]);
    }

    private static void AddProduct(Tensor parameter, Tensor outer, Tensor input) => AddProducts([parameter], outer, input);

    private static void AddProducts(Tensor[] parameters, Tensor outer, Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor product = mm(outer.t(), input);
        long start = 0;
        foreach (Tensor parameter in parameters)
        {
            Gradient(parameter).add_(product.narrow(0, start, parameter.shape[0]));
            start += parameter.shape[0];
        }
    }

    private void Forget()
    {
        foreach (LayerWeights weights in _weights)
        {
            weights.Dispose();
        }

        _weights.Clear();
        _head?.Dispose();
        _head = null;
    }

    private sealed class BatchPlan(AttentionLayout layout, long rows, (Tensor Cosine, Tensor Sine) angles)
    {
        public AttentionLayout Layout { get; } = layout;

        public long Rows { get; } = rows;

        public long Slots { get; } = layout.Slots;

        public Tensor Cosine { get; } = angles.Cosine;

        public Tensor Sine { get; } = angles.Sine;
    }

    /// <summary>The rows of a piece in tensors that are laid out by key head and slot.</summary>
    private readonly struct PieceView(AttentionPiece piece, int head, long slots, int headsPerKey)
    {
        public long QueryRow { get; } = ((head * slots) + piece.QuerySlot) * headsPerKey;

        private readonly long _contextRow = (head * slots) + piece.ContextSlot;
        private readonly long _nearRow = (head * slots) + piece.KeySlot;
        private readonly AttentionPiece _piece = piece;
        private readonly int _headsPerKey = headsPerKey;

        public Tensor Queries(Tensor tensor) => tensor.narrow(0, QueryRow, (long)_piece.Queries * _headsPerKey);

        public Tensor Context(Tensor tensor) => tensor.narrow(0, _contextRow, _piece.ContextSlots);

        public Tensor Near(Tensor tensor) => tensor.narrow(0, _nearRow, _piece.Keys);
    }

    /// <summary>A layer's weights in the compute dtype, fused as they are multiplied.</summary>
    private sealed record LayerWeights(Tensor Qkv, Tensor? Bias, Tensor Output, Tensor GateUp, Tensor Down) : IDisposable
    {
        public void Dispose()
        {
            Qkv.Dispose();
            Bias?.Dispose();
            Output.Dispose();
            GateUp.Dispose();
            Down.Dispose();
        }
    }

    /// <summary>What a layer's way back needs.</summary>
    private sealed class LayerTape : IDisposable
    {
        public Tensor? Residual;
        public Tensor? InputScales;
        public Tensor? Input;
        public Tensor? Query;
        public Tensor? Key;
        public Tensor? Value;
        public List<(Tensor? Context, Tensor Near)> Probabilities = [];
        public Tensor? Mixed;
        public Tensor? Attended;
        public Tensor? Middle;
        public Tensor? HiddenScales;
        public Tensor? Hidden;
        public Tensor? GateUp;
        public Tensor? Gated;

        public void Dispose()
        {
            foreach (Tensor? tensor in new[] { Residual, InputScales, Input, Query, Key, Value, Mixed, Attended, Middle, HiddenScales, Hidden, GateUp, Gated })
            {
                tensor?.Dispose();
            }

            foreach ((Tensor? context, Tensor near) in Probabilities)
            {
                context?.Dispose();
                near.Dispose();
            }
        }
    }
}
