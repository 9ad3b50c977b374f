using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;

namespace ToolN1.Fuzz.Targets;

/// <summary>A safetensors file: its header is opened and every tensor that it claims lies within the file.</summary>
internal sealed class SafetensorsTarget : IFuzzTarget
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("tooln1-fuzz-").FullName, "model.safetensors");

    public string Name => "safetensors";

    public IReadOnlyList<string> Dictionary { get; } =
        ["\"__metadata__\":{", "\"dtype\":\"F32\"", "\"dtype\":\"BF16\"", "\"dtype\":\"I64\"", "\"shape\":[", "\"data_offsets\":[0,", "[0,0]", "[4294967296,4294967296]", "\0\0\0\0\0\0\0\u0001", "\u0008\0\0\0\0\0\0\0"];

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_file, input);
        try
        {
            using SafetensorsFile opened = SafetensorsFile.Open(_file);
            foreach (SafetensorsEntry entry in opened.Entries)
            {
                if (entry.Offset < 8 || entry.ByteCount < 0 || entry.Offset + entry.ByteCount > input.Length)
                {
                    throw new InvalidOperationException($"'{entry.Name}' lies outside the file");
                }
            }
        }
        catch (CheckpointException error) when (error.Message.StartsWith(_file, StringComparison.Ordinal))
        {
            // Refused, and the file is named.
        }
    }
}
