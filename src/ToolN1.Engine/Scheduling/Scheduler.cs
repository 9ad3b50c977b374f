using ToolN1.Engine.Cache;

namespace ToolN1.Engine.Scheduling;

/// <summary>
/// Continuous batching over a paged cache. Each step takes, within the token budget: one token of every decoding
/// sequence, then chunks of prompts and of forced stretches, then new sequences in order of arrival. When a decode finds no free block the newest
/// running sequence is preempted: it gives its blocks back, keeps its tokens, and is recomputed later before anything
/// newer. The oldest sequence is therefore never held up, and every sequence becomes the oldest. Not thread-safe.
/// </summary>
internal sealed class Scheduler(SchedulerLimits limits, BlockAllocator allocator, PrefixCache? prefixCache)
{
    // Both in order of arrival, and every running sequence arrived before every waiting one.
    private readonly List<Sequence> _running = [];
    private readonly LinkedList<Sequence> _waiting = new();

    // Keys of prompt blocks that running sequences are about to compute.
    private readonly HashSet<PrefixKey> _pendingKeys = [];

    /// <summary>Sequences in the running batch.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Sequences that wait for a place or for blocks.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Sequences preempted since the start.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Running sequences, then waiting ones, in order of arrival.</summary>
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

        _waiting.AddLast(sequence);
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
        List<ScheduledSequence> items = [];
        int budget = limits.MaxBatchedTokens;
        long preemptionsBefore = Preemptions;

        // 1. Blocks for what was generated, oldest first, before anything is in the batch: the newest may have to leave.
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
            && _waiting.First is { } first && TryAdmit(first.Value))
        {
            _waiting.RemoveFirst();
            _running.Add(first.Value);
            Take(first.Value);
        }

        return new ScheduledBatch(items, limits.MaxBatchedTokens - budget);

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

        if (_running.Count > limits.MaxSequences)
        {
            throw new InvalidOperationException("More sequences run than the limit allows.");
        }
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
        _waiting.AddFirst(sequence);
        Preemptions++;
    }

    private bool TryAdmit(Sequence sequence)
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
                // Somebody is computing this very block: one step's patience saves computing it again.
                if (_pendingKeys.Contains(key))
                {
                    sequence.Blocks.ReleaseAll(allocator);
                    return false;
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
            return false;
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
            _pendingKeys.Add(KeyOf(sequence, index));
        }

        return true;
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
