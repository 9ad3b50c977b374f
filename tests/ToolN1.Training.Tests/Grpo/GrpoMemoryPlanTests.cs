using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

public sealed class GrpoMemoryPlanTests
{
    private const long GB = 1_000_000_000;

    private static readonly Device Cuda = new(DeviceType.CUDA);

    private static readonly GrpoConfig Full = new() { Output = "o", Model = "m", Data = ["d"], Steps = 1, DType = "bfloat16", Loss = new PolicyLossOptions { KlCoefficient = 1e-3 } };

    private static readonly GrpoConfig Lora = Full with { Lora = new GrpoLora { Rank = 16 } };

    [Fact]
    public void Create_WholeWeights_CountsSixteenBytesAParameterAndTheReference()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-1.5b");
        MemoryPlan plan = GrpoMemoryPlan.Create(Full, model, Cuda);
        long parameters = ModelTensors.CountParameters(model);
        Assert.Equal(4 * parameters, Of(plan, "training_weights"));
        Assert.Equal(4 * parameters, Of(plan, "gradients"));
        Assert.Equal(8 * parameters, Of(plan, "optimizer"));
        Assert.Equal(2 * parameters, Of(plan, "reference"));
        Assert.Equal(2 * parameters, Of(plan, "serving_weights"));
        Assert.Equal(plan.Total, plan.Items.Sum(item => item.Bytes));
        Assert.DoesNotContain(plan.Items, item => item.Kind is "fragments" or "product_kernels");
    }

    [Fact]
    public void Create_Adapter_CountsItsParametersAndSharesTheBase()
    {
        MemoryPlan plan = GrpoMemoryPlan.Create(Lora, ModelPresets.Get("qwen2.5-7b"), Cuda);
        Assert.Equal(40_370_176, LoraAdapter.CountParameters(ModelPresets.Get("qwen2.5-7b"), 16, LoraAdapter.ProjectionNames));
        Assert.Equal(8 * 40_370_176L, Of(plan, "optimizer"));
        Assert.DoesNotContain(plan.Items, item => item.Kind is "training_weights" or "reference");
    }

    [Fact]
    public void Create_ServerWithAPromotedModel_CountsTheFirstBesideIt_AndABaseThatCannotBeShared()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-1.5b");
        long parameters = ModelTensors.CountParameters(model);
        PlannedServer server = new(new EngineOptions());
        MemoryPlan before = GrpoMemoryPlan.Create(Lora, model, Cuda, server: server);
        MemoryPlan fromFirst = GrpoMemoryPlan.Create(Lora, model, Cuda, server: server with { IsFirstLive = false });
        MemoryPlan fromPromoted = GrpoMemoryPlan.Create(Lora, model, Cuda, server: server with { IsFirstLive = false, StartsFromFirst = false });
        Assert.Equal(before.Total + (2 * parameters), fromFirst.Total);
        Assert.Equal(2 * parameters, Of(fromFirst, "first_weights"));
        Assert.Equal(2 * parameters, Of(fromPromoted, "training_weights"));
        Assert.Equal(fromFirst.Total + (2 * parameters), fromPromoted.Total);
    }

    [Theory]
    [InlineData("qwen2.5-7b", true, 80, true)]
    [InlineData("qwen2.5-14b", true, 80, true)]
    [InlineData("qwen2.5-7b", false, 80, false)]
    [InlineData("qwen2.5-7b", false, 141, false)]
    [InlineData("qwen2.5-1.5b", false, 80, true)]
    public void Create_KnownShapes_FitWhatTheyShould(string preset, bool isLora, long gigabytes, bool fits) =>
        Assert.Equal(fits, GrpoMemoryPlan.Create(isLora ? Lora : Full, ModelPresets.Get(preset), Cuda).Total <= gigabytes * GB);

    [Fact]
    public void Create_PromptsOfAnyLength_ArePlannedAsLongAsTheModelTakesThem()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-7b");
        GrpoConfig unbounded = Lora with { MaxPromptTokens = int.MaxValue };
        Assert.Equal(model.MaxPositionEmbeddings, GrpoEngineOptions.Of(unbounded, model).MaxModelLength);
        Assert.Equal(GrpoMemoryPlan.Create(Lora with { MaxPromptTokens = model.MaxPositionEmbeddings }, model, Cuda).Total, GrpoMemoryPlan.Create(unbounded, model, Cuda).Total);
    }

    [Fact]
    public void Create_ServersJob_CountsTheServersProcess_WhoseMemoryIsNotAGpus()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-0.5b");
        PlannedServer server = new(new EngineOptions());
        Assert.True(Of(GrpoMemoryPlan.Create(Full, model, CPU), "process") < Of(GrpoMemoryPlan.Create(Full, model, CPU, server: server), "process"));
        Assert.Equal(Of(GrpoMemoryPlan.Create(Full, model, Cuda), "process"), Of(GrpoMemoryPlan.Create(Full, model, Cuda, server: server), "process"));
    }

    [Fact]
    public void Create_PromptsThatWereMeasured_ArePlannedAsLongAsTheyAre()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-0.5b");
        long Total(GrpoConfig config, RowLengths? prompts) => GrpoMemoryPlan.Create(config with { MicroBatchTokens = 1024 }, model, CPU, prompts).Total;
        GrpoConfig shorter = Full with { MaxPromptTokens = 600 };
        Assert.Equal(Total(Full, null), Total(Full, new RowLengths(1000, Full.MaxPromptTokens, 1000L * Full.MaxPromptTokens / 2)));
        Assert.True(Total(Full, new RowLengths(1000, 600, 300_000)) < Total(Full, null));
        Assert.True(Total(Full, new RowLengths(1000, 600, 300_000)) < Total(Full, new RowLengths(1000, 601, 300_000)));
        Assert.Equal(Total(shorter, null), Total(shorter, new RowLengths(1000, 4000, 300_000)));
    }

    [Fact]
    public void Remedies_PromptsThatWereMeasured_AreHalvedFromTheLongest()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-7b");
        RowLengths prompts = new(100, 3000, 200_000);
        GrpoConfig config = Lora with { MaxResponseTokens = 256, MicroBatchTokens = 512, Loss = new PolicyLossOptions { KlCoefficient = 0 } };
        long limit = GrpoMemoryPlan.Create(config with { MaxPromptTokens = 1500 }, model, Cuda, prompts, new PlannedServer(new EngineOptions())).Total;
        MemoryCheck check = GrpoMemoryPlan.Check(config, model, Cuda, limit, prompts, new PlannedServer(new EngineOptions()));
        Assert.True(check.CanFit, check.Refusal);
        Assert.Equal("max_prompt_tokens: 1500", check.Remedies[^1].Change);
    }

    [Fact]
    public void Create_RunsOfAnyLength_MeetNoMoreShapesThanThereAre()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-0.5b");
        long Total(int? steps, int passes) => GrpoMemoryPlan.Create(Full with { Steps = steps, Epochs = steps is null ? 7 : null, PassesPerStep = passes }, model, CPU).Total;
        Assert.True(Total(1, 1) < Total(100_000, 1));
        Assert.Equal(Total(100_000, 1), Total(2_000_000_000, 1000));
        Assert.Equal(Total(100_000, 1), Total(null, 1));
    }

    [Fact]
    public void Remedies_TooLarge_EndWithWhatFits()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-7b");
        IReadOnlyList<MemoryRemedy> remedies = GrpoMemoryPlan.Remedies(Full, model, Cuda, 80 * GB);
        Assert.Equal("lora: {\"rank\": 16}", remedies[^1].Change);
        Assert.True(remedies[^1].TotalBytes <= 80 * GB);
        Assert.Equal(remedies.OrderByDescending(remedy => remedy.TotalBytes), remedies);
        Assert.All(remedies.SkipLast(1), remedy => Assert.True(remedy.TotalBytes > 80 * GB));
    }

    [Fact]
    public void Remedies_LongRowsDoNotFit_ShortenThem()
    {
        ModelConfig model = ModelPresets.Get("qwen2.5-7b");
        GrpoConfig config = Lora with { MaxResponseTokens = 8192, MicroBatchTokens = 512 };
        long limit = GrpoMemoryPlan.Create(config with { MaxResponseTokens = 1024 }, model, Cuda).Total;
        MemoryCheck check = GrpoMemoryPlan.Check(config, model, Cuda, limit);
        Assert.True(check.CanFit, check.Refusal);
        Assert.StartsWith("max_response_tokens: ", check.Remedies[^1].Change, StringComparison.Ordinal);
    }

    [Fact]
    public void Remedies_RowThatFillsNoWholeBlock_LeaveTheCacheRoomForIt()
    {
        GrpoConfig config = Lora with { MaxPromptTokens = 10, MaxResponseTokens = 8, Engine = new GrpoEngine { MaxSequences = 1 } };
        Assert.True(GrpoMemoryPlan.Check(config, ModelPresets.Get("qwen2.5-7b"), Cuda, 8 * GB).Fits == false);
    }

    [Fact]
    public void Remedies_NothingFits_ShowHowFarItIs()
    {
        IReadOnlyList<MemoryRemedy> remedies = GrpoMemoryPlan.Remedies(Full, ModelPresets.Get("qwen2.5-14b"), Cuda, 8 * GB);
        Assert.NotEmpty(remedies);
        Assert.True(remedies[^1].TotalBytes > 8 * GB);
    }

    [Fact]
    public void Check_MemoryOfAGpuThatNobodyKnows_PlansButClaimsNothing()
    {
        MemoryCheck check = GrpoMemoryPlan.Check(Full, ModelPresets.Get("qwen2.5-14b"), Cuda, limit: null);
        Assert.Null(check.Fits);
        Assert.Empty(check.Remedies);
        Assert.True(check.Plan.Total > 0);
    }

    private static long Of(MemoryPlan plan, string kind) => plan.Items.Where(item => item.Kind == kind).Sum(item => item.Bytes);
}
