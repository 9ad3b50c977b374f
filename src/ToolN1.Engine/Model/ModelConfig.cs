namespace ToolN1.Engine.Model;

/// <summary>Shape and constants of a decoder, as a Hugging Face config.json gives them. Immutable.</summary>
public sealed record ModelConfig
{
    /// <summary>The file's name within a checkpoint folder.</summary>
    public const string FileName = "config.json";

    /// <summary>Family of the decoder.</summary>
    public required ModelArchitecture Architecture { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the SwiGLU.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of one head; even.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Rows of the embedding, which is the width of the logits.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Added to the mean square in every RMS norm.</summary>
    public required double RmsNormEpsilon { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public required double RopeTheta { get; init; }

    /// <summary>Llama 3's frequency scaling, or null for plain RoPE.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Longest context the checkpoint declares, in tokens.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Whether the output head is the embedding matrix.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Biases on the query, key and value projections.</summary>
    public required bool QkvBias { get; init; }

    /// <summary>A bias on the attention's output projection.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>RMS norms over each head's query and key before RoPE.</summary>
    public required bool QkNorm { get; init; }

    /// <summary>Beginning-of-sequence id, if the checkpoint names one.</summary>
    public int? BeginOfSequenceId { get; init; }

    /// <summary>Ids that end a sequence: generation_config.json's, else config.json's; empty if neither names one.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; init; } = [];

    /// <summary>The dtype that config.json declares (<c>bfloat16</c>, <c>float16</c>, <c>float32</c>), or null.</summary>
    public string? DeclaredDType { get; init; }

    /// <summary>Query heads that share one key and value head.</summary>
    public int GroupSize => Heads / KeyValueHeads;

    /// <summary>Reads config.json and generation_config.json of a checkpoint folder.</summary>
    /// <param name="folder">A Hugging Face folder.</param>
    /// <exception cref="CheckpointException">A file is missing, malformed, or asks for what is not supported; names file and field.</exception>
    public static ModelConfig Load(string folder) => ModelConfigReader.Load(folder);

    /// <summary>Writes config.json and generation_config.json so that this and any Hugging Face tool reads them back.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="dtype">The dtype the weights are stored in: <c>bfloat16</c>, <c>float16</c> or <c>float32</c>.</param>
    /// <param name="chatFormat">Noted as <c>tooln1.chat_format</c>, by which the server's <c>auto</c> chooses; null notes none.</param>
    public void Save(string folder, string dtype, string? chatFormat = null) => ModelConfigWriter.Write(this, folder, dtype, chatFormat);

    /// <summary>Bytes of keys and values that one token takes in all layers.</summary>
    /// <param name="bytesPerElement">2 for bf16, 4 for f32.</param>
    public long KeyValueBytesPerToken(int bytesPerElement) =>
        2L * Layers * KeyValueHeads * HeadDim * bytesPerElement;
}
