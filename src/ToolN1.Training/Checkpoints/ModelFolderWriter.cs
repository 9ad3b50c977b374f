using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Training.Checkpoints;

/// <summary>Writes a trained model as the folder that the server, and any Hugging Face tool, loads.</summary>
internal static class ModelFolderWriter
{
    private const string TokenizerFile = "tokenizer.json";
    private const string TokenizerConfigFile = "tokenizer_config.json";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>Writes a folder with <see cref="WriteFiles"/>.</summary>
    /// <param name="folder">Appears whole or not at all, also when the machine goes down; replaced if it exists.</param>
    /// <param name="config">The shape.</param>
    /// <param name="tensors">Names and what gives each tensor; one is in memory at a time.</param>
    /// <param name="dtype">On disk: bf16 or f32.</param>
    /// <param name="format">How the model is spoken to.</param>
    /// <param name="tokenizerFolder">Where its tokenizer comes from.</param>
    public static void Write(string folder, ModelConfig config, IReadOnlyList<(string Name, long[] Shape, Func<Tensor> Tensor)> tensors, ScalarType dtype, IChatFormat format, string tokenizerFolder) =>
        DurableStorage.WriteFolder(folder, temporary => WriteFiles(temporary, config, tensors, dtype, format, tokenizerFolder));

    /// <summary>Weights, config.json, generation_config.json, tokenizer.json and tokenizer_config.json with the chat template.</summary>
    /// <param name="folder">Exists, empty.</param>
    /// <param name="config">The shape.</param>
    /// <param name="tensors">Names and what gives each tensor; one is in memory at a time.</param>
    /// <param name="dtype">On disk: bf16 or f32.</param>
    /// <param name="format">How the model is spoken to.</param>
    /// <param name="tokenizerFolder">Where its tokenizer comes from.</param>
    public static void WriteFiles(string folder, ModelConfig config, IReadOnlyList<(string Name, long[] Shape, Func<Tensor> Tensor)> tensors, ScalarType dtype, IChatFormat format, string tokenizerFolder)
    {
        config.Save(folder, dtype == ScalarType.Float32 ? "float32" : "bfloat16", format.Name);
        using (SafetensorsWriter writer = new(Path.Combine(folder, Checkpoint.SingleFileName), tensors.Select(item => (item.Name, dtype, item.Shape))))
        {
            foreach ((_, _, Func<Tensor> tensor) in tensors)
            {
                using IDisposable scope = NewDisposeScope();
                writer.Write(tensor());
            }

            writer.Commit();
        }

        File.Copy(Path.Combine(tokenizerFolder, TokenizerFile), Path.Combine(folder, TokenizerFile));
        JsonObject tokenizerConfig = TokenizerConfig(Path.Combine(tokenizerFolder, TokenizerConfigFile), config, format);
        File.WriteAllText(Path.Combine(folder, TokenizerConfigFile), tokenizerConfig.ToJsonString(Readable) + "\n");
    }

    /// <summary>What the source says, with the template of the format that the model was trained in.</summary>
    private static JsonObject TokenizerConfig(string source, ModelConfig model, IChatFormat format)
    {
        JsonObject config = File.Exists(source) ? JsonNode.Parse(File.ReadAllBytes(source))!.AsObject() : [];
        config.TryAdd("tokenizer_class", "PreTrainedTokenizerFast");
        config.TryAdd("clean_up_tokenization_spaces", false);
        config["model_max_length"] = model.MaxPositionEmbeddings;
        config["chat_template"] = format.ToJinja();
        return config;
    }
}
