using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>One hash of many files.</summary>
public static class FileHash
{
    /// <summary>The hash of files' names and contents.</summary>
    /// <param name="folder">Where they lie; not part of the hash.</param>
    /// <param name="files">Their paths in it, in any order; what is not there is passed over.</param>
    /// <returns>32 hexadecimal digits.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string Of(string folder, IEnumerable<string> files)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files.Where(file => File.Exists(Path.Combine(folder, file))).Order(StringComparer.Ordinal))
        {
            byte[] content = File.ReadAllBytes(Path.Combine(folder, file));
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, content.Length);

            // With name and length, no two lists of files are the same bytes.
            hash.AppendData(Encoding.UTF8.GetBytes(file.Replace(Path.DirectorySeparatorChar, '/') + "\0"));
            hash.AppendData(length);
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash().AsSpan(0, 16));
    }
}
