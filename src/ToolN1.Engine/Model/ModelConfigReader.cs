using System.Globalization;
using System.Text.Json;

namespace ToolN1.Engine.Model;

/// <summary>Reads and checks config.json and generation_config.json.</summary>
/// <remarks>
/// Accepts the layouts of transformers 4 (<c>rope_theta</c>, <c>rope_scaling</c>, <c>torch_dtype</c>) and 5
/// (<c>rope_parameters</c>, <c>dtype</c>). Defaults for absent fields are transformers' own.
/// </remarks>
internal sealed class ModelConfigReader
{
    public const string GenerationFileName = "generation_config.json";

    private const int LargestDimension = 1 << 24;

    private readonly JsonFields _fields;
    private readonly string _file;

    private ModelConfigReader(JsonFields fields)
    {
        _fields = fields;
        _file = fields.File;
    }

    public static ModelConfig Load(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException(folder, "no such folder; a model is a folder with config.json and safetensors files.");
        }

        using JsonDocument document = JsonFields.Open(Path.Combine(folder, ModelConfig.FileName));
        ModelConfig config = new ModelConfigReader(new JsonFields(Path.Combine(folder, ModelConfig.FileName), "", document.RootElement)).Read();

        string generationFile = Path.Combine(folder, GenerationFileName);
        if (!File.Exists(generationFile))
        {
            return config;
        }

