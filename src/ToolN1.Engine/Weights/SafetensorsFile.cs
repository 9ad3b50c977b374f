using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>An open safetensors file with a checked header. Reads tensors in pieces straight into their destination. Not thread-safe.</summary>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>Elements that are read at a time where dtype or device differ: 8 MiB of f32.</summary>
    private const long PieceElements = 2 << 20;

    private readonly FileStream _stream;
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(string path, FileStream stream, List<SafetensorsEntry> entries)
    {
        Path = path;
        _stream = stream;
        Entries = entries;
        _byName = entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <param name="path">A .safetensors file.</param>
    /// <exception cref="CheckpointException">The file is missing, truncated, or its header does not hold.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, File.Exists(path) ? "cannot be read: " + error.Message : "is missing.", error);
        }

        try
        {
            return new SafetensorsFile(path, stream, SafetensorsHeader.Read(path, stream));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of a name, or null.</summary>
    public SafetensorsEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads a tensor into a destination of the same shape, converting dtype and moving to its device as needed.</summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="destination">Contiguous, any floating dtype, any device.</param>
    /// <param name="hash">If given, fed with the tensor's bytes as they are on disk.</param>
    /// <exception cref="CheckpointException">The file became shorter since it was opened.</exception>
    public void ReadInto(SafetensorsEntry entry, Tensor destination, IncrementalHash? hash = null)
    {
        if (!destination.shape.SequenceEqual(entry.Shape))
        {
            throw new ArgumentException($"'{entry.Name}' is [{string.Join(", ", entry.Shape)}], not [{string.Join(", ", destination.shape)}].", nameof(destination));
        }

        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor flat = destination.view(-1);
        bool direct = destination.dtype == entry.DType && destination.device_type == DeviceType.CPU;
        Tensor? staging = direct ? null : empty([Math.Min(PieceElements, entry.ElementCount)], entry.DType);
        int elementSize = SafetensorsDTypes.SizeOf(entry.DType);
        for (long start = 0; start < entry.ElementCount; start += PieceElements)
        {
            long count = Math.Min(PieceElements, entry.ElementCount - start);
            using Tensor target = flat.narrow(0, start, count);
            using Tensor piece = staging is null ? target.alias() : staging.narrow(0, 0, count);
            ReadPiece(entry, entry.Offset + (start * elementSize), piece.bytes, hash);
            if (staging is not null)
            {
                target.copy_(piece);
            }
        }
    }

    /// <summary>Reads raw bytes of a tensor.</summary>
    internal void ReadPiece(SafetensorsEntry entry, long offset, Span<byte> bytes, IncrementalHash? hash)
    {
        SafeFileHandle handle = _stream.SafeFileHandle;
        Span<byte> rest = bytes;
        while (!rest.IsEmpty)
        {
            int read = RandomAccess.Read(handle, rest, offset);
            if (read == 0)
            {
                throw new CheckpointException(Path, $"tensor '{entry.Name}': the file ended while it was read.");
            }

            rest = rest[read..];
            offset += read;
        }

        hash?.AppendData(bytes);
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
