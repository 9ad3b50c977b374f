using System.Security.Cryptography;
using System.Text.Json;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// Folders that appear whole or not at all, and stay: written under a temporary name, given a manifest of SHA-256 sums,
/// flushed to disk, renamed, and the rename flushed too.
/// </summary>
internal static class DurableFolder
{
    /// <summary>The manifest's name within a folder.</summary>
    public const string ManifestFile = "manifest.json";

    /// <summary>Makes the empty temporary folder of a path.</summary>
    public static string Begin(string path) => DurableStorage.BeginFolder(path);

    /// <summary>Fills a folder, and gives it its manifest and its name; what could not be filled leaves nothing.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="fill">Writes into the empty folder that it is given.</param>
    public static void Write(string path, Action<string> fill) => DurableStorage.WriteFolder(path, temporary =>
    {
        fill(temporary);
        WriteManifest(temporary);
    });

    /// <summary>Gives a filled folder its manifest and its name; what had the name before is replaced.</summary>
    public static void Commit(string temporary, string path)
    {
        WriteManifest(temporary);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableStorage.ReplaceFolder(temporary, path);
    }

    /// <summary>Holds a folder against its manifest.</summary>
    /// <exception cref="CheckpointException">A file is missing, changed or not to be read, or there is no manifest.</exception>
    public static void Check(string path)
    {
        string file = Path.Combine(path, ManifestFile);
        try
        {
            foreach ((string name, string checksum) in JsonSerializer.Deserialize(File.ReadAllBytes(file), JobsJson.Default.SortedDictionaryStringString) ?? [])
            {
                file = Path.Combine(path, Path.GetFileName(name));
                if (!File.Exists(file) || Checksum(file) != checksum)
                {
                    throw new CheckpointException(file, $"is missing or is not what {ManifestFile} says.");
                }
            }
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(file, "cannot be read: " + error.Message, error);
        }
    }

    /// <summary>SHA-256 of a file in hexadecimal digits.</summary>
    public static string Checksum(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static void WriteManifest(string temporary)
    {
        SortedDictionary<string, string> manifest = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(temporary))
        {
            if (Path.GetFileName(file) != ManifestFile)
            {
                manifest.Add(Path.GetFileName(file), Checksum(file));
            }
        }

        File.WriteAllBytes(Path.Combine(temporary, ManifestFile), JsonSerializer.SerializeToUtf8Bytes(manifest, JobsJson.Default.SortedDictionaryStringString));
    }
}
