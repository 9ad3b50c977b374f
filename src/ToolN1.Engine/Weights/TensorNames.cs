using ToolN1.Engine.Model;

namespace ToolN1.Engine.Weights;

/// <summary>The one table that maps names in a checkpoint to those of <see cref="ModelTensors"/>.</summary>
internal static class TensorNames
{
    /// <summary>
    /// The canonical name. Checkpoints saved from the bare transformer (AutoModel) lack the <c>model.</c> prefix.
    /// </summary>
    public static string Canonical(string name) =>
        name.StartsWith("layers.", StringComparison.Ordinal) || name is "embed_tokens.weight" or "norm.weight"
            ? "model." + name
            : name;

    /// <summary>
    /// True for tensors that hold no knowledge: old Llama checkpoints store the rotary frequencies, which follow from
    /// the config and are computed here.
    /// </summary>
    public static bool IsDerived(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
