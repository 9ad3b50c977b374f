using System.Text;
using System.Text.Json;

namespace ToolN1.Engine.Model;

/// <summary>Writes Hugging Face's config.json and generation_config.json.</summary>
internal static class ModelConfigWriter
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, NewLine = "\n" };

    public static void Write(ModelConfig config, string folder, string dtype, string? chatFormat)
    {
        WriteObject(Path.Combine(folder, ModelConfig.FileName), writer => WriteConfig(writer, config, dtype, chatFormat));
        WriteObject(Path.Combine(folder, ModelConfigReader.GenerationFileName), writer =>
        {
            if (config.BeginOfSequenceId is int begin)
            {
                writer.WriteNumber("bos_token_id", begin);
            }

            WriteEndOfSequence(writer, config);
        });
    }

    private static void WriteConfig(Utf8JsonWriter writer, ModelConfig config, string dtype, string? chatFormat)
    {
        (string architecture, string type) = config.Architecture switch
        {
            ModelArchitecture.Qwen2 => ("Qwen2ForCausalLM", "qwen2"),
            ModelArchitecture.Qwen3 => ("Qwen3ForCausalLM", "qwen3"),
            _ => ("LlamaForCausalLM", "llama"),
        };
        writer.WriteStartArray("architectures");
        writer.WriteStringValue(architecture);
        writer.WriteEndArray();
        writer.WriteString("model_type", type);
        if (config.Architecture != ModelArchitecture.Qwen2)
        {
            writer.WriteBoolean("attention_bias", config.QkvBias);
        }

        writer.WriteNumber("hidden_size", config.HiddenSize);
        writer.WriteNumber("intermediate_size", config.IntermediateSize);
        writer.WriteNumber("num_hidden_layers", config.Layers);
        writer.WriteNumber("num_attention_heads", config.Heads);
        writer.WriteNumber("num_key_value_heads", config.KeyValueHeads);
        writer.WriteNumber("head_dim", config.HeadDim);
        writer.WriteNumber("vocab_size", config.VocabularySize);
        writer.WriteString("hidden_act", "silu");
        writer.WriteNumber("rms_norm_eps", config.RmsNormEpsilon);
        writer.WriteNumber("rope_theta", config.RopeTheta);
        if (config.RopeScaling is RopeScaling scaling)
        {
            writer.WriteStartObject("rope_scaling");
            writer.WriteString("rope_type", "llama3");
            writer.WriteNumber("factor", scaling.Factor);
            writer.WriteNumber("low_freq_factor", scaling.LowFrequencyFactor);
            writer.WriteNumber("high_freq_factor", scaling.HighFrequencyFactor);
            writer.WriteNumber("original_max_position_embeddings", scaling.OriginalMaxPositionEmbeddings);
            writer.WriteEndObject();
        }

        writer.WriteNumber("max_position_embeddings", config.MaxPositionEmbeddings);
        writer.WriteBoolean("tie_word_embeddings", config.TieWordEmbeddings);
        writer.WriteBoolean("use_sliding_window", false);
        writer.WriteBoolean("use_cache", true);
        if (config.BeginOfSequenceId is int begin)
        {
            writer.WriteNumber("bos_token_id", begin);
        }

        WriteEndOfSequence(writer, config);
        writer.WriteString("torch_dtype", dtype);
        if (chatFormat is not null)
        {
            writer.WriteStartObject("tooln1");
            writer.WriteString("chat_format", chatFormat);
            writer.WriteEndObject();
        }
    }

    private static void WriteEndOfSequence(Utf8JsonWriter writer, ModelConfig config)
    {
        if (config.EndOfSequenceIds.Count == 1)
        {
            writer.WriteNumber("eos_token_id", config.EndOfSequenceIds[0]);
        }
        else if (config.EndOfSequenceIds.Count > 1)
        {
            writer.WriteStartArray("eos_token_id");
            foreach (int id in config.EndOfSequenceIds)
            {
                writer.WriteNumberValue(id);
            }

            writer.WriteEndArray();
        }
    }

    private static void WriteObject(string path, Action<Utf8JsonWriter> write)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer, Indented))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        File.WriteAllText(path, Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }
}
