using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using static TorchSharp.torch;

namespace ToolN1.Training.Sft;

/// <summary>What is trained: f32 masters, tokenizer, chat format.</summary>
internal sealed class SftModel : IDisposable
{
    private readonly string _tokenizerFolder;

    private SftModel(Decoder decoder, Tokenizer tokenizer, IChatFormat format, string tokenizerFolder)
    {
        Decoder = decoder;
        Tokenizer = tokenizer;
        Format = format;
        _tokenizerFolder = tokenizerFolder;
    }

    /// <summary>f32 weights that require gradients.</summary>
    public Decoder Decoder { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How it will be served.</summary>
    public IChatFormat Format { get; }

    /// <summary>The shape of a run's model, which is not loaded.</summary>
    /// <exception cref="CheckpointException">The folder cannot be used.</exception>
    public static ModelConfig ShapeOf(SftConfig config) => config.Init.Shape is SftShape shape
        ? ConfigOf(shape, shape.VocabularySize ?? Tokenizer.Load(config.Init.Tokenizer!).VocabularySize, [])
        : ModelConfig.Load(config.Init.From!);

    /// <summary>Makes or loads the model of a run.</summary>
    public static SftModel Create(SftConfig config, string configFile)
    {
        Device device = DeviceOf(config, configFile);
        string tokenizerFolder = config.Init.Tokenizer ?? config.Init.From!;
        Tokenizer tokenizer = Tokenizer.Load(tokenizerFolder);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, tokenizerFolder, tokenizer);
        int[] stops = [.. format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>()];
        Decoder decoder = config.Init.Shape is SftShape shape
            ? RandomWeights.Create(ConfigOf(shape, shape.VocabularySize ?? tokenizer.VocabularySize, stops), device, ScalarType.Float32, config.Seed, shape.InitialStd)
            : CheckpointLoader.Load(config.Init.From!, device, ScalarType.Float32);
        if (decoder.Config.VocabularySize < tokenizer.VocabularySize)
        {
            int rows = decoder.Config.VocabularySize;
            decoder.Dispose();
            throw new TrainingConfigException(configFile, $"field 'init': the model has {rows} embeddings but the tokenizer has {tokenizer.VocabularySize} tokens.");
        }

        ScalarType compute = ComputeDType.Select(config.DType, device);
        foreach (Linear linear in decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head))
        {
            linear.ComputeDType = compute;
        }

        foreach ((_, Tensor tensor) in decoder.NamedWeights())
        {
            tensor.requires_grad = true;
        }

        return new SftModel(decoder, tokenizer, format, tokenizerFolder);
    }

    /// <summary>Writes the folder that the server, and any Hugging Face tool, loads.</summary>
    /// <param name="folder">Appears whole or not at all; replaced if it exists.</param>
    public void Export(string folder) => ModelFolderWriter.Write(
        folder, Decoder.Config, [.. Decoder.NamedWeights().Select(item => (item.Name, item.Tensor.shape, (Func<Tensor>)(() => item.Tensor)))],
        ScalarType.BFloat16, Format, _tokenizerFolder);

    /// <inheritdoc/>
    public void Dispose() => Decoder.Dispose();

    private static Device DeviceOf(SftConfig config, string configFile)
    {
        try
        {
            return DeviceSelector.Select(config.Device, "field 'device'");
        }
        catch (OptionsValidationException error)
        {
            throw new TrainingConfigException(configFile, error.Message, error);
        }
    }

    private static ModelConfig ConfigOf(SftShape shape, int vocabulary, int[] stops) => new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = shape.HiddenSize,
        IntermediateSize = shape.IntermediateSize,
        Layers = shape.Layers,
        Heads = shape.Heads,
        KeyValueHeads = shape.KeyValueHeads,
        HeadDim = shape.HeadDim ?? shape.HiddenSize / shape.Heads,
        VocabularySize = vocabulary,
        RmsNormEpsilon = 1e-6,
        RopeTheta = shape.RopeTheta,
        MaxPositionEmbeddings = shape.MaxPositionEmbeddings,
        TieWordEmbeddings = shape.TieWordEmbeddings,
        QkvBias = true,
        QkNorm = false,
        EndOfSequenceIds = stops,
    };
}
