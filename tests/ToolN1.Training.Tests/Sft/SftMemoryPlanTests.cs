using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Sft;

public sealed class SftMemoryPlanTests
{
    private const long GB = 1_000_000_000;

    private static readonly Device Cuda = new(DeviceType.CUDA);

    private static readonly ModelConfig Model = ModelPresets.Get("qwen2.5-0.5b");

    private static readonly SftConfig Run = new()
    {
        Output = "o",
        Init = new SftInit { From = "m" },
        Phases = [new SftPhase { Name = "p", Data = ["not-there.jsonl"], Steps = 1 }],
        DType = "bfloat16",
    };

    [Fact]
    public void Create_AnyRun_CountsSixteenBytesAParameterAndNoServer()
    {
        MemoryPlan plan = SftMemoryPlan.Create(Run, Model, CPU);
        long parameters = ModelTensors.CountParameters(Model);
        Assert.Equal(4 * parameters, Of(plan, "training_weights"));
        Assert.Equal(4 * parameters, Of(plan, "gradients"));
        Assert.Equal(8 * parameters, Of(plan, "optimizer"));
        Assert.Equal(plan.Total, plan.Items.Sum(item => item.Bytes));
        Assert.DoesNotContain(plan.Items, item => item.Kind is "serving_weights" or "kv_cache" or "logits");
    }

    [Fact]
    public void Create_Muon_KeepsOneMomentOfTheLayersMatrices()
    {
        MemoryPlan plan = SftMemoryPlan.Create(Run with { Optimizer = new SftOptimizer { Kind = "muon" } }, Model, CPU);
        long matrices = ModelTensors.Enumerate(Model).Where(tensor => tensor.Name.StartsWith("model.layers.", StringComparison.Ordinal) && tensor.Shape.Length == 2).Sum(tensor => tensor.Shape[0] * tensor.Shape[1]);
        Assert.Equal((8 * ModelTensors.CountParameters(Model)) - (4 * matrices), Of(plan, "optimizer"));
    }

    [Fact]
    public void Create_Lanes_HaveGradientsAndActivationsEach_OnACpuAlone()
    {
        SftConfig lanes = Run with { Lanes = 4, MicroBatchTokens = 2048, TokensPerStep = 8192 };
        MemoryPlan one = SftMemoryPlan.Create(lanes with { Lanes = null }, Model, CPU);
        MemoryPlan four = SftMemoryPlan.Create(lanes, Model, CPU);
        foreach (string kind in new[] { "gradients", "layer_inputs", "activations", "working" })
        {
            Assert.Equal(4 * Of(one, kind), Of(four, kind));
        }

        Assert.Equal(SftMemoryPlan.Create(lanes with { Lanes = null }, Model, Cuda).Total, SftMemoryPlan.Create(lanes, Model, Cuda).Total);

        // A step that the lanes share has no more than its tokens.
        MemoryPlan shared = SftMemoryPlan.Create(lanes with { TokensPerStep = 2048, Phases = [Run.Phases[0] with { MaxTokens = 256 }] }, Model, CPU);
        Assert.Equal(Of(one, "layer_inputs"), Of(shared, "layer_inputs"));
    }

    [Theory]
    [InlineData("bfloat16", 2048, 1024, 440)]
    [InlineData("bfloat16", 2048, 512, 280)]
    [InlineData("bfloat16", 16_384, 4096, 1024)]
    [InlineData("float32", 2048, 1024, 0)]
    public void Create_WrittenOutPass_CountsTheCompiledProductsOfItsShapes(string dtype, int tokens, int longest, int kernels)
    {
        SftConfig run = Run with { DType = dtype, MicroBatchTokens = tokens, TokensPerStep = tokens, Phases = [Run.Phases[0] with { Steps = 10_000, MaxTokens = longest }] };
        MemoryPlan plan = SftMemoryPlan.Create(run, Model, CPU);
        Assert.Equal(kernels * (280L << 10), Of(plan, "product_kernels"));
        Assert.Equal(kernels > 0, Of(plan, "fragments") > Of(plan, "product_kernels"));
    }

    [Fact]
    public void Create_ShortRun_MeetsFewerShapesThanALongOne()
    {
        int[] lengths = [1, 10, 100, 10_000, 20_000];
        MemoryPlan[] plans = [.. lengths.Select(steps => SftMemoryPlan.Create(Run with { Phases = [Run.Phases[0] with { Steps = steps }] }, Model, CPU))];
        long[] kernels = [.. plans.Select(plan => Of(plan, "product_kernels"))];
        Assert.Equal(kernels.Order(), kernels);
        Assert.InRange((double)kernels[0] / kernels[^1], 0.01, 0.1);
        Assert.Equal(kernels[^2], kernels[^1]);
        Assert.True(Of(plans[0], "fragments") < Of(plans[^1], "fragments"));
        Assert.Equal(Of(plans[0], "activations"), Of(plans[^1], "activations"));
    }

