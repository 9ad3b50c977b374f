using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>
/// Writes a safetensors file tensor by tensor, so that no more than one tensor need be in memory. The file appears under its
/// name only when <see cref="Commit"/> has flushed it to disk; until then it has a temporary name beside it.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    private const long PieceElements = 2 << 20;

    private readonly string _path;
    private readonly string _temporaryPath;
    private readonly IReadOnlyList<(string Name, ScalarType DType, long[] Shape)> _tensors;
    private readonly FileStream _stream;
    private int _written;
    private bool _committed;

    /// <summary>Begins a file by writing its header.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="tensors">Names, dtypes (bf16, f16, f32) and shapes in the order in which they will be written.</param>
    public SafetensorsWriter(string path, IEnumerable<(string Name, ScalarType DType, long[] Shape)> tensors)
    {
        _path = path;
        _temporaryPath = path + DurableStorage.TemporarySuffix;
        _tensors = [.. tensors];
        byte[] header = Header(_tensors);
        _stream = new FileStream(_temporaryPath, FileMode.Create, FileAccess.Write, FileShare.None);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        _stream.Write(length);
        _stream.Write(header);
    }

    /// <summary>Writes named tensors to one file.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="tensors">Any floating dtype, any device.</param>
    /// <param name="dtype">The dtype on disk.</param>
    public static void Write(string path, IReadOnlyList<(string Name, Tensor Tensor)> tensors, ScalarType dtype)
    {
        using SafetensorsWriter writer = new(path, tensors.Select(item => (item.Name, dtype, item.Tensor.shape)));
        foreach ((_, Tensor tensor) in tensors)
        {
            writer.Write(tensor);
        }

        writer.Commit();
    }

    /// <summary>Writes the next tensor of the list.</summary>
    /// <param name="tensor">Of the announced shape; converted to the announced dtype piece by piece.</param>
    public void Write(Tensor tensor)
    {
        (string name, ScalarType dtype, long[] shape) = _tensors[_written];
        if (!tensor.shape.SequenceEqual(shape))
        {
            throw new ArgumentException($"'{name}' is announced as [{string.Join(", ", shape)}] but is [{string.Join(", ", tensor.shape)}].", nameof(tensor));
        }

        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor flat = tensor.detach().contiguous().view(-1);
        long count = flat.shape[0];
        for (long start = 0; start < count; start += PieceElements)
        {
            using Tensor narrow = flat.narrow(0, start, Math.Min(PieceElements, count - start));
            using Tensor piece = narrow.to(dtype, CPU, copy: true);
            _stream.Write(piece.bytes);
        }

        _written++;
    }

    /// <summary>Flushes the file to disk and gives it its name.</summary>
    public void Commit()
    {
        if (_written != _tensors.Count)
        {
            throw new InvalidOperationException($"{_written} of {_tensors.Count} tensors were written to {_path}.");
        }

        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporaryPath, _path, overwrite: true);
        DurableStorage.FlushNames(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        _committed = true;
    }

    /// <summary>Removes the temporary file if it was not committed.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (!_committed)
        {
            File.Delete(_temporaryPath);
        }
    }

    private static byte[] Header(IReadOnlyList<(string Name, ScalarType DType, long[] Shape)> tensors)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            foreach ((string name, ScalarType dtype, long[] shape) in tensors)
            {
                long end = offset + shape.Aggregate((long)SafetensorsDTypes.SizeOf(dtype), (product, size) => product * size);
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafetensorsDTypes.NameOf(dtype));
                writer.WriteStartArray("shape");
                foreach (long size in shape)
                {
                    writer.WriteNumberValue(size);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                writer.WriteNumberValue(end);
                writer.WriteEndArray();
                writer.WriteEndObject();
                offset = end;
            }

            writer.WriteEndObject();
        }

        // Spaces up to a multiple of 8, as the reference implementation does, so that the data is aligned.
        int padding = (int)(-buffer.Length & 7);
        byte[] header = new byte[buffer.Length + padding];
        buffer.ToArray().CopyTo(header, 0);
        header.AsSpan(header.Length - padding).Fill((byte)' ');
        return header;
    }
}
