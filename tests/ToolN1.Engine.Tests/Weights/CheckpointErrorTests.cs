using System.Text.Json.Nodes;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Weights;

/// <summary>Every way in which a checkpoint can be wrong is an error that names file and tensor or field.</summary>
public sealed class CheckpointErrorTests
{
    private const string Projection = "model.layers.1.mlp.up_proj.weight";

    [Fact]
    public void Open_MissingTensor_IsNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditConfig(config => config["num_hidden_layers"] = 4);
        AssertError(folder, "model.safetensors", "model.layers.3.input_layernorm.weight", "missing");
    }

    [Fact]
    public void Open_SurplusTensor_IsNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditConfig(config => config["num_hidden_layers"] = 2);
        AssertError(folder, "model.safetensors", "model.layers.2.", "surplus");
    }

    [Fact]
    public void Open_MisshapedTensor_NamesBothShapes()
    {
        using CheckpointFolder folder = new();
        folder.EditConfig(config => config["intermediate_size"] = 88);
        AssertError(folder, "model.safetensors", "mlp.gate_proj.weight", "[176, 64]", "[88, 64]");
    }

    [Fact]
    public void Open_TruncatedFile_NamesTheTensorThatIsCut()
    {
        using CheckpointFolder folder = new();
        using (FileStream stream = new(folder.Weights, FileMode.Open))
        {
            stream.SetLength(stream.Length - 100);
        }

        AssertError(folder, "model.safetensors", "model.norm.weight", "truncated");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100)]
    public void Open_FileShorterThanItsHeader_IsTruncated(int length)
    {
        using CheckpointFolder folder = new();
        using (FileStream stream = new(folder.Weights, FileMode.Open))
        {
            stream.SetLength(length);
        }

        AssertError(folder, "model.safetensors", "truncated");
    }

    [Fact]
    public void Open_BytesBehindTheLastTensor_AreRefused()
    {
        using CheckpointFolder folder = new();
        File.AppendAllText(folder.Weights, "more");
        AssertError(folder, "model.safetensors", "4 bytes after its last tensor");
    }

    [Fact]
    public void Open_ShapeThatDoesNotFitItsBytes_IsNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditHeader(header => header[Projection]!["shape"] = new JsonArray(176, 65));
        AssertError(folder, "model.safetensors", Projection, "needs");
    }

    [Fact]
    public void Open_OverlappingTensors_AreNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditHeader(header => header[Projection]!["data_offsets"] = header["model.layers.0.mlp.up_proj.weight"]!["data_offsets"]!.DeepClone());
        AssertError(folder, "model.safetensors", "overlap");
    }

    [Fact]
    public void Open_HugeShape_IsNamedWithoutOverflow()
    {
        using CheckpointFolder folder = new();
        folder.EditHeader(header => header[Projection]!["shape"] = new JsonArray(long.MaxValue, long.MaxValue));
        AssertError(folder, "model.safetensors", Projection, "impossible shape");
    }

    [Fact]
    public void Open_DTypeThatIsNotSupported_IsNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditHeader(header => header[Projection]!["dtype"] = "F8_E4M3");
        AssertError(folder, "model.safetensors", Projection, "F8_E4M3");
    }

    [Fact]
    public void Open_DuplicateName_IsNamed()
    {
        using CheckpointFolder folder = new();
        folder.EditHeaderText(text => text.Replace(Projection, "model.layers.0.mlp.up_proj.weight", StringComparison.Ordinal));
        AssertError(folder, "model.safetensors", "model.layers.0.mlp.up_proj.weight");
    }

    [Fact]
    public void Open_HeaderThatIsNoJson_IsRefused()
    {
        using CheckpointFolder folder = new();
        folder.EditHeaderText(text => text[..^10]);
        AssertError(folder, "model.safetensors", "not valid JSON");
    }

    [Fact]
    public void Open_ShardMissing_NamesTheShard()
    {
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        File.Delete(folder.File("model-00002-of-00003.safetensors"));
        AssertError(folder, "model-00002-of-00003.safetensors", "missing");
    }

    [Fact]
    public void Open_IndexPlacesATensorInAnotherShard_IsNamed()
    {
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        folder.EditJson(Checkpoint.IndexFileName, index => index["weight_map"]![Projection] = "model-00001-of-00003.safetensors");
        AssertError(folder, "model-00001-of-00003.safetensors", Projection);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/model-00001-of-00003.safetensors")]
    [InlineData("")]
    [InlineData("..")]
    public void Open_IndexThatLeavesItsFolder_IsRefused(string file)
    {
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        folder.EditJson(Checkpoint.IndexFileName, index => index["weight_map"]![Projection] = file);
        AssertError(folder, Checkpoint.IndexFileName, Projection, "file name");
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData(Checkpoint.IndexFileName)]
    public void Open_FieldGivenTwice_IsRefused(string file)
    {
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        string text = File.ReadAllText(folder.File(file));
        string field = file == "config.json" ? "\"hidden_size\": 32," : $"\"{Projection}\": \"model-00001-of-00003.safetensors\",";
        int at = text.IndexOf('{', file == "config.json" ? 0 : text.IndexOf("weight_map", StringComparison.Ordinal)) + 1;
        File.WriteAllText(folder.File(file), text.Insert(at, field));
        AssertError(folder, file, "not valid JSON");
    }

    [Fact]
    public void Open_NoWeights_NamesWhatIsLookedFor()
    {
        using CheckpointFolder folder = new();
        File.Delete(folder.Weights);
        AssertError(folder, "model.safetensors", Checkpoint.IndexFileName);
    }

    [Fact]
    public void Open_OutputHeadBesideTiedEmbeddings_MustBeTheirEqual()
    {
        using CheckpointFolder folder = new();
        RewriteWithHead(folder, change: 0);
        using (Decoder decoder = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32))
        {
            Assert.True(decoder.Config.TieWordEmbeddings);
        }

        RewriteWithHead(folder, change: 1);
        AssertError(folder, "model.safetensors", "lm_head.weight", "tie_word_embeddings");
    }

    [Theory]
    [InlineData("model_type", "\"mistral\"")]
    [InlineData("model_type", null)]
    [InlineData("hidden_size", null)]
    [InlineData("hidden_size", "0")]
    [InlineData("hidden_size", "64.5")]
    [InlineData("hidden_size", "\"64\"")]
    [InlineData("num_key_value_heads", "3")]
    [InlineData("head_dim", "15")]
    [InlineData("vocab_size", "99999999999")]
    [InlineData("rms_norm_eps", "-1")]
    [InlineData("hidden_act", "\"gelu\"")]
    [InlineData("use_sliding_window", "true")]
    [InlineData("mlp_bias", "true")]
    [InlineData("pretraining_tp", "2")]
    [InlineData("partial_rotary_factor", "0.5")]
    [InlineData("rope_parameters", "{\"rope_type\": \"default\", \"partial_rotary_factor\": 0.5}")]
    [InlineData("layer_types", "[\"sliding_attention\"]")]
    [InlineData("quantization_config", "{\"quant_method\": \"gptq\"}")]
    [InlineData("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 4.0}")]
    [InlineData("rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 4.0}")]
    [InlineData("rope_scaling", "7")]
    [InlineData("tie_word_embeddings", "\"yes\"")]
    [InlineData("eos_token_id", "5000")]
    public void Load_ConfigFieldThatIsNotSupported_NamesFileAndField(string field, string? value)
    {
        using CheckpointFolder folder = new();
        folder.EditConfig(config =>
        {
            config.Remove(field);
            if (value is not null)
            {
                config[field] = JsonNode.Parse(value);
            }
        });
        AssertError(folder, "config.json", field);
    }

    private static void RewriteWithHead(CheckpointFolder folder, int change)
    {
        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        Tensor head = decoder.Embedding.clone();
        head[5, 5].add_(change);
        SafetensorsWriter.Write(folder.Weights, [.. decoder.NamedWeights(), (ModelTensors.OutputHead, head)], ScalarType.Float32);
    }

    private static void AssertError(CheckpointFolder folder, params string[] parts)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.Path).Dispose());
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
