using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using TorchSharp;
using static ToolN1.Training.Passes.PassTensors;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>A layer forward and back, with its weights in the products' dtype, fused as they are multiplied.</summary>
/// <param name="layer">The layer; the caller owns it.</param>
/// <param name="config">The model's shape.</param>
/// <param name="parts">Threads.</param>
/// <param name="compute">Dtype of the products, that of <typeparamref name="T"/>.</param>
internal sealed unsafe class LayerPass<T>(DecoderLayer layer, ModelConfig config, RowParts parts, ScalarType compute) : IDisposable
    where T : struct, IElement
{
    private readonly HeadShape _shape = new(config.Heads, config.KeyValueHeads, config.HeadDim);
    private Weights? _weights;

    /// <summary>Takes over the parameters' present values.</summary>
    public void LoadWeights()
    {
        _weights?.Dispose();
        using DisposeScope scope = NewDisposeScope();
        _weights = new Weights(
            layer.InputNorm.Weight.to_type(ScalarType.Float32).DetachFromDisposeScope(),
            cat([layer.Query.Weight, layer.Key.Weight, layer.Value.Weight], 0).to_type(compute).DetachFromDisposeScope(),
            layer.Query.Bias is null ? null : cat([layer.Query.Bias, layer.Key.Bias!, layer.Value.Bias!], 0).to_type(ScalarType.Float32).DetachFromDisposeScope(),
            layer.Output.Weight.to_type(compute).DetachFromDisposeScope(),
            layer.PostAttentionNorm.Weight.to_type(ScalarType.Float32).DetachFromDisposeScope(),
            cat([layer.Gate.Weight, layer.Up.Weight], 0).to_type(compute).DetachFromDisposeScope(),
            layer.Down.Weight.to_type(compute).DetachFromDisposeScope());
    }

    /// <summary>The layer up to its last product.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="residual">f32 [rows, hidden]; stays the caller's.</param>
    /// <param name="branch">What the layer before adds to it, or null.</param>
    /// <returns>What the way back needs, in the current dispose scope; the caller disposes it.</returns>
    public LayerTape Forward(PassPlan plan, Tensor residual, Tensor? branch)
    {
        // 1. Norm, queries, keys and values.
        LayerTape tape = new() { InputScales = empty([plan.Rows]) };
        tape.Input = AddNorm(_weights!.InputNorm, layer.InputNorm.Epsilon, residual, branch, tape.InputScales, out tape.Residual);
        using Tensor qkv = nn.functional.linear(tape.Input, _weights.Qkv);
        tape.Query = Zeros(plan.Slots * _shape.Heads, _shape.Width);
        tape.Key = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        tape.Value = Zeros(plan.Slots * _shape.KeyHeads, _shape.Width);
        PassKernels<T>.Split(
            parts, _shape, Bytes(qkv), _weights.Bias is null ? null : Floats(_weights.Bias), Floats(plan.Cosine), Floats(plan.Sine),
            plan.Layout.TokenSlots, plan.Slots, Bytes(tape.Query), Bytes(tape.Key), Bytes(tape.Value));

        // 2. Attention.
        tape.Mixed = Attend(plan, tape);
        tape.Attended = Zeros(plan.Rows, (long)_shape.Heads * _shape.Width);
        PassKernels<T>.Merge(parts, _shape, Bytes(tape.Mixed), Bytes(tape.Attended), plan.Layout.TokenSlots, plan.Slots);
        using Tensor projected = nn.functional.linear(tape.Attended, _weights.Output);

        // 3. SwiGLU.
        tape.HiddenScales = empty([plan.Rows]);
        tape.Hidden = AddNorm(_weights.HiddenNorm, layer.PostAttentionNorm.Epsilon, tape.Residual, projected, tape.HiddenScales, out tape.Middle);
        tape.GateUp = nn.functional.linear(tape.Hidden, _weights.GateUp);
        tape.Gated = Empty(plan.Rows, config.IntermediateSize);
        PassKernels<T>.SwiGlu(parts, Bytes(tape.GateUp), Bytes(tape.Gated), plan.Rows, config.IntermediateSize);
        return tape;
    }

    /// <summary>The last product, which the next norm adds to <see cref="LayerTape.Middle"/>.</summary>
    public Tensor Branch(LayerTape tape) => nn.functional.linear(tape.Gated!, _weights!.Down);

    /// <summary>Adds the parameters' gradients, and turns the output's gradient into the input's.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="tape">Whole; overwritten.</param>
    /// <param name="gradient">f32 [rows, hidden].</param>
    /// <param name="gradients">Gets the parameters'.</param>
    public void Backward(PassPlan plan, LayerTape tape, Tensor gradient, PassGradients gradients)
    {
        // 1. SwiGLU.
        Tensor branch = Empty(plan.Rows, config.HiddenSize);
        PassKernels<T>.Round(parts, Floats(gradient), Bytes(branch), plan.Rows, config.HiddenSize);
        gradients.AddProducts(branch, tape.Gated!, layer.Down.Weight);
        using (Tensor gated = mm(branch, _weights!.Down))
        {
            PassKernels<T>.SwiGluBack(parts, Bytes(gated), Bytes(tape.GateUp!), plan.Rows, config.IntermediateSize);
        }

        gradients.AddProducts(tape.GateUp!, tape.Hidden!, layer.Gate.Weight, layer.Up.Weight);
        NormBack(gradients, layer.PostAttentionNorm.Weight, _weights.HiddenNorm, mm(tape.GateUp!, _weights.GateUp), tape.Middle!, tape.HiddenScales!, gradient);

        // 2. Attention.
        PassKernels<T>.Round(parts, Floats(gradient), Bytes(branch), plan.Rows, config.HiddenSize);
        gradients.AddProducts(branch, tape.Attended!, layer.Output.Weight);
        Tensor qkv = AttendBack(plan, tape, gradients, mm(branch, _weights.Output));
        gradients.AddProducts(qkv, tape.Input!, layer.Query.Weight, layer.Key.Weight, layer.Value.Weight);
        NormBack(gradients, layer.InputNorm.Weight, _weights.InputNorm, mm(qkv, _weights.Qkv), tape.Residual!, tape.InputScales!, gradient);
    }

    /// <inheritdoc/>
    public void Dispose() => _weights?.Dispose();

    private Tensor Zeros(long rows, long width) => zeros([rows, width], compute);

    private Tensor Empty(long rows, long width) => empty([rows, width], compute);

    private Tensor AddNorm(Tensor weight, double epsilon, Tensor residual, Tensor? branch, Tensor scales, out Tensor sum)
    {
        sum = branch is null ? residual : empty_like(residual);
        Tensor normed = Empty(residual.shape[0], config.HiddenSize);
        PassKernels<T>.AddNorm(
            parts, Floats(residual), branch is null ? null : Bytes(branch), Floats(sum), Floats(weight), Bytes(normed), Floats(scales),
            residual.shape[0], config.HiddenSize, epsilon);
        return normed;
    }

    private void NormBack(PassGradients gradients, Tensor parameter, Tensor weight, Tensor outer, Tensor input, Tensor scales, Tensor gradient) => PassKernels<T>.NormBack(
        parts, Bytes(outer), Floats(input), Floats(scales), Floats(weight), Floats(gradient), Floats(gradients.Of(parameter)), input.shape[0], config.HiddenSize);

    private Tensor Attend(PassPlan plan, LayerTape tape)
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
                PassKernels<T>.Softmax(parts, piece, plan.Layout.Sights, shared, context is null ? null : Bytes(context), Bytes(near));
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

    private Tensor AttendBack(PassPlan plan, LayerTape tape, PassGradients gradients, Tensor attended)
    {
        Tensor outer = Zeros(plan.Slots * _shape.Heads, _shape.Width);
        Tensor dots = zeros([plan.Slots * _shape.Heads]);
        PassKernels<T>.MergeBack(parts, _shape, Bytes(attended), Bytes(tape.Mixed!), Bytes(outer), Floats(dots), plan.Layout.TokenSlots, plan.Slots);

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
                    PassKernels<T>.SoftmaxBack(parts, scores.shape[0], scores.shape[1], Bytes(probabilities), Bytes(scores), pieceDots);
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
                parts, _shape, Bytes(qkv), biasGradient, Floats(plan.Cosine), Floats(plan.Sine), plan.Layout.TokenSlots, plan.Slots,
                Bytes(query), Bytes(key), Bytes(value));
        }

        int start = 0;
        foreach (Linear linear in new[] { layer.Query, layer.Key, layer.Value })
        {
            int width = (int)linear.Weight.shape[0];
            if (linear.Bias is not null)
            {
                gradients.Of(linear.Bias).AddTensor_(tensor(biases[start..(start + width)]));
            }

            start += width;
        }

        return qkv;
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

    private sealed record Weights(Tensor InputNorm, Tensor Qkv, Tensor? Bias, Tensor Output, Tensor HiddenNorm, Tensor GateUp, Tensor Down) : IDisposable
    {
        public void Dispose()
        {
            foreach (Tensor? tensor in new[] { InputNorm, Qkv, Bias, Output, HiddenNorm, GateUp, Down })
            {
                tensor?.Dispose();
            }
        }
    }
}
