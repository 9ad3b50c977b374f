using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using TorchSharp;
using static ToolN1.Training.Passes.PassTensors;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>The last norm and the head on the rows that predict, forward and back; logits exist a piece at a time.</summary>
/// <param name="decoder">The caller owns it.</param>
/// <param name="parts">Threads.</param>
/// <param name="compute">Dtype of the products, that of <typeparamref name="T"/>.</param>
internal sealed unsafe class HeadPass<T>(Decoder decoder, RowParts parts, ScalarType compute) : IDisposable
    where T : struct, IElement
{
    private readonly int _hidden = decoder.Config.HiddenSize;
    private readonly int _vocabulary = decoder.Config.VocabularySize;
    private Tensor? _norm;
    private Tensor? _weight;

    /// <summary>Takes over the parameters' present values.</summary>
    public void LoadWeights()
    {
        Dispose();
        using DisposeScope scope = NewDisposeScope();
        _norm = decoder.FinalNorm.Weight.to_type(ScalarType.Float32).DetachFromDisposeScope();
        _weight = decoder.Head.Weight.to_type(compute).DetachFromDisposeScope();
    }

    /// <summary>Scores the batch's predictions and, with a loss, goes back.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="residual">f32 [rows, hidden]: behind the last layer.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    /// <param name="wholeBatch">Whether the derivative wants all log-probabilities at once, which takes the product twice where there are several pieces.</param>
    /// <param name="derivative">The loss; null only scores.</param>
    /// <param name="gradient">f32 [rows, hidden]: gets the residual's gradient added.</param>
    /// <param name="gradients">Gets the parameters'.</param>
    public PassResult Run(PackedBatch batch, Tensor residual, double temperature, bool wholeBatch, LossDerivative? derivative, Tensor? gradient, PassGradients gradients)
    {
        // 1. The rows that predict, normed.
        long count = batch.Sources.Length;
        long rows = PassPlan.Padded(count);
        Tensor sources = tensor(batch.Sources);
        Tensor wanted = zeros([rows, _hidden]);
        wanted.narrow(0, 0, count).copy_(residual.index_select(0, sources));
        Tensor scales = empty([rows]);
        Tensor normed = empty([rows, _hidden], compute);
        PassKernels<T>.AddNorm(parts, Floats(wanted), null, Floats(wanted), Floats(_norm!), Bytes(normed), Floats(scales), rows, _hidden, decoder.FinalNorm.Epsilon);

        // 2. Logits a piece at a time, and the way back from each.
        long[] targets = [.. batch.Targets, .. new long[rows - count]];
        PassResult scores = new(new float[rows], new float[rows], new bool[rows]);
        Tensor? outer = derivative is null ? null : empty([rows, _hidden], compute);
        float[]? all = null;
        if (wholeBatch && derivative is not null)
        {
            foreach ((long start, long length) in Pieces(rows))
            {
                using DisposeScope scope = NewDisposeScope();
                Logits(start, length, derives: false);
            }

            all = derivative(0, scores.LogProbs[..(int)count]);
        }

        foreach ((long start, long length) in Pieces(rows))
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor logits = Logits(start, length, derives: derivative is not null);
            if (derivative is null)
            {
                continue;
            }

            int real = (int)Math.Min(length, count - start);
            float[] coefficients = all?[(int)start..((int)start + real)] ?? derivative((int)start, scores.LogProbs[(int)start..((int)start + real)]);
            float[] factors = [.. coefficients.Select(value => (float)(value / temperature)), .. new float[length - real]];

            // The coefficients multiply the narrow sides of both products.
            Tensor target = outer!.narrow(0, start, length);
            target.copy_(mm(logits, _weight!));
            PassKernels<T>.Scale(parts, factors, Bytes(target), length, _hidden);
            Tensor input = normed.narrow(0, start, length);
            PassKernels<T>.Scale(parts, factors, Bytes(input), length, _hidden);
            gradients.AddProducts(logits, input, decoder.Head.Weight);
        }

        // 3. The norm.
        if (derivative is not null)
        {
            Tensor back = zeros_like(wanted);
            PassKernels<T>.NormBack(
                parts, Bytes(outer!), Floats(wanted), Floats(scales), Floats(_norm!), Floats(back), Floats(gradients.Of(decoder.FinalNorm.Weight)), rows, _hidden);
            gradient!.AddRows_(sources, back.narrow(0, 0, count));
        }

        return new PassResult(scores.LogProbs[..(int)count], scores.Entropies[..(int)count], scores.Hits[..(int)count]);

        Tensor Logits(long start, long length, bool derives)
        {
            Tensor logits = nn.functional.linear(normed.narrow(0, start, length), _weight!);
            PassKernels<T>.LogProbs(
                parts, Bytes(logits), targets, (float)(1 / temperature), derives, scores.LogProbs, scores.Entropies, scores.Hits, start, length, _vocabulary);
            return logits;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _norm?.Dispose();
        _weight?.Dispose();
    }

    private IEnumerable<(long Start, long Length)> Pieces(long rows)
    {
        long piece = PassPlan.Whole(DecoderPass.LogitElements / _vocabulary);
        for (long start = 0; start < rows; start += piece)
        {
            yield return (start, Math.Min(piece, rows - start));
        }
    }
}