        using JsonDocument generation = JsonFields.Open(generationFile);
        JsonFields generationFields = new(generationFile, "", generation.RootElement);
        return config with
        {
            BeginOfSequenceId = TokenId(generationFields, "bos_token_id", config.VocabularySize) ?? config.BeginOfSequenceId,
            EndOfSequenceIds = TokenIds(generationFields, "eos_token_id", config.VocabularySize) ?? config.EndOfSequenceIds,
        };
    }

    private ModelConfig Read()
    {
        ModelArchitecture architecture = ReadArchitecture();
        RefuseUnsupported();

        int hidden = Dimension("hidden_size");
        int heads = Dimension("num_attention_heads");
        int keyValueHeads = architecture == ModelArchitecture.Llama && !_fields.Has("num_key_value_heads")
            ? heads
            : Dimension("num_key_value_heads");
        if (heads % keyValueHeads != 0)
        {
            throw Problem("num_key_value_heads", $"{keyValueHeads} does not divide num_attention_heads {heads}.");
        }

        int headDim = ReadHeadDim(architecture, hidden, heads);
        int vocabulary = Dimension("vocab_size");
        (double theta, RopeScaling? scaling) = ReadRope();
        bool attentionBias = _fields.Boolean("attention_bias") ?? false;
        return new ModelConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            IntermediateSize = Dimension("intermediate_size"),
            Layers = Dimension("num_hidden_layers", 4096),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadDim = headDim,
            VocabularySize = vocabulary,
            RmsNormEpsilon = _fields.Positive("rms_norm_eps") ?? 1e-6,
            RopeTheta = theta,
            RopeScaling = scaling,
            MaxPositionEmbeddings = _fields.Has("max_position_embeddings")
                ? Dimension("max_position_embeddings", 1 << 28)
                : architecture == ModelArchitecture.Llama ? 2048 : 32768,
            TieWordEmbeddings = _fields.Boolean("tie_word_embeddings") ?? false,
            QkvBias = architecture == ModelArchitecture.Qwen2 || attentionBias,
            AttentionOutputBias = architecture != ModelArchitecture.Qwen2 && attentionBias,
            QkNorm = architecture == ModelArchitecture.Qwen3,
            BeginOfSequenceId = TokenId(_fields, "bos_token_id", vocabulary),
            EndOfSequenceIds = TokenIds(_fields, "eos_token_id", vocabulary) ?? [],
            DeclaredDType = _fields.Text("dtype") ?? _fields.Text("torch_dtype"),
        };
    }

    private ModelArchitecture ReadArchitecture()
    {
        string type = _fields.Text("model_type") ?? throw Problem("model_type", "is missing.");
        return type switch
        {
            "qwen2" => ModelArchitecture.Qwen2,
            "qwen3" => ModelArchitecture.Qwen3,
            "llama" => ModelArchitecture.Llama,
            _ => throw Problem("model_type", $"'{type}' is not supported; supported are qwen2, qwen3 and llama."),
        };
    }

    private void RefuseUnsupported()
    {
        if (_fields.Has("quantization_config"))
        {
            throw Problem("quantization_config", "quantised checkpoints are not supported; use the bf16, f16 or f32 checkpoint.");
        }

        string activation = _fields.Text("hidden_act") ?? "silu";
        if (activation is not ("silu" or "swish"))
        {
            throw Problem("hidden_act", $"'{activation}' is not supported; supported is silu.");
        }

        if (_fields.Boolean("use_sliding_window") ?? false)
        {
            throw Problem("use_sliding_window", "sliding-window attention is not supported.");
        }

        if (_fields.Boolean("mlp_bias") ?? false)
        {
            throw Problem("mlp_bias", "biases in the MLP are not supported.");
        }

        if (_fields.TextArray("layer_types")?.FirstOrDefault(type => type != "full_attention") is string layerType)
        {
            throw Problem("layer_types", $"'{layerType}' is not supported; supported is full_attention.");
        }

        RefusePartialRotation(_fields, "");

        // Llama's tensor-parallel split changes how the matrices are multiplied; 1 is the plain product.
        if (_fields.Has("pretraining_tp") && _fields.Integer("pretraining_tp", 1, LargestDimension) != 1)
        {
            throw Problem("pretraining_tp", "values other than 1 are not supported.");
        }
    }

    private int ReadHeadDim(ModelArchitecture architecture, int hidden, int heads)
    {
        if (_fields.Has("head_dim"))
        {
            int dim = Dimension("head_dim", 4096);
            return dim % 2 == 0 ? dim : throw Problem("head_dim", $"{dim} is odd; RoPE needs pairs.");
        }

        // transformers' Qwen3Config has 128 as its default; the others divide.
        if (architecture == ModelArchitecture.Qwen3)
        {
            return 128;
        }

        return hidden % heads == 0 && hidden / heads % 2 == 0
            ? hidden / heads
            : throw Problem("num_attention_heads", $"hidden_size {hidden} is not an even multiple of {heads} heads, and head_dim is missing.");
    }

    private (double Theta, RopeScaling? Scaling) ReadRope()
    {
        double theta = _fields.Positive("rope_theta") ?? 10000;
        string name = _fields.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        if (!_fields.Has(name))
        {
            return (theta, null);
        }

        JsonFields rope = _fields.Object(name);
        RefusePartialRotation(rope, name + ".");
        theta = rope.Positive("rope_theta") ?? theta;
        string type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        if (type == "default")
        {
            return (theta, null);
        }

        if (type != "llama3")
        {
            throw Problem($"{name}.rope_type", $"'{type}' is not supported; supported are default and llama3.");
        }

        RopeScaling scaling = new(
            rope.Positive("factor") ?? throw rope.Missing("factor"),
            rope.Positive("low_freq_factor") ?? throw rope.Missing("low_freq_factor"),
            rope.Positive("high_freq_factor") ?? throw rope.Missing("high_freq_factor"),
            rope.Has("original_max_position_embeddings")
                ? rope.Integer("original_max_position_embeddings", 1, 1 << 28)
                : throw rope.Missing("original_max_position_embeddings"));
        return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
            ? (theta, scaling)
            : throw Problem($"{name}.high_freq_factor", "must be greater than low_freq_factor.");
    }

    private void RefusePartialRotation(JsonFields fields, string prefix)
    {
        if (fields.Positive("partial_rotary_factor") is double factor && factor != 1)
        {
            throw Problem(prefix + "partial_rotary_factor", $"{factor.ToString(CultureInfo.InvariantCulture)} is not supported; whole heads are rotated.");
        }
    }

    private int Dimension(string name, int largest = LargestDimension) => _fields.Integer(name, 1, largest);

    private CheckpointException Problem(string field, string what) => new(_file, $"field '{field}': {what}");

    private static int? TokenId(JsonFields fields, string name, int vocabulary) =>
        TokenIds(fields, name, vocabulary) is { Count: > 0 } ids ? ids[0] : null;

    private static List<int>? TokenIds(JsonFields fields, string name, int vocabulary) =>
        fields.Has(name) ? fields.Integers(name, 0, vocabulary - 1) : null;
}
