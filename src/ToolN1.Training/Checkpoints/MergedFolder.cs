using ToolN1.Engine.Chat;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>An adapter merged into the weights that it stands on.</summary>
internal static class MergedFolder
{
    /// <summary>Writes a Hugging Face folder's files in the base's dtype, one tensor in memory at a time.</summary>
    /// <param name="adapter">On the CPU.</param>
    /// <param name="baseFolder">A Hugging Face folder.</param>
    /// <param name="folder">Exists, empty.</param>
    /// <param name="format">The chat format that the adapter was trained in.</param>
    /// <exception cref="CheckpointException">The base cannot be read.</exception>
    public static void Write(LoraAdapter adapter, string baseFolder, string folder, IChatFormat format)
    {
        using IDisposable noGrad = no_grad();
        using Checkpoint weights = Checkpoint.Open(baseFolder);
        ModelFolderWriter.WriteFiles(
            folder,
            weights.Config,
            [.. weights.Tensors.Select(item => (item.Name, item.Entry.Shape.ToArray(), (Func<Tensor>)(() => Merged(item.Name, item.Entry))))],
            weights.Config.DeclaredDType == "float32" ? ScalarType.Float32 : ScalarType.BFloat16,
            format,
            baseFolder);

        Tensor Merged(string name, SafetensorsEntry entry)
        {
            Tensor tensor = empty(entry.Shape.ToArray(), ScalarType.Float32);
            weights.ReadInto(name, tensor);
            bool isAdapted = name.EndsWith(".weight", StringComparison.Ordinal);
            return isAdapted && adapter.Delta(name[..^".weight".Length]) is Tensor delta ? tensor.AddTensor(delta) : tensor;
        }
    }
}
