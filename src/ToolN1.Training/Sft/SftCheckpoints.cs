using System.Globalization;
using System.Text.Json;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Optimizers;
using static TorchSharp.torch;

namespace ToolN1.Training.Sft;

/// <summary>Saves and restores a run: f32 masters, optimizer state, and <see cref="SftState"/>. A checkpoint appears whole or not at all.</summary>
internal sealed class SftCheckpoints(string folder, int keep)
{
    private const string Prefix = "step-";
    private const string WeightsFile = "masters.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "state.json";

    /// <summary>Finished checkpoints, oldest first.</summary>
    public IReadOnlyList<string> List() =>
        Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder, Prefix + "*").Where(path => !path.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Writes a checkpoint under a temporary name, flushes it, renames it, and removes old ones.</summary>
    public void Save(Decoder decoder, IReadOnlyList<IOptimizer> optimizers, SftState state)
    {
        string path = Path.Combine(folder, Prefix + state.Step.ToString("D8", CultureInfo.InvariantCulture));
        string temporary = path + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        SafetensorsWriter.Write(Path.Combine(temporary, WeightsFile), [.. decoder.NamedWeights()], ScalarType.Float32);
        SafetensorsWriter.Write(Path.Combine(temporary, OptimizerFile), [.. optimizers.SelectMany(optimizer => optimizer.State)], ScalarType.Float32);
        using (FileStream stream = new(Path.Combine(temporary, StateFile), FileMode.Create))
        {
            JsonSerializer.Serialize(stream, state, SftStateJson.Default.SftState);
            stream.Flush(flushToDisk: true);
        }

        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        Directory.Move(temporary, path);
        foreach (string old in List().SkipLast(keep))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    /// <summary>Restores the newest checkpoint.</summary>
    /// <returns>Its state, or null when there is none.</returns>
    /// <exception cref="CheckpointException">A file of it is damaged or of another shape.</exception>
    public SftState? Restore(Decoder decoder, IReadOnlyList<IOptimizer> optimizers)
    {
        if (List() is not [.., string path])
        {
            return null;
        }

        string stateFile = Path.Combine(path, StateFile);
        SftState state;
        try
        {
            state = JsonSerializer.Deserialize(File.ReadAllBytes(stateFile), SftStateJson.Default.SftState)
                ?? throw new CheckpointException(stateFile, "is null.");
        }
        catch (Exception error) when (error is JsonException or IOException)
        {
            throw new CheckpointException(stateFile, "cannot be read: " + error.Message, error);
        }

        if (state.OptimizerUpdates.Length != optimizers.Count)
        {
            throw new CheckpointException(stateFile, $"field 'optimizer_updates': {state.OptimizerUpdates.Length} optimizers instead of {optimizers.Count}.");
        }

        Fill(Path.Combine(path, WeightsFile), [.. decoder.NamedWeights()]);
        Fill(Path.Combine(path, OptimizerFile), [.. optimizers.SelectMany(optimizer => optimizer.State)]);
        for (int i = 0; i < optimizers.Count; i++)
        {
            optimizers[i].Updates = state.OptimizerUpdates[i];
        }

        return state;
    }

    private static void Fill(string path, IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (file.Entries.Count != tensors.Count)
        {
            throw new CheckpointException(path, $"holds {file.Entries.Count} tensors instead of {tensors.Count}.");
        }

        foreach ((string name, Tensor tensor) in tensors)
        {
            SafetensorsEntry entry = file.Find(name) ?? throw new CheckpointException(path, $"tensor '{name}' is missing.");
            if (!entry.Shape.SequenceEqual(tensor.shape))
            {
                throw new CheckpointException(path, $"tensor '{name}' is [{string.Join(", ", entry.Shape)}] instead of [{string.Join(", ", tensor.shape)}].");
            }

            file.ReadInto(entry, tensor);
        }
    }
}
