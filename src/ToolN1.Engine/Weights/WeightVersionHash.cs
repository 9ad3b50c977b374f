using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ToolN1.Engine.Weights;

/// <summary>
/// Accumulates the identity of a model's weights: SHA-256 over name, dtype, shape and bytes of every tensor in canonical
/// order, so that sharding, file names and headers do not matter.
/// </summary>
public sealed class WeightVersionHash : IDisposable
{
    internal IncrementalHash Hash { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The version of what was fed so far: 32 hexadecimal digits.</summary>
    public string Version => Convert.ToHexStringLower(Hash.GetCurrentHash().AsSpan(0, 16));

    /// <inheritdoc/>
    public void Dispose() => Hash.Dispose();

    internal void Begin(string name, SafetensorsEntry entry)
    {
        Hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{SafetensorsDTypes.NameOf(entry.DType)}\0"));
        Span<byte> size = stackalloc byte[8];
        foreach (long dimension in entry.Shape)
        {
            BinaryPrimitives.WriteInt64LittleEndian(size, dimension);
            Hash.AppendData(size);
        }
    }
}
