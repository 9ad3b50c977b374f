using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Optimizers;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>What the next step of a run depends on beside tensors.</summary>
internal interface IRunState
{
    /// <summary>Steps done.</summary>
    int Step { get; }

    /// <summary>Updates of each optimizer.</summary>
    long[] OptimizerUpdates { get; }
}

/// <summary>
/// Saves and restores a run: trained f32 tensors, optimizer state, and the rest as JSON, with a manifest of checksums. A
/// checkpoint appears whole or not at all.
/// </summary>
/// <param name="folder">Where the checkpoints are; made when the first is saved.</param>
/// <param name="keep">The newest that are kept.</param>
/// <param name="json">Writes and reads the state.</param>
internal sealed class RunCheckpoints<TState>(string folder, int keep, JsonTypeInfo<TState> json)
    where TState : class, IRunState
{
    private const string WeightsFile = RunCheckpointFiles.Weights;
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = RunCheckpointFiles.State;

    /// <summary>Finished checkpoints, oldest first.</summary>
    public IReadOnlyList<string> List() => RunCheckpointFiles.List(folder);

    /// <summary>Step of the newest finished checkpoint from before a step; null where there is none.</summary>
    public int? NewestBefore(int step) => List().Select(RunCheckpointFiles.StepOf).LastOrDefault(found => found < step);

    /// <summary>The folder of a step's checkpoint.</summary>
    public string PathOf(int step) => Path.Combine(folder, RunCheckpointFiles.Prefix + step.ToString("D8", CultureInfo.InvariantCulture));

    /// <summary>Writes a checkpoint under a temporary name, flushes it with its name, and removes old ones. One of the same step is replaced and stays pinned if it was.</summary>
    /// <param name="weights">What is trained, by name.</param>
    /// <param name="optimizers">Their state is saved.</param>
    /// <param name="state">The rest.</param>
    /// <param name="pinnedSteps">Steps whose checkpoints stay whatever their age.</param>
    public void Save(IReadOnlyList<(string Name, Tensor Tensor)> weights, IReadOnlyList<IOptimizer> optimizers, TState state, params IReadOnlyCollection<int> pinnedSteps)
    {
        // What a process that was killed was writing or removing.
        DurableStorage.Sweep(folder);
        string path = PathOf(state.Step);
        DurableStorage.WriteFolder(path, temporary =>
        {
            SafetensorsWriter.Write(Path.Combine(temporary, WeightsFile), weights, ScalarType.Float32);
            SafetensorsWriter.Write(Path.Combine(temporary, OptimizerFile), [.. optimizers.SelectMany(optimizer => optimizer.State)], ScalarType.Float32);
            File.WriteAllBytes(Path.Combine(temporary, StateFile), JsonSerializer.SerializeToUtf8Bytes(state, json));
            Manifest.Write(temporary);

            // After the manifest: a mark comes and goes without it.
            if (IsPinned(path))
            {
                File.WriteAllBytes(Path.Combine(temporary, RunCheckpointFiles.Pin), []);
            }
        });
        HashSet<string> pinned = [.. pinnedSteps.Select(PathOf)];
        foreach (string old in List().SkipLast(keep).Where(old => !pinned.Contains(old) && !IsPinned(old)))
        {
            Remove(old);
        }
    }

    /// <summary>Restores the newest checkpoint.</summary>
    /// <param name="weights">Filled, by name.</param>
    /// <param name="optimizers">Filled.</param>
    /// <returns>Its state, or null when there is none.</returns>
    /// <exception cref="CheckpointException">A file of it is damaged or of another shape.</exception>
    public TState? Restore(IReadOnlyList<(string Name, Tensor Tensor)> weights, IReadOnlyList<IOptimizer> optimizers) =>
        List() is [.., string newest] ? Restore(newest, weights, optimizers) : null;

    /// <summary>Restores a checkpoint.</summary>
    /// <param name="path">Its folder.</param>
    /// <param name="weights">Filled, by name.</param>
    /// <param name="optimizers">Filled; none restores the weights alone.</param>
    /// <exception cref="CheckpointException">A file of it is damaged or of another shape.</exception>
    public TState Restore(string path, IReadOnlyList<(string Name, Tensor Tensor)> weights, IReadOnlyList<IOptimizer> optimizers)
    {
        Manifest.Check(path);
        TState state = ReadState(path);
        Fill(Path.Combine(path, WeightsFile), weights);
        if (optimizers.Count == 0)
        {
            return state;
        }

        if (state.OptimizerUpdates.Length != optimizers.Count)
        {
            throw new CheckpointException(Path.Combine(path, StateFile), $"field 'optimizer_updates': {state.OptimizerUpdates.Length} optimizers instead of {optimizers.Count}.");
        }

        Fill(Path.Combine(path, OptimizerFile), [.. optimizers.SelectMany(optimizer => optimizer.State)]);
        for (int i = 0; i < optimizers.Count; i++)
        {
            optimizers[i].Updates = state.OptimizerUpdates[i];
        }

        return state;
    }

    /// <summary>Reads a checkpoint's state alone.</summary>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public TState ReadState(string path)
    {
        string file = Path.Combine(path, StateFile);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), json) ?? throw new CheckpointException(file, "is null.");
        }
        catch (Exception error) when (error is JsonException or IOException)
        {
            throw new CheckpointException(file, "cannot be read: " + error.Message, error);
        }
    }

    private static bool IsPinned(string path) => File.Exists(Path.Combine(path, RunCheckpointFiles.Pin));

    /// <summary>Takes a checkpoint's name away before its files: a process killed in between leaves no half of one, and a pin finds it whole or not at all.</summary>
    private static void Remove(string path)
    {
        string removed = path + DurableStorage.TemporarySuffix;
        Directory.Move(path, removed);
        if (IsPinned(removed))
        {
            // In the moment before.
            Directory.Move(removed, path);
            return;
        }

        Directory.Delete(removed, recursive: true);
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
