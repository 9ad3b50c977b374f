using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Engine.Model;

namespace ToolN1.Training.Checkpoints;

/// <summary>
/// SHA-256 sums of a folder's files, in a file beside them: whoever reads the folder later holds it against them. Files that
/// come after it, such as marks, are none of its business.
/// </summary>
internal static class Manifest
{
    /// <summary>The manifest's name within a folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Gives a folder the manifest of the files that are in it; folders within are left out.</summary>
    public static void Write(string folder)
    {
        SortedDictionary<string, string> sums = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(folder).Where(file => Path.GetFileName(file) != FileName))
        {
            sums.Add(Path.GetFileName(file), Checksum(file));
        }

        File.WriteAllBytes(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(sums, ManifestJson.Default.SortedDictionaryStringString));
    }

    /// <summary>Holds a folder against its manifest.</summary>
    /// <exception cref="CheckpointException">A file is missing, changed or not to be read, or there is no manifest; names the file.</exception>
    public static void Check(string folder)
    {
        string file = Path.Combine(folder, FileName);
        try
        {
            SortedDictionary<string, string> sums = JsonSerializer.Deserialize(File.ReadAllBytes(file), ManifestJson.Default.SortedDictionaryStringString)
                ?? throw new CheckpointException(file, "is null.");
            foreach ((string name, string checksum) in sums)
            {
                file = Path.Combine(folder, Path.GetFileName(name));
                if (!File.Exists(file) || Checksum(file) != checksum)
                {
                    throw new CheckpointException(file, $"is missing or does not have the checksum that {FileName} gives.");
                }
            }
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(file, "cannot be read: " + error.Message, error);
        }
    }

    /// <summary>SHA-256 of a file in hexadecimal digits, as a manifest has it.</summary>
    public static string Checksum(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

/// <summary>JSON of a manifest.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(SortedDictionary<string, string>))]
internal sealed partial class ManifestJson : JsonSerializerContext;
