using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Cache;

/// <summary>
/// Keys and values of every layer in blocks of positions. Owns its tensors. The order within a block is the attention backend's,
/// the only one to read or write them; shapes are those of position-major blocks. Memory is not cleared: a position is read only
/// after it was written, and on a CPU pages that no sequence ever reached are never committed.
/// </summary>
internal sealed class KvCachePool : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>Allocates the pool.</summary>
    /// <param name="config">Layers, key-value heads and head width.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="blockSize">Positions in a block.</param>
    /// <param name="dtype">The model's dtype.</param>
    /// <param name="device">The model's device.</param>
    public KvCachePool(ModelConfig config, int blocks, int blockSize, ScalarType dtype, Device device)
    {
        Blocks = blocks;
        BlockSize = blockSize;
        _keys = new Tensor[config.Layers];
        _values = new Tensor[config.Layers];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            _keys[layer] = Allocate();
            _values[layer] = Allocate();
        }

        Tensor Allocate() =>
            empty([blocks, blockSize, config.KeyValueHeads, config.HeadDim], dtype, device).DetachFromDisposeScope();
    }

    /// <summary>Blocks.</summary>
    public int Blocks { get; }

    /// <summary>Positions in a block.</summary>
    public int BlockSize { get; }

    /// <summary>[blocks, blockSize, kvHeads, headDim] of a layer.</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>[blocks, blockSize, kvHeads, headDim] of a layer.</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }
}
