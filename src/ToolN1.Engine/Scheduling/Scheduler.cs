using ToolN1.Engine.Cache;

namespace ToolN1.Engine.Scheduling;

/// <summary>
/// Continuous batching over a paged cache. Each step takes, within the token budget: one token of every decoding
/// sequence, then chunks of prompts and of forced stretches, then new sequences; live ones before background ones, each in
/// order of arrival. When a decode finds no free block the last running sequence in that order is preempted: it gives its
/// blocks back, keeps its tokens, and is recomputed later before anything newer. The oldest live sequence is therefore never
/// held up, and every live sequence becomes the oldest. A live sequence that finds no place or no blocks takes those of
/// background ones; they wait for as long as live sequences do. Not thread-safe.
/// </summary>
internal sealed class Scheduler(SchedulerLimits limits, BlockAllocator allocator, PrefixCache? prefixCache)
{
    // Both live before background, then in order of arrival; of each kind, every running one arrived before every waiting one.
    private readonly List<Sequence> _running = [];
    private readonly LinkedList<Sequence> _waiting = new();

    // Keys of prompt blocks that running sequences are about to compute, and the most urgent of those sequences' priorities.
    private readonly Dictionary<PrefixKey, RequestPriority> _pendingKeys = [];
    private long _arrivals;

    private enum Admission
    {
        Admitted,

        /// <summary>Too few free blocks.</summary>
        NoBlocks,

        /// <summary>A running sequence is computing this very prefix: a step's patience saves computing it again.</summary>
        PrefixUnderWay,
    }

    /// <summary>Sequences that may run at once.</summary>
    public int MaxSequences => limits.MaxSequences;

    /// <summary>Tokens computed in a step.</summary>
    public int MaxBatchedTokens => limits.MaxBatchedTokens;

    /// <summary>Sequences in the running batch.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Sequences that wait for a place or for blocks.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Sequences preempted since the start.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Running sequences, then waiting ones, each in the order they are served.</summary>
    public IEnumerable<Sequence> Sequences => _running.Concat(_waiting);

    /// <summary>Queues a sequence.</summary>
    /// <exception cref="ArgumentException">It could not be finished even with the whole pool to itself.</exception>
    public void Add(Sequence sequence)
    {
        int positions = sequence.PromptLength + sequence.Request.MaxNewTokens;
        if (BlockTable.BlocksFor(positions, sequence.Blocks.BlockSize) > allocator.TotalBlocks)
        {
            throw new ArgumentException(
                $"{positions} tokens of prompt and answer do not fit the KV cache of {allocator.TotalBlocks * sequence.Blocks.BlockSize} tokens.",
                nameof(sequence));
        }

        sequence.Arrival = _arrivals++;
        Wait(sequence);
    }

    /// <summary>Takes a finished or cancelled sequence out and frees its blocks.</summary>
    /// <returns>False when it is not here (any more).</returns>
    public bool Remove(Sequence sequence)
    {
        if (_running.Remove(sequence))
        {
            ReleaseBlocks(sequence);
            return true;
        }

        return _waiting.Remove(sequence);
    }

    /// <summary>Chooses the next step's tokens; the blocks for them are allocated.</summary>
    /// <returns>The batch; without items when there is nothing to do.</returns>
    public ScheduledBatch Schedule()
    {
        // 0. Live sequences before anything of the background: they take its places and blocks where they find no others.
        AdmitLiveBeforeBackground();
        List<ScheduledSequence> items = [];
        int budget = limits.MaxBatchedTokens;
        long preemptionsBefore = Preemptions;

        // 1. Blocks for what was generated, first ones first, before anything is in the batch: the last may have to leave.
        // Those of a prompt were allocated on admission.
        for (int i = 0; i < _running.Count; i++)
        {
            GrowOrPreempt(_running[i]);
        }

        // 2. Decodes, then chunks: prompts that are under way, and stretches that a constraint forced.
        foreach (Sequence sequence in _running)
        {
            if (sequence.RemainingCount == 1)
            {
                Take(sequence);
            }
        }

        foreach (Sequence sequence in _running)
        {
            if (sequence.RemainingCount > 1 && budget > 0)
            {
                Take(sequence);
            }
        }

        // 3. New sequences, unless blocks have just run out.
        while (budget > 0 && Preemptions == preemptionsBefore && _running.Count < limits.MaxSequences
            && _waiting.First is { } first && TryAdmit(first.Value) == Admission.Admitted)
        {
            Start(first.Value);
            Take(first.Value);
        }

        return new ScheduledBatch(items, limits.MaxBatchedTokens - budget, budget == 0 || _running.Count == limits.MaxSequences);

        void Take(Sequence sequence)
        {
            int count = Math.Min(sequence.RemainingCount, budget);
            budget -= count;
            items.Add(new ScheduledSequence(sequence, sequence.ComputedCount, count));
        }
    }

