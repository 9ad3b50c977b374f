using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>Writes the folder that the server, and any Hugging Face tool, loads.</summary>
internal static class ModelFolderWriter
{
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

    /// <summary>Writes weights, configs and tokenizer.</summary>
    /// <param name="folder">Appears whole or not at all; replaced if it exists.</param>
    /// <param name="config">The shape.</param>
    /// <param name="tensors">Names and what gives each tensor; one is in memory at a time.</param>
    /// <param name="dtype">On disk: bf16 or f32.</param>
    /// <param name="chatFormat">Noted in config.json.</param>
    /// <param name="tokenizerFolder">Where the tokenizer's files are.</param>
    public static void Write(string folder, ModelConfig config, IReadOnlyList<(string Name, long[] Shape, Func<Tensor> Tensor)> tensors, ScalarType dtype, string chatFormat, string tokenizerFolder)
    {
        string temporary = folder + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        config.Save(temporary, dtype == ScalarType.Float32 ? "float32" : "bfloat16", chatFormat);
        using (SafetensorsWriter writer = new(Path.Combine(temporary, Checkpoint.SingleFileName), tensors.Select(item => (item.Name, dtype, item.Shape))))
        {
            foreach ((_, _, Func<Tensor> tensor) in tensors)
            {
                using IDisposable scope = NewDisposeScope();
                writer.Write(tensor());
            }

            writer.Commit();
        }

        foreach (string file in TokenizerFiles.Where(file => File.Exists(Path.Combine(tokenizerFolder, file))))
        {
            File.Copy(Path.Combine(tokenizerFolder, file), Path.Combine(temporary, file));
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.Move(temporary, folder);
    }
}
