using System.Security.Cryptography;
using System.Text;

namespace ToolN1.Api.Auth;

/// <summary>The configured keys. Keeps hashes only, and compares all of them in constant time.</summary>
internal sealed class KeyRing(AuthOptions options)
{
    private readonly byte[][] _apiKeys = [.. options.ApiKeys.Select(Hash)];
    private readonly byte[][] _adminKeys = [.. options.AdminKeys.Select(Hash)];

    /// <summary>Whether any key is configured; without one the server serves loopback only.</summary>
    public bool HasKeys => _apiKeys.Length + _adminKeys.Length > 0;

    /// <summary>Whether anybody can call admin routes.</summary>
    public bool HasAdminKeys => _adminKeys.Length > 0;

    /// <summary>What the audit log calls a key's holder: the beginning of its hash, which tells keys apart and reveals none.</summary>
    public static string NameOf(string key) => "admin-" + Fingerprint(key);

    /// <summary>Whether a presented key opens what needs <paramref name="access"/>.</summary>
    public bool Opens(string key, Access access)
    {
        byte[] hash = Hash(key);
        bool admin = Contains(_adminKeys, hash);
        bool api = Contains(_apiKeys, hash);
        return admin || (api && access != Access.AdminKey);
    }

    /// <summary>Whether a presented key is any of the configured ones.</summary>
    public bool Knows(string key) => Opens(key, Access.ApiKey);

    /// <summary>The tenant of a key; the same for the same key, in this and in other processes.</summary>
    public Tenant TenantOf(string key) => new(Convert.ToHexStringLower(SHA256.HashData(Hash(key))), "key-" + Fingerprint(key));

    private static string Fingerprint(string key) => Convert.ToHexStringLower(Hash(key).AsSpan(0, 4));

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static bool Contains(byte[][] keys, byte[] hash)
    {
        bool found = false;
        foreach (byte[] key in keys)
        {
            found |= CryptographicOperations.FixedTimeEquals(key, hash);
        }

        return found;
    }
}
