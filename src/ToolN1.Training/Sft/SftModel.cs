using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Sft;

/// <summary>What is trained: f32 masters, tokenizer, chat format.</summary>
internal sealed class SftModel : IDisposable
{
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

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

    /// <summary>Makes or loads the model of a run.</summary>
    public static SftModel Create(SftConfig config, string configFile)
    {
        Device device = torch.device(config.Device);
        string tokenizerFolder = config.Init.Tokenizer ?? config.Init.From!;
        Tokenizer tokenizer = Tokenizer.Load(tokenizerFolder);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, tokenizerFolder, tokenizer);
        int[] stops = [.. format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>()];
        Decoder decoder = config.Init.Shape is SftShape shape
            ? RandomWeights.Create(ConfigOf(shape, tokenizer, stops), device, ScalarType.Float32, config.Seed, shape.InitialStd)
            : CheckpointLoader.Load(config.Init.From!, device, ScalarType.Float32);
        if (decoder.Config.VocabularySize < tokenizer.VocabularySize)
        {
            int rows = decoder.Config.VocabularySize;
            decoder.Dispose();
            throw new SftConfigException(configFile, $"field 'init': the model has {rows} embeddings but the tokenizer has {tokenizer.VocabularySize} tokens.");
        }

        ScalarType compute = ComputeDType(config.DType, device);
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

    /// <summary>Writes the folder that the server, and any Hugging Face tool, loads: bf16 weights, configs, tokenizer.</summary>
    /// <param name="folder">Appears whole or not at all; replaced if it exists.</param>
    public void Export(string folder)
    {
        string temporary = folder + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        Decoder.Config.Save(temporary, "bfloat16", Format.Name);
        SafetensorsWriter.Write(Path.Combine(temporary, Checkpoint.SingleFileName), [.. Decoder.NamedWeights()], ScalarType.BFloat16);
        foreach (string file in TokenizerFiles.Where(file => File.Exists(Path.Combine(_tokenizerFolder, file))))
        {
            File.Copy(Path.Combine(_tokenizerFolder, file), Path.Combine(temporary, file));
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.Move(temporary, folder);
    }

    /// <inheritdoc/>
    public void Dispose() => Decoder.Dispose();

    private static ModelConfig ConfigOf(SftShape shape, Tokenizer tokenizer, int[] stops) => new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = shape.HiddenSize,
        IntermediateSize = shape.IntermediateSize,
        Layers = shape.Layers,
        Heads = shape.Heads,
        KeyValueHeads = shape.KeyValueHeads,
        HeadDim = shape.HeadDim ?? shape.HiddenSize / shape.Heads,
        VocabularySize = shape.VocabularySize ?? tokenizer.VocabularySize,
        RmsNormEpsilon = 1e-6,
        RopeTheta = shape.RopeTheta,
        MaxPositionEmbeddings = shape.MaxPositionEmbeddings,
        TieWordEmbeddings = shape.TieWordEmbeddings,
        QkvBias = true,
        QkNorm = false,
        EndOfSequenceIds = stops,
    };

    /// <summary>libtorch emulates bf16 products where the CPU lacks them, and is then slower than in f32.</summary>
    private static ScalarType ComputeDType(string name, Device device) => name switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        _ => device.type == DeviceType.CUDA || HasBFloat16Products() ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    private static bool HasBFloat16Products()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !X86Base.IsSupported)
        {
            return false;
        }

        // CPUID leaf 7, subleaf 1: EAX bit 5 is AVX512_BF16.
        return X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
    }
}
