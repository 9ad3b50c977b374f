using System.Collections.Concurrent;

namespace ToolN1.Engine.Constraints.Masks;

/// <summary>Leaf masks of one vocabulary, shared by all grammars. Emptied when it reaches its limit. Thread-safe.</summary>
internal sealed class LeafMaskCache(long maxBytes)
{
    private readonly ConcurrentDictionary<object, LeafMask> _masks = new();
    private long _bytes;

    /// <summary>Memory in use, about.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Finds a mask.</summary>
    public bool TryGet(object key, out LeafMask mask) => _masks.TryGetValue(key, out mask!);

    /// <summary>Keeps a mask.</summary>
    public void Add(object key, LeafMask mask)
    {
        if (Interlocked.Read(ref _bytes) + mask.Bytes > maxBytes)
        {
            _masks.Clear();
            Interlocked.Exchange(ref _bytes, 0);
        }

        if (_masks.TryAdd(key, mask))
        {
            Interlocked.Add(ref _bytes, mask.Bytes);
        }
    }
}
