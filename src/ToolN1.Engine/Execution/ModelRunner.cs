using ToolN1.Engine.Cache;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;
using static TorchSharp.torch;

namespace ToolN1.Engine.Execution;

/// <summary>
/// Runs batches through the decoders of their sequences' weight versions and samples from the logits. Owns decoders, adapters, cache and kernels. Each step has one dispose
/// scope; only token ids and numbers leave it.
/// </summary>
internal sealed class ModelRunner : IStepRunner
{
    // Rows of logits held at once: a scored prompt of 512 tokens would otherwise hold 300 MB at a vocabulary of 152 thousand.
    private const int LogitRows = 32;

    private readonly Dictionary<string, ServedWeights> _versions = new(StringComparer.Ordinal);
    private readonly Dictionary<Decoder, AdapterSelection> _selections = [];
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
        _versions.Add(decoder.WeightVersion, new ServedWeights(decoder, null));
    }

    /// <summary>Adds whole weights as a version; the decoder is owned from now on.</summary>
    /// <param name="version">Not known yet.</param>
    /// <param name="decoder">Of the first one's shape, dtype and device.</param>
    public void Add(string version, Decoder decoder) => _versions.Add(version, new ServedWeights(decoder, null));

    /// <summary>Adds an adapter over another version's weights as a version; the adapter is owned from now on.</summary>
    /// <param name="version">Not known yet.</param>
    /// <param name="baseVersion">Whole weights; must not be removed before this one.</param>
    /// <param name="adapter">On the decoder's device.</param>
    public void Add(string version, string baseVersion, LoraAdapter adapter)
    {
        Decoder decoder = _versions[baseVersion].Decoder;
        if (!_selections.ContainsKey(decoder))
        {
            _selections.Add(decoder, AdapterLinear.WrapAll(decoder));
        }

        _versions.Add(version, new ServedWeights(decoder, adapter));
    }

    /// <summary>Frees a version: its adapter, or its decoder when no adapter stands on it.</summary>
    public void Remove(string version)
    {
        _versions.Remove(version, out ServedWeights? removed);
        if (removed!.Adapter is not null)
        {
            removed.Adapter.Dispose();
        }
        else
        {
            _selections.Remove(removed.Decoder);
            removed.Decoder.Dispose();
        }
    }

    /// <summary>Whether an adapter stands on a version's weights.</summary>
    public bool IsBase(string version) =>
        _versions[version] is { Adapter: null, Decoder: Decoder own } && _versions.Values.Any(item => item.Adapter is not null && ReferenceEquals(item.Decoder, own));

    /// <inheritdoc/>
    public IReadOnlyList<StepResult> Execute(ScheduledBatch batch)
    {
        if (_versions.Count == 1)
        {
            return Execute(batch, _decoder);
        }

        // Whole weights each take a pass of their own; adapters over the same weights share one.
        StepResult[] results = new StepResult[batch.Items.Count];
        foreach (IGrouping<Decoder, (ScheduledSequence Item, int Index)> group in batch.Items
            .Select((item, index) => (Item: item, Index: index))
            .GroupBy(entry => _versions[entry.Item.Sequence.WeightVersion].Decoder))
        {
            ScheduledBatch part = new([.. group.Select(entry => entry.Item)], group.Sum(entry => entry.Item.Count), batch.IsFull);
            if (_selections.TryGetValue(group.Key, out AdapterSelection? selection))
            {
                selection.Rows = RowsOf(part);
            }

            foreach ((StepResult result, (_, int index)) in Execute(part, group.Key).Zip(group))
            {
                results[index] = result;
            }
        }

        return results;
    }

    private List<AdapterRows> RowsOf(ScheduledBatch batch)
    {
        List<AdapterRows> rows = [];
        long first = 0;
        foreach (ScheduledSequence item in batch.Items)
        {
            if (_versions[item.Sequence.WeightVersion].Adapter is LoraAdapter adapter)
            {
                if (rows.Count > 0 && ReferenceEquals(rows[^1].Adapter, adapter) && rows[^1].First + rows[^1].Count == first)
                {
                    rows[^1] = rows[^1] with { Count = rows[^1].Count + item.Count };
                }
                else
                {
                    rows.Add(new AdapterRows(first, item.Count, adapter));
                }
            }

            first += item.Count;
        }

        return rows;
    }

    private StepResult[] Execute(ScheduledBatch batch, Decoder decoder)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();

        // 1. Hidden states of every scheduled token.
        BatchInputs inputs = new(batch);
        Tensor ids = tensor(inputs.Ids, device: decoder.Device);
        Tensor positions = tensor(inputs.Positions, device: decoder.Device);
        Tensor hidden = decoder.Forward(ids, positions, _attention.Begin(_pool, inputs.Segments, inputs.Slots));

        // 2. Rows whose logits somebody needs: the last of a sequence, and positions before tokens to be scored.
        StepResult[] results = new StepResult[batch.Items.Count];
        List<(int Item, int Row, int Position)> rows = [];
        for (int item = 0; item < results.Length; item++)
        {
            (Sequence sequence, int start, int count) = batch.Items[item];
            results[item] = new StepResult(sequence, null, null);
            for (int i = 0; i < count; i++)
            {
                if (sequence.ScoresPromptAfter(start + i) || sequence.ScoresForcedAfter(start + i) || (i == count - 1 && batch.Items[item].Samples))
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
                : hidden.index_select(0, tensor(piece.Select(row => (long)row.Row).ToArray(), device: decoder.Device));
            Tensor logits = decoder.Logits(selected).cpu();
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
        foreach (ServedWeights served in _versions.Values)
        {
            served.Adapter?.Dispose();
            if (served.Adapter is null)
            {
                served.Decoder.Dispose();
            }
        }
    }

    private static unsafe Span<float> Row(Tensor logits, int row)
    {
        int width = (int)logits.shape[1];
        return new Span<float>((float*)TensorMemory.Address(logits) + ((long)row * width), width);
    }

    private void Read(StepResult[] results, ScheduledSequence scheduled, int item, int position, Span<float> logits)
    {
        Sequence sequence = scheduled.Sequence;
        SamplingParameters parameters = sequence.Sampler.Parameters;
        try
        {
            if (sequence.ScoresPromptAfter(position))
            {
                sequence.AddPromptLogProb(
                    _sampler.LogProbOf(logits, sequence.Tokens[position + 1], sequence.Request.PromptLogProbs!.Value));
            }
            else if (sequence.ScoresForcedAfter(position))
            {
                float temperature = parameters is { TemperedLogProbs: true, Temperature: > 0 } ? parameters.Temperature : 1;
                sequence.AddForcedLogProb(
                    _sampler.LogProbOf(logits, sequence.Tokens[position + 1], parameters.TopLogProbs!.Value, temperature));
            }
            else
            {
                ReadOnlySpan<ulong> allowed = sequence.Constraint is { } constraint ? constraint.Mask() : default;
                results[item] = new StepResult(sequence, _sampler.Sample(logits, sequence.Sampler, allowed), null);
            }
        }
        catch (Exception exception) when (exception is NonFiniteLogitsException or ConstraintEvaluationException)
        {
            results[item] = new StepResult(sequence, null, exception);
        }
    }
}
