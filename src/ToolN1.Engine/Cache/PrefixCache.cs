namespace ToolN1.Engine.Cache;

/// <summary>
/// Finds blocks by the tokens they hold and all tokens before them (see <see cref="PrefixKey"/>). Knows only blocks whose
/// keys and values are fully computed. Not thread-safe (the engine thread owns it).
/// </summary>
internal sealed class PrefixCache
{
    private readonly Dictionary<PrefixKey, int> _blocks = [];
    private readonly PrefixKey?[] _keys;

    /// <summary>Creates an empty cache over a pool of blocks.</summary>
    /// <param name="totalBlocks">Blocks in the pool.</param>
    public PrefixCache(int totalBlocks) => _keys = new PrefixKey?[totalBlocks];

    /// <summary>Blocks that can be found.</summary>
    public int Count => _blocks.Count;

    /// <summary>Finds the block of a key. The caller takes a reference before anything else is allocated.</summary>
    public bool TryGet(PrefixKey key, out int block) => _blocks.TryGetValue(key, out block);

    /// <summary>Makes a block findable.</summary>
    /// <returns>False when another block already holds the same content; this one then stays private.</returns>
    public bool TryRegister(PrefixKey key, int block)
    {
        if (!_blocks.TryAdd(key, block))
        {
            return false;
        }

        _keys[block] = key;
        return true;
    }

    /// <summary>Forgets a block whose content is about to be overwritten.</summary>
    public void Forget(int block)
    {
        if (_keys[block] is { } key)
        {
            _blocks.Remove(key);
            _keys[block] = null;
        }
    }
}
