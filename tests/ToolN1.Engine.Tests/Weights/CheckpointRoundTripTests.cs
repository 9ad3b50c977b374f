using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Weights;

public sealed class CheckpointRoundTripTests
{
    [Fact]
    public void WeightVersion_SameTensorsInOtherFiles_IsTheSame()
    {
        using IDisposable scope = NewDisposeScope();
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        using Decoder sharded = CheckpointLoader.Load(folder.Path, CPU, ScalarType.BFloat16);
        SafetensorsWriter.Write(folder.Weights, [.. sharded.NamedWeights()], ScalarType.BFloat16);
        using Decoder single = CheckpointLoader.Load(folder.Path, CPU, ScalarType.BFloat16);
        Assert.Equal(sharded.WeightVersion, single.WeightVersion);

        using (no_grad())
        {
            single.FinalNorm.Weight[0].add_(1);
        }

        SafetensorsWriter.Write(folder.Weights, [.. single.NamedWeights()], ScalarType.BFloat16);
        using Decoder changed = CheckpointLoader.Load(folder.Path, CPU, ScalarType.BFloat16);
        Assert.NotEqual(sharded.WeightVersion, changed.WeightVersion);
    }

    [Theory]
    [InlineData("qwen2-tiny")]
    [InlineData("qwen3-tiny")]
    [InlineData("llama3-tiny")]
    public void Save_Config_ReadsBackTheSame(string fixture)
    {
        using CheckpointFolder folder = new(fixture);
        ModelConfig config = ModelConfig.Load(folder.Path);
        config.Save(folder.Path, "float32", "tool-n1");
        ModelConfig again = ModelConfig.Load(folder.Path);
        Assert.Equal(config.EndOfSequenceIds, again.EndOfSequenceIds);
        Assert.Equal(config with { EndOfSequenceIds = [] }, again with { EndOfSequenceIds = [] });
    }

    [Fact]
    public void Load_EndOfSequenceIds_ComeFromGenerationConfigElseFromConfig()
    {
        using CheckpointFolder folder = new();
        Assert.Equal([1, 0], ModelConfig.Load(folder.Path).EndOfSequenceIds);
        File.Delete(folder.File("generation_config.json"));
        Assert.Equal([1], ModelConfig.Load(folder.Path).EndOfSequenceIds);
    }

    [Fact]
    public void Load_RopeParametersOfTransformers5_AreRead()
    {
        using CheckpointFolder folder = new("llama3-tiny");
        ModelConfig before = ModelConfig.Load(folder.Path);
        folder.EditConfig(config =>
        {
            System.Text.Json.Nodes.JsonObject rope = config["rope_scaling"]!.DeepClone().AsObject();
            rope["rope_theta"] = 1000000.0;
            config.Remove("rope_scaling");
            config.Remove("rope_theta");
            config["rope_parameters"] = rope;
        });
        ModelConfig after = ModelConfig.Load(folder.Path);
        Assert.Equal(before.RopeScaling, after.RopeScaling);
        Assert.Equal(before.RopeTheta, after.RopeTheta);
    }

    [Fact]
    public void Load_NamesWithoutPrefixAndRotaryBuffers_AreAccepted()
    {
        using IDisposable scope = NewDisposeScope();
        using CheckpointFolder folder = new();
        using Decoder decoder = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        List<(string, Tensor)> bare = [.. decoder.NamedWeights().Select(item => (item.Name["model.".Length..], item.Tensor))];
        bare.Add(("layers.0.self_attn.rotary_emb.inv_freq", ones(8)));
        SafetensorsWriter.Write(folder.Weights, bare, ScalarType.Float32);
        using Decoder again = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        Assert.Equal(decoder.WeightVersion, again.WeightVersion);
    }

    [Fact]
    public void Load_DTypesMixedOnDisk_AreEachRead()
    {
        using IDisposable scope = NewDisposeScope();
        using CheckpointFolder folder = new("qwen2-tiny-untied-sharded-bf16");
        using Decoder bfloat = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        (string Name, Tensor Tensor)[] weights = [.. bfloat.NamedWeights()];
        using (SafetensorsWriter writer = new(folder.Weights, weights.Select((item, i) => (item.Name, i % 2 == 0 ? ScalarType.Float32 : ScalarType.BFloat16, item.Tensor.shape))))
        {
            foreach ((_, Tensor tensor) in weights)
            {
                writer.Write(tensor);
            }

            writer.Commit();
        }

        using Decoder mixed = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        Assert.All(mixed.NamedWeights().Zip(weights), pair => Assert.True(pair.First.Tensor.equal(pair.Second.Tensor).all().item<bool>(), pair.First.Name));
        Assert.NotEqual(bfloat.WeightVersion, mixed.WeightVersion);
    }

    [Fact]
    public void Write_NotCommitted_LeavesNoFile()
    {
        using CheckpointFolder folder = new();
        string path = folder.File("other.safetensors");
        using (SafetensorsWriter writer = new(path, [("a", ScalarType.Float32, [2L])]))
        {
            Assert.Throws<InvalidOperationException>(writer.Commit);
        }

        Assert.Empty(Directory.GetFiles(folder.Path, "other*"));
    }

    [Fact]
    public void RandomCheckpoint_SameSeed_WritesTheSameFileAndLoads()
    {
        using CheckpointFolder folder = new();
        ModelConfig config = ModelConfig.Load(Path.Combine(TestPaths.Fixtures, "qwen3-tiny"));
        RandomCheckpoint.Write(config, folder.File("a"), seed: 3);
        RandomCheckpoint.Write(config, folder.File("b"), seed: 3);
        Assert.Equal(File.ReadAllBytes(folder.File("a/model.safetensors")), File.ReadAllBytes(folder.File("b/model.safetensors")));
        using Decoder decoder = CheckpointLoader.Load(folder.File("a"), CPU, ScalarType.BFloat16);
        using IDisposable scope = NewDisposeScope();
        Assert.InRange(decoder.Embedding.to_type(ScalarType.Float32).std().item<float>(), 0.018, 0.022);
    }
}