    /// <summary>
    /// Notes that a batch was computed: positions advance and full blocks become findable. Call before sampled tokens are
    /// appended; sequences removed meanwhile are skipped.
    /// </summary>
    public void Complete(ScheduledBatch batch)
    {
        foreach ((Sequence sequence, int start, int count) in batch.Items)
        {
            if (sequence.Blocks.Capacity == 0)
            {
                continue;
            }

            sequence.ComputedCount = start + count;
            RegisterFullBlocks(sequence);
        }
    }

    /// <summary>Throws when blocks, counts or the order of arrival contradict each other.</summary>
    public void CheckIntegrity()
    {
        allocator.CheckIntegrity(_running.Select(sequence => sequence.Blocks.Blocks));
        foreach (Sequence waiting in _waiting)
        {
            if (waiting.Blocks.Capacity != 0 || waiting.ComputedCount != 0)
            {
                throw new InvalidOperationException("A waiting sequence holds blocks.");
            }
        }

        if (!IsOrdered(_running) || !IsOrdered([.. _waiting]))
        {
            throw new InvalidOperationException("Sequences are out of order.");
        }

        if (_running.Count > limits.MaxSequences)
        {
            throw new InvalidOperationException("More sequences run than the limit allows.");
        }
    }

    private static bool IsOrdered(List<Sequence> sequences) =>
        Enumerable.Range(1, Math.Max(0, sequences.Count - 1)).All(i => IsBefore(sequences[i - 1], sequences[i]));

    private static bool IsBefore(Sequence a, Sequence b) =>
        a.Request.Priority == b.Request.Priority ? a.Arrival < b.Arrival : a.Request.Priority < b.Request.Priority;

    private bool LastIsBackground => _running.Count > 0 && _running[^1].Request.Priority == RequestPriority.Background;

    private void AdmitLiveBeforeBackground()
    {
        // No more than a step computes: what is admitted later takes its place later.
        int tokens = _running.Where(sequence => sequence.Request.Priority == RequestPriority.Live).Sum(sequence => sequence.RemainingCount);
        while (LastIsBackground && tokens < limits.MaxBatchedTokens && _waiting.First?.Value is { Request.Priority: RequestPriority.Live } first)
        {
            Admission admission = _running.Count < limits.MaxSequences ? TryAdmit(first) : Admission.NoBlocks;
            if (admission == Admission.PrefixUnderWay)
            {
                return;
            }

            if (admission == Admission.Admitted)
            {
                Start(first);
                tokens += first.RemainingCount;
            }
            else
            {
                Preempt(_running[^1]);
            }
        }
    }

    /// <summary>Moves the first waiting sequence, which was admitted, among the running ones.</summary>
    private void Start(Sequence sequence)
    {
        _waiting.RemoveFirst();
        int at = _running.Count;
        while (at > 0 && IsBefore(sequence, _running[at - 1]))
        {
            at--;
        }

        _running.Insert(at, sequence);
    }

    private void Wait(Sequence sequence)
    {
        LinkedListNode<Sequence>? before = _waiting.Last;
        while (before is not null && IsBefore(sequence, before.Value))
        {
            before = before.Previous;
        }

        _ = before is null ? _waiting.AddFirst(sequence) : _waiting.AddAfter(before, sequence);
    }

    private void GrowOrPreempt(Sequence sequence)
    {
        while (sequence.Blocks.Capacity < sequence.TokenCount)
        {
            if (TryAddBlock(sequence))
            {
                continue;
            }

            Sequence newest = _running[^1];
            Preempt(newest);
            if (ReferenceEquals(newest, sequence))
            {
                return;
            }
        }
    }

