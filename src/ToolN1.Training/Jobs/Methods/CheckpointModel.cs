using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using static TorchSharp.torch;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Makes a checkpoint's f32 masters a model that can be served, with the start model's configuration and tokenizer.</summary>
internal static class CheckpointModel
{
    /// <summary>Writes the folder's files, one tensor in memory at a time.</summary>
    /// <param name="checkpoint">A checkpoint with whole weights.</param>
    /// <param name="startFolder">The model that the run started from.</param>
    /// <param name="folder">Exists, empty.</param>
    /// <param name="format">The chat format that it was trained in.</param>
    /// <param name="dtype">On disk: bf16 or f32.</param>
    /// <exception cref="CheckpointException">The checkpoint is damaged or cannot be read.</exception>
    public static void Write(string checkpoint, string startFolder, string folder, IChatFormat format, ScalarType dtype = ScalarType.BFloat16)
    {
        Manifest.Check(checkpoint);
        using SafetensorsFile masters = SafetensorsFile.Open(Path.Combine(checkpoint, RunCheckpointFiles.Weights));
        ModelFolderWriter.WriteFiles(
            folder,
            ModelConfig.Load(startFolder),
            [.. masters.Entries.Select(entry => (entry.Name, entry.Shape.ToArray(), (Func<Tensor>)(() => Master(entry))))],
            dtype,
            format,
            startFolder);

        Tensor Master(SafetensorsEntry entry)
        {
            Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
            masters.ReadInto(entry, tensor);
            return tensor;
        }
    }
}
