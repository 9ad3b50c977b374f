using ToolN1.Engine.Model;

namespace ToolN1.Fuzz.Targets;

/// <summary>A config.json: refused with file and field, or sizes that a decoder can have.</summary>
internal sealed class ModelConfigTarget : IFuzzTarget
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-fuzz-").FullName;

    public string Name => "config";

    public IReadOnlyList<string> Dictionary { get; } =
    [
        "\"model_type\":\"qwen2\"", "\"model_type\":\"llama\"", "\"architectures\":[", "\"hidden_size\":", "\"num_attention_heads\":", "\"head_dim\":", "\"rope_scaling\":{", "\"rope_type\":\"llama3\"", "\"factor\":",
        "\"quantization_config\":{}", "\"eos_token_id\":[", "\"vocab_size\":", "\"sliding_window\":", "2147483647", "NaN",
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(Path.Combine(_folder, ModelConfig.FileName), input);
        try
        {
            ModelConfig config = ModelConfig.Load(_folder);
            if (config.HiddenSize <= 0 || config.Heads <= 0 || config.KeyValueHeads <= 0 || config.Heads % config.KeyValueHeads != 0 || config.HeadDim <= 0
                || config.Layers <= 0 || config.VocabularySize <= 0 || !double.IsFinite(config.RopeTheta) || !double.IsFinite(config.RmsNormEpsilon))
            {
                throw new InvalidOperationException($"accepted: {config}");
            }
        }
        catch (CheckpointException error) when (error.Message.StartsWith(_folder, StringComparison.Ordinal))
        {
            // Refused, and the file is named.
        }
    }
}
