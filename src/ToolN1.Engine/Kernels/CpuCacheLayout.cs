namespace ToolN1.Engine.Kernels;

/// <summary>
/// How the CPU's attention lays out a block of the cache: one key head after the other, its keys dimension-major (a lane of a
/// register is a position, so no sum runs across lanes), its values position-major. Both are read from the first byte to the last.
/// </summary>
/// <param name="KeyHeads">Key-value heads.</param>
/// <param name="HeadDim">Width of a head.</param>
/// <param name="BlockSize">Positions in a block.</param>
internal readonly unsafe record struct CpuCacheLayout(int KeyHeads, int HeadDim, int BlockSize)
{
    /// <summary>Where dimension 0 of a slot's key is, in elements; the next dimension is <see cref="BlockSize"/> further, the next slot of the block one.</summary>
    public long Key(long slot, int head) => (Head(slot, head) * HeadDim * BlockSize) + (slot % BlockSize);

    /// <summary>Where a slot's value begins, in elements; its dimensions follow.</summary>
    public long Value(long slot, int head) => ((Head(slot, head) * BlockSize) + (slot % BlockSize)) * HeadDim;

    /// <summary>Puts rows into the cache.</summary>
    /// <typeparam name="T">As wide as an element of the cache.</typeparam>
    /// <param name="keys">[rows, keyHeads, headDim].</param>
    /// <param name="values">[rows, keyHeads, headDim].</param>
    /// <param name="slots">Slot of each row.</param>
    /// <param name="keyCache">A layer's keys.</param>
    /// <param name="valueCache">A layer's values.</param>
    public void Write<T>(T* keys, T* values, ReadOnlySpan<long> slots, T* keyCache, T* valueCache)
        where T : unmanaged
    {
        foreach (long slot in slots)
        {
            for (int head = 0; head < KeyHeads; head++)
            {
                T* target = keyCache + Key(slot, head);
                for (int d = 0; d < HeadDim; d++)
                {
                    target[(long)d * BlockSize] = keys[d];
                }

                new ReadOnlySpan<T>(values, HeadDim).CopyTo(new Span<T>(valueCache + Value(slot, head), HeadDim));
                keys += HeadDim;
                values += HeadDim;
            }
        }
    }

    private long Head(long slot, int head) => (slot / BlockSize * KeyHeads) + head;
}
