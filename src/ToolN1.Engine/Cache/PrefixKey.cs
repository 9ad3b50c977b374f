using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ToolN1.Engine.Cache;

/// <summary>
/// Names the content of a full cache block: SHA-256 over the key of the block before it and its own token ids. The chain
/// starts from weight version and tenant salt, so that neither other weights nor another tenant ever match. A
/// cryptographic hash, because a collision would hand one request the keys and values of another's prompt.
/// </summary>
internal readonly record struct PrefixKey(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Start of the chain for these weights and this salt.</summary>
    public static PrefixKey Root(string weightVersion, string? cacheSalt)
    {
        byte[] version = Encoding.UTF8.GetBytes(weightVersion);
        byte[] salt = cacheSalt is null ? [] : Encoding.UTF8.GetBytes(cacheSalt);
        byte[] bytes = new byte[9 + version.Length + salt.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, version.Length);
        bytes[8] = cacheSalt is null ? (byte)0 : (byte)1;
        version.CopyTo(bytes, 9);
        salt.CopyTo(bytes, 9 + version.Length);
        return Hash(bytes);
    }

    /// <summary>Key of the block that follows this one and holds <paramref name="tokens"/>.</summary>
    public PrefixKey Next(ReadOnlySpan<int> tokens)
    {
        ReadOnlySpan<byte> content = MemoryMarshal.AsBytes(tokens);
        Span<byte> bytes = content.Length <= 1024 ? stackalloc byte[32 + content.Length] : new byte[32 + content.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, A);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], B);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], C);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], D);
        content.CopyTo(bytes[32..]);
        return Hash(bytes);
    }

    private static PrefixKey Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new PrefixKey(
            BinaryPrimitives.ReadUInt64LittleEndian(hash),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]));
    }
}
