using ToolN1.Engine.Cache;
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
    // Logits held at once, 20 MB: a scored prompt of 512 tokens would otherwise hold 300 MB at a vocabulary of 152 thousand.
    private const int LogitElements = 32 * 152_064;

    // Fewer logits than this are read before other threads would have woken.
    private const long ParallelLogits = 1 << 18;

    private readonly Dictionary<string, ServedWeights> _versions = new(StringComparer.Ordinal);
    private readonly Dictionary<Decoder, AdapterSelection> _selections = [];
    private readonly Decoder _decoder;
    private readonly KvCachePool _pool;
    private readonly IAttentionBackend _attention;
    private readonly WorkerPool? _workers;
    private readonly ThreadLocal<Sampler> _sampler = new(() => new Sampler());
    private readonly int _logitRows;
    private readonly Tensor? _staging;

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
        _logitRows = Math.Max(1, LogitElements / decoder.Config.VocabularySize);
        if (decoder.Device.type != TorchSharp.DeviceType.CPU)
        {
            // A GPU copies into pinned memory several times as fast as into memory that may be paged out.
            using IDisposable scope = NewDisposeScope();
            _staging = empty([_logitRows, decoder.Config.VocabularySize], ScalarType.Float32).pin_memory().DetachFromDisposeScope();
        }
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
            // The selection is set only for batches of several versions: what the last one chose may be this adapter, and the decoder stays wrapped.
            _selections[removed.Decoder].Rows = [];
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
        IAttention attention = _attention.Begin(_pool, inputs.Segments, inputs.Slots);
        Tensor hidden = (attention is BatchedPagedAttention.Step step ? ScriptedDecoder.Forward(decoder, ids, positions, step) : null)
            ?? decoder.Forward(ids, positions, attention);

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
        foreach ((int Item, int Row, int Position)[] piece in rows.Chunk(_logitRows))
        {
            using IDisposable pieceScope = NewDisposeScope();
            Tensor selected = piece.Length == hidden.shape[0]
                ? hidden
                : hidden.index_select(0, tensor(piece.Select(row => (long)row.Row).ToArray(), device: decoder.Device));
            Tensor logits = ToHost(decoder.Logits(selected));
            Read(results, batch, piece, logits);
        }

        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attention.Dispose();
        _staging?.Dispose();
        _sampler.Dispose();
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

    private Tensor ToHost(Tensor logits) => _staging is null ? logits : _staging.narrow(0, 0, logits.shape[0]).copy_(logits);

    private static unsafe Span<float> Row(Tensor logits, int row)
    {
        int width = (int)logits.shape[1];
        return new Span<float>((float*)TensorMemory.Address(logits) + ((long)row * width), width);
    }

    private void Read(StepResult[] results, ScheduledBatch batch, (int Item, int Row, int Position)[] rows, Tensor logits)
    {
        // A GPU leaves the processor nothing to do but this. Rows of different sequences have nothing in common; those of one
        // stay in order.
        if (_staging is not null && logits.numel() >= ParallelLogits && rows.Select(row => row.Item).Distinct().Count() == rows.Length)
        {
            Parallel.For(0, rows.Length, i => Read(results, batch.Items[rows[i].Item], rows[i].Item, rows[i].Position, Row(logits, i), _sampler.Value!));
            return;
        }

        for (int i = 0; i < rows.Length; i++)
        {
            Read(results, batch.Items[rows[i].Item], rows[i].Item, rows[i].Position, Row(logits, i), _sampler.Value!);
        }
    }

    private static void Read(StepResult[] results, ScheduledSequence scheduled, int item, int position, Span<float> logits, Sampler sampler)
    {
        Sequence sequence = scheduled.Sequence;
        SamplingParameters parameters = sequence.Sampler.Parameters;
        if (results[item].Error is not null)
        {
            // An earlier row of the sequence failed.
            return;
        }

        try
        {
            if (sequence.ScoresPromptAfter(position))
            {
                sequence.AddPromptLogProb(
                    sampler.LogProbOf(logits, sequence.Tokens[position + 1], sequence.Request.PromptLogProbs!.Value));
            }
            else if (sequence.ScoresForcedAfter(position))
            {
                float temperature = parameters is { TemperedLogProbs: true, Temperature: > 0 } ? parameters.Temperature : 1;
                sequence.AddForcedLogProb(
                    sampler.LogProbOf(logits, sequence.Tokens[position + 1], parameters.TopLogProbs!.Value, temperature));
            }
            else
            {
                ReadOnlySpan<ulong> allowed = sequence.Constraint is { } constraint ? constraint.Mask() : default;
                results[item] = new StepResult(sequence, sampler.Sample(logits, sequence.Sampler, allowed), null);
            }
        }
        catch (Exception exception)
        {
            // Whatever it is, it is of this sequence alone: the others of the batch go on, and the engine stays in order.
            results[item] = new StepResult(sequence, null, exception);
        }
    }
}
