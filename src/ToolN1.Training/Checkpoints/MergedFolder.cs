using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>An adapter merged into the weights that it stands on.</summary>
internal static class MergedFolder
{
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

    /// <summary>Writes a Hugging Face folder's files in the base's dtype, one tensor in memory at a time.</summary>
    /// <param name="adapterFolder">PEFT's files.</param>
    /// <param name="baseFolder">A Hugging Face folder.</param>
    /// <param name="folder">Exists, empty.</param>
    /// <exception cref="CheckpointException">Adapter or base cannot be read.</exception>
    public static void Write(string adapterFolder, string baseFolder, string folder)
    {
        using IDisposable noGrad = no_grad();
        using LoraAdapter adapter = PeftFolder.Read(adapterFolder);
        using Checkpoint weights = Checkpoint.Open(baseFolder);
        ScalarType dtype = weights.Config.DeclaredDType == "float32" ? ScalarType.Float32 : ScalarType.BFloat16;
        foreach (string file in TokenizerFiles.Where(file => File.Exists(Path.Combine(baseFolder, file))))
        {
            File.Copy(Path.Combine(baseFolder, file), Path.Combine(folder, file));
        }

        weights.Config.Save(folder, dtype == ScalarType.Float32 ? "float32" : "bfloat16", ChatFormats.Create("auto", baseFolder, Tokenizer.Load(baseFolder)).Name);
        using SafetensorsWriter writer = new(
            Path.Combine(folder, Checkpoint.SingleFileName), weights.Tensors.Select(item => (item.Name, dtype, item.Entry.Shape.ToArray())));
        foreach ((string name, SafetensorsEntry entry) in weights.Tensors)
        {
            using IDisposable scope = NewDisposeScope();
            Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
            weights.ReadInto(name, tensor);
            bool isAdapted = name.EndsWith(".weight", StringComparison.Ordinal);
            writer.Write(isAdapted && adapter.Delta(name[..^".weight".Length]) is Tensor delta ? tensor.add(delta) : tensor);
        }

        writer.Commit();
    }
}
