using System.Buffers.Binary;
using System.Text.Json;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>
/// Parses and checks a safetensors header: 8 bytes of length, JSON, then the data. Every promise of the header is held
/// against the file before a byte of data is read: offsets are contiguous from 0 and end with the file, each tensor's
/// bytes are its dtype times its shape, no name occurs twice.
/// </summary>
internal static class SafetensorsHeader
{
    private const long LargestHeader = 100_000_000;

    /// <summary>Reads the header of an open file.</summary>
    /// <returns>The tensors in the order of their offsets.</returns>
    /// <exception cref="CheckpointException">Anything that is not as the format says; names file and tensor.</exception>
    public static List<SafetensorsEntry> Read(string file, Stream stream)
    {
        long fileLength = stream.Length;
        Span<byte> prefix = stackalloc byte[8];
        if (fileLength < prefix.Length)
        {
            throw new CheckpointException(file, $"is truncated: {fileLength} bytes cannot hold a safetensors header.");
        }

        stream.ReadExactly(prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > LargestHeader)
        {
            throw new CheckpointException(file, $"is no safetensors file: it declares a header of {headerLength} bytes (at most {LargestHeader}).");
        }

        if ((long)headerLength > fileLength - prefix.Length)
        {
            throw new CheckpointException(file, $"is truncated: a header of {headerLength} bytes is declared, {fileLength - prefix.Length} bytes follow.");
        }

        byte[] json = new byte[headerLength];
        stream.ReadExactly(json);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw new CheckpointException(file, "has a header that is not valid JSON: " + error.Message, error);
        }

        using (document)
        {
            return ReadEntries(file, document.RootElement, dataStart: prefix.Length + (long)headerLength, fileLength);
        }
    }

    private static List<SafetensorsEntry> ReadEntries(string file, JsonElement root, long dataStart, long fileLength)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CheckpointException(file, "has a header that is not a JSON object.");
        }

        // Duplicates are found here and not by the parser, whose message cuts long names.
        List<SafetensorsEntry> entries = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            string name = NameOf(file, property);
            if (!names.Add(name))
            {
                throw Problem(file, name, "occurs twice in the header.");
            }

            if (name != "__metadata__")
            {
                entries.Add(ReadEntry(file, name, property.Value, dataStart));
            }
        }

        entries.Sort((left, right) => (left.Offset, left.ByteCount).CompareTo((right.Offset, right.ByteCount)));
        long expected = dataStart;
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.Offset != expected)
            {
                throw Problem(file, entry.Name, $"begins at byte {entry.Offset - dataStart} of the data instead of {expected - dataStart}; tensors must neither overlap nor leave holes.");
            }

            expected += entry.ByteCount;
            if (expected > fileLength)
            {
                throw Problem(file, entry.Name, $"ends at byte {expected} of a file of {fileLength} bytes: the file is truncated or its header lies.");
            }
        }

        return expected == fileLength
            ? entries
            : throw new CheckpointException(file, $"has {fileLength - expected} bytes after its last tensor that no tensor claims.");
    }

    private static SafetensorsEntry ReadEntry(string file, string name, JsonElement value, long dataStart)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Problem(file, name, "is not described by an object.");
        }

        if (value.EnumerateObject().GroupBy(property => NameOf(file, property)).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Problem(file, name, $"has field '{twice.Key}' twice.");
        }

        if (!value.TryGetProperty("dtype", out JsonElement dtypeElement) || dtypeElement.ValueKind != JsonValueKind.String)
        {
            throw Problem(file, name, "has no dtype.");
        }

        ScalarType dtype = DTypeOf(file, name, dtypeElement);
        long[] shape = Integers(file, name, value, "shape");
        long[] offsets = Integers(file, name, value, "data_offsets");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
        {
            throw Problem(file, name, "needs data_offsets [begin, end] with begin ≤ end.");
        }

        long bytes = SafetensorsDTypes.SizeOf(dtype);
        foreach (long size in shape)
        {
            // Both factors are non-negative; the bound keeps the product within long.
            if (size != 0 && bytes > (1L << 60) / size)
            {
                throw Problem(file, name, $"has an impossible shape [{string.Join(", ", shape)}].");
            }

            bytes *= size;
        }

        if (offsets[1] - offsets[0] != bytes)
        {
            throw Problem(file, name, $"takes {offsets[1] - offsets[0]} bytes, but {SafetensorsDTypes.NameOf(dtype)} [{string.Join(", ", shape)}] needs {bytes}.");
        }

        return offsets[1] <= long.MaxValue - dataStart
            ? new SafetensorsEntry(name, dtype, shape, dataStart + offsets[0], bytes)
            : throw Problem(file, name, "ends beyond any file.");
    }

    private static ScalarType DTypeOf(string file, string name, JsonElement element)
    {
        string text;
        try
        {
            text = element.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException(file, $"tensor '{name}': its dtype is not valid text.", error);
        }

        return SafetensorsDTypes.Parse(text)
            ?? throw Problem(file, name, $"has dtype '{text}', which is not supported; supported are BF16, F16 and F32.");
    }

    private static long[] Integers(string file, string name, JsonElement entry, string field)
    {
        if (!entry.TryGetProperty(field, out JsonElement array) || array.ValueKind != JsonValueKind.Array)
        {
            throw Problem(file, name, $"has no {field}.");
        }

        return [.. array.EnumerateArray().Select(item =>
            item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out long number) && number >= 0
                ? number
                : throw Problem(file, name, $"has a {field} with a value that is not an integer from 0."))];
    }

    private static string NameOf(string file, JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException(file, "has a tensor name that is not valid text.", error);
        }
    }

    private static CheckpointException Problem(string file, string tensor, string what) => new(file, $"tensor '{tensor}' {what}");
}
