namespace ToolN1.Engine.Cache;

/// <summary>The blocks of one sequence in order: position p lies in slot p mod size of block p div size.</summary>
internal sealed class BlockTable(int blockSize)
{
    private readonly List<int> _blocks = [];

    /// <summary>Positions in a block.</summary>
    public int BlockSize { get; } = blockSize;

    /// <summary>The blocks, first positions first.</summary>
    public IReadOnlyList<int> Blocks => _blocks;

    /// <summary>Positions that the blocks have room for.</summary>
    public int Capacity => _blocks.Count * BlockSize;

    /// <summary>Blocks needed for a number of positions.</summary>
    public static int BlocksFor(int positions, int blockSize) => (positions + blockSize - 1) / blockSize;

    /// <summary>Index of a position in the pool, counted in positions: block × block size + offset.</summary>
    public long Slot(int position) => ((long)_blocks[position / BlockSize] * BlockSize) + (position % BlockSize);

    /// <summary>Appends a block that the sequence holds.</summary>
    public void Add(int block) => _blocks.Add(block);

    /// <summary>Gives every block back, last positions first: the shared beginning of a prompt then stays cached longest.</summary>
    public void ReleaseAll(BlockAllocator allocator)
    {
        for (int i = _blocks.Count - 1; i >= 0; i--)
        {
            allocator.Release(_blocks[i]);
        }

        _blocks.Clear();
    }
}
