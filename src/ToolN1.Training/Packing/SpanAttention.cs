using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Packing;

/// <summary>
/// Attention of a packed batch under autograd: each span's queries meet only the keys they may see, so that no token of one
/// row is ever multiplied with one of another, and nothing is padded.
/// </summary>
/// <remarks>
/// The derivative is written out (dS = P ∘ (dP − rowsum(dO ∘ O))) because slicing under autograd would fill a whole zero
/// tensor for each slice on the way back.
/// </remarks>
internal sealed class SpanAttention : IAttention, IDisposable
{
    private readonly IReadOnlyList<AttentionSpan> _spans;
    private readonly Tensor _causal;
    private readonly List<Tensor> _saved = [];

    /// <summary>Prepares a batch.</summary>
    /// <param name="spans">Covering every token of the batch once.</param>
    /// <param name="device">The model's device.</param>
    public SpanAttention(IReadOnlyList<AttentionSpan> spans, Device device)
    {
        _spans = spans;
        using IDisposable noGrad = no_grad();
        _causal = NumberOps.Filled([AttentionSpan.LongestPiece, AttentionSpan.LongestPiece], double.NegativeInfinity, ScalarType.Float32, device).triu_(1).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => SpanFunction.apply(this, query, key, value);

    /// <summary>Frees what was kept for the way back.</summary>
    public void Dispose()
    {
        _causal.Dispose();
        foreach (Tensor tensor in _saved)
        {
            tensor.Dispose();
        }
    }

    private static Tensor Heads(Tensor tensor, AttentionSpan span, long keyHeads, long width) =>
        tensor.narrow(0, span.QueryStart, span.Length).view(span.Length, keyHeads, -1, width)
            .permute(1, 2, 0, 3).reshape(keyHeads, -1, width);

    /// <summary>[keyHeads, keys, width], without a copy where the keys are one slice.</summary>
    private static Tensor Keys(Tensor tensor, AttentionSpan span)
    {
        Tensor run = tensor.narrow(0, span.IsContiguous ? span.RunStart - span.Context : span.RunStart, span.IsContiguous ? span.Keys : span.RunKeys);
        return (span.IsContiguous ? run : cat([tensor.narrow(0, span.GroupStart, span.Context), run], 0)).transpose(0, 1);
    }

    private static void AddKeys(Tensor total, AttentionSpan span, Tensor part)
    {
        Tensor byToken = part.transpose(0, 1);
        if (span.IsContiguous)
        {
            total.narrow(0, span.RunStart - span.Context, span.Keys).AddTensor_(byToken);
            return;
        }

        total.narrow(0, span.GroupStart, span.Context).AddTensor_(byToken.narrow(0, 0, span.Context));
        total.narrow(0, span.RunStart, span.RunKeys).AddTensor_(byToken.narrow(0, span.Context, span.RunKeys));
    }

    private sealed class SpanFunction : autograd.SingleTensorFunction<SpanFunction>
    {
        public override string Name => nameof(SpanAttention);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            SpanAttention owner = (SpanAttention)vars[0];
            (Tensor query, Tensor key, Tensor value) = ((Tensor)vars[1], (Tensor)vars[2], (Tensor)vars[3]);
            long width = query.shape[2];
            long keyHeads = key.shape[1];
            using IDisposable noGrad = no_grad();
            Tensor output = empty_like(query);
            Tensor scaled = query.MultiplyNumber(1 / Math.Sqrt(width));
            List<(Tensor Probabilities, Tensor Mixed)> kept = [];
            foreach (AttentionSpan span in owner._spans)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor queries = Heads(scaled, span, keyHeads, width);
                Tensor scores = bmm(queries, Keys(key, span).transpose(1, 2));
                scores.view(keyHeads, -1, span.Length, span.Keys).narrow(-1, span.Keys - span.Length, span.Length)
                    .AddTensor_(owner._causal.narrow(0, 0, span.Length).narrow(1, 0, span.Length));
                Tensor probabilities = scores.softmax(-1).DetachFromDisposeScope();
                Tensor mixed = bmm(probabilities, Keys(value, span)).DetachFromDisposeScope();
                output.narrow(0, span.QueryStart, span.Length).view(span.Length, keyHeads, -1, width)
                    .copy_(mixed.view(keyHeads, -1, span.Length, width).permute(2, 0, 1, 3));
                kept.Add((probabilities, mixed));
                owner._saved.Add(probabilities);
                owner._saved.Add(mixed);
            }

            ctx.save_data("kept", kept);

            // Handles of our own: the caller's may go before the way back.
            (Tensor Scaled, Tensor Key, Tensor Value) saved = (scaled.DetachFromDisposeScope(), key.alias().DetachFromDisposeScope(), value.alias().DetachFromDisposeScope());
            owner._saved.AddRange([saved.Scaled, saved.Key, saved.Value]);
            ctx.save_data("vars", (owner, saved.Scaled, saved.Key, saved.Value));
            return output.view(output.shape[0], -1);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            List<(Tensor Probabilities, Tensor Mixed)> kept = (List<(Tensor, Tensor)>)ctx.get_data("kept");
            (SpanAttention owner, Tensor scaled, Tensor key, Tensor value) = ((SpanAttention, Tensor, Tensor, Tensor))ctx.get_data("vars");
            long width = scaled.shape[2];
            long keyHeads = key.shape[1];
            using IDisposable noGrad = no_grad();
            Tensor queryGradient = empty_like(scaled);
            Tensor keyGradient = zeros_like(key);
            Tensor valueGradient = zeros_like(value);
            for (int i = 0; i < owner._spans.Count; i++)
            {
                AttentionSpan span = owner._spans[i];
                (Tensor probabilities, Tensor mixed) = kept[i];
                using DisposeScope scope = NewDisposeScope();
                Tensor outer = Heads(grad_output, span, keyHeads, width);
                AddKeys(valueGradient, span, bmm(probabilities.transpose(1, 2), outer));
                Tensor scores = bmm(outer, Keys(value, span).transpose(1, 2));
                scores.sub_((outer * mixed).sum(-1, keepdim: true)).mul_(probabilities);
                AddKeys(keyGradient, span, bmm(scores.transpose(1, 2), Heads(scaled, span, keyHeads, width)));
                queryGradient.narrow(0, span.QueryStart, span.Length).view(span.Length, keyHeads, -1, width)
                    .copy_(bmm(scores, Keys(key, span)).view(keyHeads, -1, span.Length, width).permute(2, 0, 1, 3));
            }

            queryGradient.MultiplyNumber_(1 / Math.Sqrt(width));

            // A GPU's way back runs on a thread of libtorch's own, which has no dispose scope: without an owner these would be
            // the finalizer's, too late for the memory and too early for who reads them.
            owner._saved.AddRange([queryGradient.DetachFromDisposeScope(), keyGradient.DetachFromDisposeScope(), valueGradient.DetachFromDisposeScope(), grad_output.DetachFromDisposeScope()]);
            return [null!, queryGradient, keyGradient, valueGradient];
        }
    }
}
