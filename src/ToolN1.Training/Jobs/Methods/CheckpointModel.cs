using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using static TorchSharp.torch;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Makes a checkpoint's f32 masters a model that can be served, with the start model's configuration and tokenizer.</summary>
internal static class CheckpointModel
{
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

    /// <summary>Writes the folder's files, one tensor in memory at a time.</summary>
    /// <param name="checkpoint">A checkpoint with whole weights.</param>
    /// <param name="startFolder">The model that the run started from.</param>
    /// <param name="folder">Exists, empty.</param>
    /// <param name="dtype">On disk: bf16 or f32.</param>
    /// <exception cref="CheckpointException">The checkpoint cannot be read.</exception>
    public static void Write(string checkpoint, string startFolder, string folder, ScalarType dtype = ScalarType.BFloat16)
    {
        ModelConfig config = ModelConfig.Load(startFolder);
        foreach (string file in TokenizerFiles.Where(file => File.Exists(Path.Combine(startFolder, file))))
        {
            File.Copy(Path.Combine(startFolder, file), Path.Combine(folder, file));
        }

        Tokenizer tokenizer = Tokenizer.Load(startFolder);
        config.Save(folder, dtype == ScalarType.Float32 ? "float32" : "bfloat16", ChatFormats.Create("auto", startFolder, tokenizer).Name);
        using SafetensorsFile masters = SafetensorsFile.Open(Path.Combine(checkpoint, RunCheckpointFiles.Weights));
        using SafetensorsWriter writer = new(
            Path.Combine(folder, Checkpoint.SingleFileName), masters.Entries.Select(entry => (entry.Name, dtype, entry.Shape.ToArray())));
        foreach (SafetensorsEntry entry in masters.Entries)
        {
            using IDisposable scope = NewDisposeScope();
            Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
            masters.ReadInto(entry, tensor);
            writer.Write(tensor);
        }

        writer.Commit();
    }
}
