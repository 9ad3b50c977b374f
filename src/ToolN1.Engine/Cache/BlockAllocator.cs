namespace ToolN1.Engine.Cache;

/// <summary>
/// Hands out the KV pool's blocks by index and counts who holds them. A block whose content the prefix cache knows is
/// kept when its last holder lets go and is reused only when no empty block is left, least recently used first. Handles
/// indices only, no tensors; not thread-safe (the engine thread owns it).
/// </summary>
internal sealed class BlockAllocator
{
    private readonly int[] _references;
    private readonly bool[] _cached;
    private readonly Stack<int> _empty;
    private readonly LinkedList<int> _idleCached = new();
    private readonly LinkedListNode<int>?[] _idleNodes;

    /// <summary>Creates an allocator of <paramref name="totalBlocks"/> empty blocks.</summary>
    public BlockAllocator(int totalBlocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(totalBlocks, 1);
        _references = new int[totalBlocks];
        _cached = new bool[totalBlocks];
        _idleNodes = new LinkedListNode<int>?[totalBlocks];
        _empty = new Stack<int>(totalBlocks);
        for (int block = totalBlocks - 1; block >= 0; block--)
        {
            _empty.Push(block);
        }
    }

    /// <summary>Blocks in the pool.</summary>
    public int TotalBlocks => _references.Length;

    /// <summary>Blocks that nobody holds, cached ones included.</summary>
    public int FreeBlocks => _empty.Count + _idleCached.Count;

    /// <summary>Blocks held by sequences.</summary>
    public int UsedBlocks => TotalBlocks - FreeBlocks;

    /// <summary>Takes a block for one holder.</summary>
    /// <param name="block">The block.</param>
    /// <param name="evicted">True when its cached content was given up; the prefix cache must forget it.</param>
    /// <returns>False when every block is held.</returns>
    public bool TryAllocate(out int block, out bool evicted)
    {
        evicted = false;
        if (!_empty.TryPop(out block))
        {
            if (_idleCached.First is not { } oldest)
            {
                return false;
            }

            block = oldest.Value;
            TakeFromIdle(block);
            _cached[block] = false;
            evicted = true;
        }

        _references[block] = 1;
        return true;
    }

    /// <summary>Adds a holder to a block that is held, or cached and idle.</summary>
    public void AddReference(int block)
    {
        if (_references[block] == 0)
        {
            if (!_cached[block])
            {
                throw new InvalidOperationException($"Block {block} is empty; it must be allocated, not referenced.");
            }

            TakeFromIdle(block);
        }

        _references[block]++;
    }

    /// <summary>Takes a holder away; the last one frees the block (a cached one stays findable until it is reused).</summary>
    public void Release(int block)
    {
        if (_references[block] == 0)
        {
            throw new InvalidOperationException($"Block {block} is released more often than it was taken.");
        }

        if (--_references[block] == 0)
        {
            if (_cached[block])
            {
                _idleNodes[block] = _idleCached.AddLast(block);
            }
            else
            {
                _empty.Push(block);
            }
        }
    }

    /// <summary>Notes that the prefix cache knows the block's content. The block must be held.</summary>
    public void MarkCached(int block)
    {
        if (_references[block] == 0)
        {
            throw new InvalidOperationException($"Block {block} is not held; only held blocks can become cached.");
        }

        _cached[block] = true;
    }

    /// <summary>Throws when counts, lists and flags contradict each other, or the holders differ from those given.</summary>
    /// <param name="tables">The block lists of every holder.</param>
    public void CheckIntegrity(IEnumerable<IReadOnlyList<int>> tables)
    {
        int[] expected = new int[TotalBlocks];
        foreach (IReadOnlyList<int> table in tables)
        {
            foreach (int block in table)
            {
                expected[block]++;
            }
        }

        HashSet<int> empty = [.. _empty];
        HashSet<int> idle = [.. _idleCached];
        Require(empty.Count == _empty.Count, "a block is twice in the empty list");
        Require(idle.Count == _idleCached.Count, "a block is twice in the idle list");
        for (int block = 0; block < TotalBlocks; block++)
        {
            Require(_references[block] == expected[block], $"block {block} has {_references[block]} references, {expected[block]} holders");
            bool free = _references[block] == 0;
            Require(empty.Contains(block) == (free && !_cached[block]), $"block {block} is wrongly in or out of the empty list");
            Require(idle.Contains(block) == (free && _cached[block]), $"block {block} is wrongly in or out of the idle list");
            Require((_idleNodes[block] is not null) == idle.Contains(block), $"block {block} has a stray idle node");
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException("Block allocator: " + message + ".");
        }
    }

    private void TakeFromIdle(int block)
    {
        _idleCached.Remove(_idleNodes[block]!);
        _idleNodes[block] = null;
    }
}
