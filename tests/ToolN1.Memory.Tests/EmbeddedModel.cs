using ToolN1.Engine.Model;

namespace ToolN1.Memory.Tests;

/// <summary>The shape that plans are measured with.</summary>
internal static class EmbeddedModel
{
    public static ModelConfig Shape { get; } = new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = 256,
        IntermediateSize = 704,
        Layers = 6,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 64,
        VocabularySize = 2560,
        RmsNormEpsilon = 1e-6,
        RopeTheta = 10000,
        MaxPositionEmbeddings = 1024,
        TieWordEmbeddings = true,
        QkvBias = true,
        QkNorm = false,
        DeclaredDType = "float32",
    };
}
