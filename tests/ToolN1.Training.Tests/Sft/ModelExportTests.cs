using System.Text.Json;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Sft;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Sft;

/// <summary>The exported folder, held against what Hugging Face's Qwen2 expects of one.</summary>
public sealed class ModelExportTests(SftFixture fixture) : IClassFixture<SftFixture>
{
    [Fact]
    public void Execute_Finished_WritesTheTensorsOfHuggingFacesQwen2()
    {
        SftConfig config = fixture.Config("names", steps: 1);
        string folder = Run(config);
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        int vocabulary = Tokenizer.Load(folder).VocabularySize;
        Dictionary<string, long[]> expected = new() { ["model.embed_tokens.weight"] = [vocabulary, 32], ["model.norm.weight"] = [32] };
        for (int layer = 0; layer < 2; layer++)
        {
            foreach ((string name, long[] shape) in new (string, long[])[]
            {
                ("self_attn.q_proj.weight", [32, 32]), ("self_attn.q_proj.bias", [32]), ("self_attn.k_proj.weight", [16, 32]), ("self_attn.k_proj.bias", [16]),
                ("self_attn.v_proj.weight", [16, 32]), ("self_attn.v_proj.bias", [16]), ("self_attn.o_proj.weight", [32, 32]),
                ("mlp.gate_proj.weight", [64, 32]), ("mlp.up_proj.weight", [64, 32]), ("mlp.down_proj.weight", [32, 64]),
                ("input_layernorm.weight", [32]), ("post_attention_layernorm.weight", [32]),
            })
            {
                expected[$"model.layers.{layer}.{name}"] = shape;
            }
        }

        // Tied embeddings: no lm_head.
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), weights.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.All(weights.Entries, entry => Assert.Equal(expected[entry.Name], entry.Shape));
        Assert.All(weights.Entries, entry => Assert.Equal(ScalarType.BFloat16, entry.DType));
        using JsonDocument header = Header(Path.Combine(folder, "model.safetensors"));
        Assert.Equal("pt", header.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
    }

    [Fact]
    public void Execute_Finished_WritesConfigsThatNameClassesAndTokens()
    {
        string folder = Run(fixture.Config("configs", steps: 1));
        Assert.Equal(
            ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
            Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Tokenizer tokenizer = Tokenizer.Load(folder);
        JsonElement config = Read(folder, "config.json"), generation = Read(folder, "generation_config.json"), tokens = Read(folder, "tokenizer_config.json");

        Assert.Equal(("Qwen2ForCausalLM", "qwen2", "bfloat16"), (config.GetProperty("architectures")[0].GetString(), config.GetProperty("model_type").GetString(), config.GetProperty("torch_dtype").GetString()));
        Assert.Contains(tokenizer.FindAddedToken("<|im_end|>")!.Value, generation.GetProperty("eos_token_id").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal("<|im_end|>", tokens.GetProperty("eos_token").GetString());
        Assert.Equal(config.GetProperty("max_position_embeddings").GetInt32(), tokens.GetProperty("model_max_length").GetInt32());
        Assert.Contains("<|im_start|>", tokens.GetProperty("chat_template").GetString(), StringComparison.Ordinal);
        Assert.Contains("# Tool\\n", tokens.GetProperty("chat_template").GetString(), StringComparison.Ordinal);
        foreach (JsonProperty added in tokens.GetProperty("added_tokens_decoder").EnumerateObject())
        {
            Assert.Equal(int.Parse(added.Name), tokenizer.FindAddedToken(added.Value.GetProperty("content").GetString()!));
        }
    }

    [Fact]
    public void Execute_ResumedOverATornLineOfMetrics_KeepsTheWholeOnes()
    {
        SftConfig config = fixture.Config("torn", steps: 4) with { CheckpointEverySteps = 1 };
        using SilentObserver observer = new() { StopAfter = 2 };
        Assert.False(SftFixture.Run(config, observer));
        File.AppendAllText(Path.Combine(config.Output, "metrics.jsonl"), "{\"step\": 3, \"los");
        using SilentObserver second = new();
        Assert.True(SftFixture.Run(config, second, resume: true));
        Assert.Equal(4, File.ReadAllLines(Path.Combine(config.Output, "metrics.jsonl")).Length);
    }

    private static string Run(SftConfig config)
    {
        using SilentObserver observer = new();
        SftRun run = new(config, "test", observer);
        Assert.True(run.Execute(resume: false, TestContext.Current.CancellationToken));
        return run.ModelFolder;
    }

    private static JsonElement Read(string folder, string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
        return document.RootElement.Clone();
    }

    private static JsonDocument Header(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        return JsonDocument.Parse(bytes.AsMemory(8, (int)BitConverter.ToUInt64(bytes)));
    }
}
