using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Hosting;

public sealed class EnginePlanTests
{
    private static readonly ModelConfig Config = ModelConfig.Load(GoldenModel.Load("qwen2-tiny").Folder);

    private static EnginePlan Plan(EngineOptions options) => EnginePlan.Create(options, Config, ScalarType.Float32, CPU);

    [Fact]
    public void Create_Defaults_ServeTheModelsLengthWithinTheCache()
    {
        EnginePlan plan = Plan(new EngineOptions());
        Assert.Equal(new EnginePlan(16 * 32768 / 16, 16, 16, 512, 32768), plan);
    }

    [Fact]
    public void Create_SmallCache_BoundsTheModelLength()
    {
        // 3 layers × 2 × 2 heads × 16 × 4 bytes a token: 1 MiB holds 85 blocks of 16.
        Assert.Equal(new EnginePlan(85, 16, 16, 512, 1360), Plan(new EngineOptions { KvCacheMiB = 1 }));
    }

    [Fact]
    public void Create_ShortSequences_TakeNoMoreBlocksThanTheyCanFill()
    {
        Assert.Equal(2 * 4, Plan(new EngineOptions { MaxModelLength = 60, MaxSequences = 2 }).Blocks);
    }

    [Theory]
    [InlineData(40000, null, null, null, "max_position_embeddings (32768)")]
    [InlineData(2000, 1, null, null, "KvCacheMiB (1), which holds 1360 tokens")]
    [InlineData(null, null, 8, 4, "MaxBatchedTokens (4) must be at least MaxSequences (8)")]
    public void Create_ContradictingLimits_AreNamed(int? length, int? cache, int? sequences, int? tokens, string named)
    {
        EngineOptions options = new() { MaxModelLength = length, KvCacheMiB = cache, MaxSequences = sequences, MaxBatchedTokens = tokens };
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(() => Plan(options));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ToolN1:Model:Device", "gpu", "Device")]
    [InlineData("ToolN1:Model:DType", "int8", "DType is 'int8'")]
    [InlineData("ToolN1:Model:DType", "fp16", "DType is 'fp16'")]
    [InlineData("ToolN1:Model:ChatFormat", "vicuna", "ChatFormat")]
    [InlineData("ToolN1:Engine:BlockSize", "0", "BlockSize")]
    [InlineData("ToolN1:Engine:MaxQueuedRequests", "0", "MaxQueuedRequests")]
    public void Validate_BadOption_IsRefusedByName(string key, string value, string named)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        ModelOptions model = configuration.GetSection(ModelOptions.SectionName).Get<ModelOptions>() ?? new ModelOptions();
        EngineOptions engine = configuration.GetSection(EngineOptions.SectionName).Get<EngineOptions>() ?? new EngineOptions();
        ValidateOptionsResult[] results =
        [
            new ModelOptionsValidator().Validate(null, model),
            new ModelDTypeValidator().Validate(null, model),
            new EngineOptionsValidator().Validate(null, engine),
            new EngineOptionsCrossFieldValidator().Validate(null, engine),
        ];
        Assert.Contains(named, Assert.Single(results, result => result.Failed).FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_GpuWhereThereIsNone_NamesTheOption()
    {
        Assert.SkipWhen(cuda.is_available(), "There is a GPU here.");
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(() => DeviceSelector.Select("cuda:1"));
        Assert.Contains("ToolN1:Model:Device is 'cuda:1'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(CPU.type, DeviceSelector.Select("auto").type);
    }

    [Theory]
    [InlineData("auto", "bfloat16", ScalarType.BFloat16)]
    [InlineData("auto", "float16", ScalarType.Float32)]
    [InlineData("auto", null, ScalarType.Float32)]
    [InlineData("float32", "bfloat16", ScalarType.Float32)]
    [InlineData("bfloat16", "float32", ScalarType.BFloat16)]
    public void Select_DType_FollowsOptionThenCheckpoint(string option, string? declared, ScalarType expected) =>
        Assert.Equal(expected, DTypeSelector.Select(option, declared, CPU));

    [Fact]
    public void Resolve_RelativePath_LooksInTheWorkingDirectoryFirst()
    {
        string root = Directory.CreateTempSubdirectory().FullName;
        string work = Directory.CreateDirectory(Path.Combine(root, "work", "m")).Parent!.FullName;
        string program = Directory.CreateDirectory(Path.Combine(root, "program", "m")).Parent!.FullName;
        Directory.CreateDirectory(Path.Combine(program, "only-here"));
        Directory.CreateDirectory(Path.Combine(program, "models", "tool-n1-nano"));
        Assert.Equal(Path.Combine(work, "m"), ModelFolder.Resolve("m/", work, program));
        Assert.Equal(Path.Combine(program, "only-here"), ModelFolder.Resolve("only-here", work, program));
        Assert.Equal(Path.Combine(program, "models", "tool-n1-nano"), ModelFolder.Resolve(null, work, program));
        DirectoryNotFoundException missing = Assert.Throws<DirectoryNotFoundException>(() => ModelFolder.Resolve("none", work, program));
        Assert.Contains(Path.Combine(work, "none"), missing.Message, StringComparison.Ordinal);
        Directory.Delete(root, recursive: true);
    }
}
