using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using ToolN1.Engine.Model;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// Folders that appear whole or not at all, and stay: written under a temporary name, given a manifest of SHA-256 sums,
/// flushed to disk, renamed, and the rename flushed too.
/// </summary>
internal static partial class DurableFolder
{
    /// <summary>The manifest's name within a folder.</summary>
    public const string ManifestFile = "manifest.json";

    private const int ReadOnly = 0;

    /// <summary>Makes the empty temporary folder of a path.</summary>
    public static string Begin(string path)
    {
        string temporary = path + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        return temporary;
    }

    /// <summary>Gives a filled folder its manifest and its name; what had the name before is replaced.</summary>
    public static void Commit(string temporary, string path)
    {
        SortedDictionary<string, string> manifest = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(temporary))
        {
            if (Path.GetFileName(file) != ManifestFile)
            {
                manifest.Add(Path.GetFileName(file), Checksum(file));
                using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
                stream.Flush(flushToDisk: true);
            }
        }

        using (FileStream stream = new(Path.Combine(temporary, ManifestFile), FileMode.Create))
        {
            JsonSerializer.Serialize(stream, manifest, JobsJson.Default.SortedDictionaryStringString);
            stream.Flush(flushToDisk: true);
        }

        Flush(temporary);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Directory.Move(temporary, path);
        Flush(Path.GetDirectoryName(path)!);
    }

    /// <summary>Holds a folder against its manifest.</summary>
    /// <exception cref="CheckpointException">A file is missing or changed, or there is no manifest.</exception>
    public static void Check(string path)
    {
        string manifestFile = Path.Combine(path, ManifestFile);
        SortedDictionary<string, string> manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(File.ReadAllBytes(manifestFile), JobsJson.Default.SortedDictionaryStringString) ?? [];
        }
        catch (Exception error) when (error is JsonException or IOException)
        {
            throw new CheckpointException(manifestFile, "cannot be read: " + error.Message, error);
        }

        foreach ((string name, string checksum) in manifest)
        {
            string file = Path.Combine(path, Path.GetFileName(name));
            if (!File.Exists(file) || Checksum(file) != checksum)
            {
                throw new CheckpointException(file, $"is missing or is not what {ManifestFile} says.");
            }
        }
    }

    /// <summary>SHA-256 of a file in hexadecimal digits.</summary>
    public static string Checksum(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Flushes the names in a folder; .NET opens files only, so libc does it. Elsewhere the file system's own order must do.</summary>
    private static void Flush(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        int handle = Open(folder, ReadOnly);
        if (handle >= 0)
        {
            // Some file systems refuse to flush a folder; its rename is then as durable as they make it.
            _ = Synchronize(handle);
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