    private void Preempt(Sequence sequence)
    {
        _running.RemoveAt(_running.Count - 1);
        ReleaseBlocks(sequence);
        Wait(sequence);
        Preemptions++;
    }

    private Admission TryAdmit(Sequence sequence)
    {
        // 1. What the prefix cache has, up to the first position whose logits are wanted: the last token's choose the next.
        int blockSize = sequence.Blocks.BlockSize;
        bool mayMatch = prefixCache is not null && !sequence.NeedsEveryPosition;
        int matchable = mayMatch ? sequence.FirstPositionToRead / blockSize : 0;
        for (int index = 0; index < matchable; index++)
        {
            PrefixKey key = KeyOf(sequence, index);
            if (!prefixCache!.TryGet(key, out int block))
            {
                // A live sequence does not wait for what the background computes when there is time.
                if (_pendingKeys.TryGetValue(key, out RequestPriority owner) && owner <= sequence.Request.Priority)
                {
                    sequence.Blocks.ReleaseAll(allocator);
                    return Admission.PrefixUnderWay;
                }

                break;
            }

            allocator.AddReference(block);
            sequence.Blocks.Add(block);
        }

        // 2. Blocks for all known tokens, leaving one for each running sequence to grow into: else admitting would only
        // cause a preemption.
        int matched = sequence.Blocks.Blocks.Count;
        int needed = BlockTable.BlocksFor(sequence.TokenCount, blockSize) - matched;
        if (allocator.FreeBlocks < needed + _running.Count)
        {
            sequence.Blocks.ReleaseAll(allocator);
            return Admission.NoBlocks;
        }

        for (int i = 0; i < needed; i++)
        {
            TryAddBlock(sequence);
        }

        sequence.ComputedCount = matched * blockSize;
        sequence.RegisteredBlocks = matched;
        sequence.CachedPromptTokens ??= Math.Min(sequence.ComputedCount, sequence.PromptLength);
        for (int index = matched; mayMatch && index < sequence.TokenCount / blockSize; index++)
        {
            PrefixKey key = KeyOf(sequence, index);
            if (!_pendingKeys.TryGetValue(key, out RequestPriority owner) || owner > sequence.Request.Priority)
            {
                _pendingKeys[key] = sequence.Request.Priority;
            }
        }

        return Admission.Admitted;
    }

    private bool TryAddBlock(Sequence sequence)
    {
        if (!allocator.TryAllocate(out int block, out bool evicted))
        {
            return false;
        }

        if (evicted)
        {
            prefixCache!.Forget(block);
        }

        sequence.Blocks.Add(block);
        return true;
    }

    private void RegisterFullBlocks(Sequence sequence)
    {
        if (prefixCache is null)
        {
            return;
        }

        while ((sequence.RegisteredBlocks + 1) * sequence.Blocks.BlockSize <= sequence.ComputedCount)
        {
            PrefixKey key = KeyOf(sequence, sequence.RegisteredBlocks);
            int block = sequence.Blocks.Blocks[sequence.RegisteredBlocks];
            if (prefixCache.TryRegister(key, block))
            {
                allocator.MarkCached(block);
            }

            _pendingKeys.Remove(key);
            sequence.RegisteredBlocks++;
        }
    }

    private void ReleaseBlocks(Sequence sequence)
    {
        for (int index = sequence.RegisteredBlocks; index < sequence.Keys.Count; index++)
        {
            _pendingKeys.Remove(sequence.Keys[index]);
        }

        sequence.Blocks.ReleaseAll(allocator);
        sequence.ComputedCount = 0;
        sequence.RegisteredBlocks = 0;
    }

    private PrefixKey KeyOf(Sequence sequence, int index)
    {
        int size = sequence.Blocks.BlockSize;
        while (sequence.Keys.Count <= index)
        {
            int next = sequence.Keys.Count;
            PrefixKey before = next == 0 ? PrefixKey.Root(sequence.WeightVersion, sequence.Request.CacheSalt) : sequence.Keys[next - 1];
            sequence.Keys.Add(before.Next(sequence.Tokens.Slice(next * size, size)));
        }

        return sequence.Keys[index];
    }
}
