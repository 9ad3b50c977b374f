using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Hosting;

/// <summary>The model this process serves.</summary>
/// <param name="Info">What the engine says of it.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
/// <param name="Format">Its chat format.</param>
/// <param name="Folder">Full path of its checkpoint.</param>
/// <param name="Created">When it was loaded.</param>
public sealed record ServedModel(ModelInfo Info, Tokenizer Tokenizer, IChatFormat Format, string Folder, DateTimeOffset Created)
{
    /// <summary>Where it runs: <c>cpu</c>, or <c>cuda:N</c>.</summary>
    public required string Device { get; init; }

    /// <summary>Dtype of weights, activations and cache, as <see cref="ModelOptions.DType"/> names it.</summary>
    public required string DType { get; init; }
}
