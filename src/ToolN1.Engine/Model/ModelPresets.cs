namespace ToolN1.Engine.Model;

/// <summary>Shapes of well-known checkpoints, for random weights: benchmarks, memory plans, tests.</summary>
public static class ModelPresets
{
    private static readonly Dictionary<string, ModelConfig> Configs = new(StringComparer.Ordinal)
    {
        ["tiny"] = Qwen(hidden: 64, intermediate: 176, layers: 3, heads: 4, keyValueHeads: 2, headDim: 16, vocabulary: 1024, tied: true, ends: [1]),
        ["qwen2.5-0.5b"] = Qwen(896, 4864, 24, 14, 2, 64, 151936, true, [151645, 151643]),
        ["qwen2.5-1.5b"] = Qwen(1536, 8960, 28, 12, 2, 128, 151936, true, [151645, 151643]),
        ["qwen2.5-7b"] = Qwen(3584, 18944, 28, 28, 4, 128, 152064, false, [151645, 151643]),
        ["qwen2.5-14b"] = Qwen(5120, 13824, 48, 40, 8, 128, 152064, false, [151645, 151643]),
    };

    /// <summary>The names, smallest shape first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Configs.Keys];

    /// <summary>The shape of a name.</summary>
    /// <exception cref="ArgumentException">An unknown name; the message lists the known ones.</exception>
    public static ModelConfig Get(string name) => Configs.TryGetValue(name, out ModelConfig? config)
        ? config
        : throw new ArgumentException($"'{name}' is not a preset; known are {string.Join(", ", Names)}.", nameof(name));

    private static ModelConfig Qwen(
        int hidden, int intermediate, int layers, int heads, int keyValueHeads, int headDim, int vocabulary, bool tied, int[] ends) => new()
        {
            Architecture = ModelArchitecture.Qwen2,
            HiddenSize = hidden,
            IntermediateSize = intermediate,
            Layers = layers,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadDim = headDim,
            VocabularySize = vocabulary,
            RmsNormEpsilon = 1e-6,
            RopeTheta = 1e6,
            MaxPositionEmbeddings = 32768,
            TieWordEmbeddings = tied,
            QkvBias = true,
            QkNorm = false,
            EndOfSequenceIds = ends,
            DeclaredDType = "bfloat16",
        };
}
