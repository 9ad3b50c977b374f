using System.IO.Compression;
using System.Text.Json;

namespace ToolN1.TestSupport;

/// <summary>Reads gzipped JSON lines.</summary>
public static class VectorFile
{
    /// <summary>The lines of a .jsonl.gz file.</summary>
    public static IEnumerable<JsonElement> Read(string path)
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }
}
