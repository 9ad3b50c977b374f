using ToolN1.Engine.Cache;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;
using static TorchSharp.torch;

namespace ToolN1.Engine.Execution;

/// <summary>
/// Runs batches through the decoder and samples from its logits. Owns decoder, cache and kernels. Each step has one dispose
/// scope; only token ids and numbers leave it.
/// </summary>
internal sealed class ModelRunner : IStepRunner
{
    // Rows of logits held at once: a scored prompt of 512 tokens would otherwise hold 300 MB at a vocabulary of 152 thousand.
    private const int LogitRows = 32;

    private readonly Decoder _decoder;
    private readonly KvCachePool _pool;
    private readonly IAttentionBackend _attention;
    private readonly WorkerPool? _workers;
    private readonly Sampler _sampler = new();

    /// <summary>Takes ownership of everything it is given.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="pool">Its cache, of the same dtype and device.</param>
    /// <param name="attention">Attention over that cache.</param>
    /// <param name="workers">The kernels' threads, if any.</param>
    public ModelRunner(Decoder decoder, KvCachePool pool, IAttentionBackend attention, WorkerPool? workers)
    {
        _decoder = decoder;
        _pool = pool;
        _attention = attention;
        _workers = workers;
    }

    /// <inheritdoc/>
    public IReadOnlyList<StepResult> Execute(ScheduledBatch batch)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();

        // 1. Hidden states of every scheduled token.
        BatchInputs inputs = new(batch);
        Tensor ids = tensor(inputs.Ids, device: _decoder.Device);
        Tensor positions = tensor(inputs.Positions, device: _decoder.Device);
        Tensor hidden = _decoder.Forward(ids, positions, _attention.Begin(_pool, inputs.Segments, inputs.Slots));

        // 2. Rows whose logits somebody needs: the last of a sequence, and prompt positions to be scored.
        StepResult[] results = new StepResult[batch.Items.Count];
        List<(int Item, int Row, int Position)> rows = [];
        for (int item = 0; item < results.Length; item++)
        {
            (Sequence sequence, int start, int count) = batch.Items[item];
            results[item] = new StepResult(sequence, null, null);
            for (int i = 0; i < count; i++)
            {
                if (sequence.ScoresPromptAfter(start + i) || (i == count - 1 && batch.Items[item].Samples))
                {
                    rows.Add((item, inputs.Segments[item].FirstRow + i, start + i));
                }
            }
        }

        // 3. Logits, a few rows at a time, and what is read from them.
        foreach ((int Item, int Row, int Position)[] piece in rows.Chunk(LogitRows))
        {
            using IDisposable pieceScope = NewDisposeScope();
            Tensor selected = piece.Length == hidden.shape[0]
                ? hidden
                : hidden.index_select(0, tensor(piece.Select(row => (long)row.Row).ToArray(), device: _decoder.Device));
            Tensor logits = _decoder.Logits(selected).cpu();
            for (int i = 0; i < piece.Length; i++)
            {
                Read(results, batch.Items[piece[i].Item], piece[i].Item, piece[i].Position, Row(logits, i));
            }
        }

        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attention.Dispose();
        _workers?.Dispose();
        _pool.Dispose();
        _decoder.Dispose();
    }

    private static unsafe Span<float> Row(Tensor logits, int row)
    {
        int width = (int)logits.shape[1];
        return new Span<float>((float*)TensorMemory.Address(logits) + ((long)row * width), width);
    }

    private void Read(StepResult[] results, ScheduledSequence scheduled, int item, int position, Span<float> logits)
    {
        Sequence sequence = scheduled.Sequence;
        try
        {
            if (sequence.ScoresPromptAfter(position))
            {
                sequence.AddPromptLogProb(
                    _sampler.LogProbOf(logits, sequence.Tokens[position + 1], sequence.Request.PromptLogProbs!.Value));
            }
            else
            {
                results[item] = new StepResult(sequence, _sampler.Sample(logits, sequence.Sampler), null);
            }
        }
        catch (NonFiniteLogitsException exception)
        {
            results[item] = new StepResult(sequence, null, exception);
        }
    }
}