    [Theory]
    [InlineData(1, 800_000)]
    [InlineData(4, 500_000)]
    public void Create_RowsThatShareBeginnings_CountsThemOnceAGroup(int shared, long bytes) =>
        Assert.Equal(bytes, Of(SftMemoryPlan.Create(Run with { SharedPrefixRows = shared }, Model, CPU, new RowLengths(1000, 300, 200_000)), "data"));

    [Fact]
    public void Create_RowLongerThanAMicroBatch_IsCountedAlone()
    {
        SftConfig job = Run with { MicroBatchTokens = 1024, RowsPerStep = 8, TokensPerStep = int.MaxValue, SharedPrefixRows = 1, Phases = [Run.Phases[0] with { MaxTokens = 32768 }] };
        MemoryPlan ordinary = SftMemoryPlan.Create(job, Model, CPU, new RowLengths(1000, 300, 200_000));
        MemoryPlan longer = SftMemoryPlan.Create(job, Model, CPU, new RowLengths(1000, 5000, 200_000));
        Assert.Equal(1024L * Model.Layers * Model.HiddenSize * 4, Of(ordinary, "layer_inputs"));
        Assert.Equal(5000L * Model.Layers * Model.HiddenSize * 4, Of(longer, "layer_inputs"));
        Assert.Equal(800_000, Of(longer, "data"));
    }

    [Fact]
    public void Create_Job_CountsTheServerToo()
    {
        PlannedServer server = new(new EngineOptions());
        MemoryPlan alone = SftMemoryPlan.Create(Run, Model, CPU);
        MemoryPlan job = SftMemoryPlan.Create(Run, Model, CPU, server: server);
        MemoryPlan promoted = SftMemoryPlan.Create(Run, Model, CPU, server: server with { IsFirstLive = false });
        Assert.Equal(job.Total - alone.Total, Of(job, "serving_weights") + Of(job, "kv_cache") + Of(job, "sampling") + Of(job, "process") - Of(alone, "process"));
        Assert.Equal(promoted.Total - job.Total, Of(promoted, "first_weights"));
        Assert.Equal(Of(job, "serving_weights"), Of(promoted, "first_weights"));
    }

    [Theory]
    [InlineData("qwen2.5-0.5b", 24, false)]
    [InlineData("qwen2.5-0.5b", 48, true)]
    [InlineData("qwen2.5-1.5b", 141, true)]
    [InlineData("qwen2.5-7b", 141, false)]
    public void Create_KnownShapesOnAGpu_FitWhatTheyShould(string preset, long gigabytes, bool fits) =>
        Assert.Equal(fits, SftMemoryPlan.Check(Run, ModelPresets.Get(preset), Cuda, gigabytes * GB).Fits);

    [Fact]
    public void Remedies_TooLarge_EndWithWhatFits()
    {
        SftConfig large = Run with { Lanes = 4, TokensPerStep = 65_536, MicroBatchTokens = 16_384 };
        long limit = SftMemoryPlan.Create(large with { Lanes = 1, MicroBatchTokens = 4096 }, Model, CPU).Total;
        IReadOnlyList<MemoryRemedy> remedies = SftMemoryPlan.Remedies(large, Model, CPU, limit);
        Assert.Equal(["lanes: 2", "lanes: 1", "micro_batch_tokens: 8192", "micro_batch_tokens: 4096"], remedies.Select(remedy => remedy.Change));
        Assert.Equal(limit, remedies[^1].TotalBytes);
        Assert.All(remedies.SkipLast(1), remedy => Assert.True(remedy.TotalBytes > limit));
    }

    [Fact]
    public void Remedies_LongRows_ProposeShorterOnes_OfAJobNothingElse()
    {
        RowLengths rows = new(1000, 8192, 200_000);
        SftConfig job = Run with { MicroBatchTokens = 1024, RowsPerStep = 8, TokensPerStep = int.MaxValue, SharedPrefixRows = 1, Phases = [Run.Phases[0] with { MaxTokens = 32768 }] };
        PlannedServer server = new(new EngineOptions());
        long limit = SftMemoryPlan.Create(job, Model, CPU, rows with { Longest = 2048 }, server).Total;
        MemoryCheck check = SftMemoryPlan.Check(job, Model, CPU, limit, rows, server);
        Assert.Equal(["rows of at most 4096 tokens", "rows of at most 2048 tokens"], check.Remedies.Select(remedy => remedy.Change));
        Assert.True(check.CanFit);
        Assert.Contains("With these it would fit: rows of at most 4096 tokens", check.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_MemoryOfAGpuThatNobodyKnows_PlansButClaimsNothing()
    {
        MemoryCheck check = SftMemoryPlan.Check(Run, Model, Cuda, limit: null);
        Assert.Null(check.Fits);
        Assert.Empty(check.Remedies);
        Assert.DoesNotContain(check.Plan.Items, item => item.Kind == "data");
    }

    private static long Of(MemoryPlan plan, string kind) => plan.Items.Where(item => item.Kind == kind).Sum(item => item.Bytes);
}
