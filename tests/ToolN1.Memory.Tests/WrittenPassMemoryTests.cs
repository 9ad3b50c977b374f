using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using static TorchSharp.torch;

namespace ToolN1.Memory.Tests;

public sealed class WrittenPassMemoryTests
{
    [Theory]
    [InlineData("float32")]
    [InlineData("bfloat16")]
    public void Create_WrittenOutPass_IsWhatAPassWasMeasuredToTake(string dtype)
    {
        // Prompts and responses half as long as they may be.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        GrpoConfig config = new()
        {
            Output = "o",
            Model = "m",
            Data = ["d"],
            Steps = 1,
            DType = dtype,
            MaxPromptTokens = 640,
            MaxResponseTokens = 160,
            GroupSize = 8,
            MicroBatchTokens = 4800,
            RecomputeActivations = false,
        };
        MemoryPlan keeping = GrpoMemoryPlan.Create(config, EmbeddedModel.Shape, CPU);
        MemoryPlan recomputing = GrpoMemoryPlan.Create(config with { RecomputeActivations = true }, EmbeddedModel.Shape, CPU);
        Assert.DoesNotContain(keeping.Items, item => item.Kind == "logits");
        Assert.Equal(Of(keeping, "activations"), 6 * Of(recomputing, "activations"));

        using Decoder decoder = RandomWeights.Create(EmbeddedModel.Shape, CPU, ScalarType.Float32, 1, 0.02);
        using DecoderPass pass = DecoderPass.Create(decoder, dtype == "float32" ? ScalarType.Float32 : ScalarType.BFloat16);
        pass.LoadWeights();
        int[] Ids(int count) => [.. Enumerable.Range(0, count)];
        PackedBatch batch = new([.. Enumerable.Range(0, 5).Select(_ => (new RowGroup(Ids(320), [.. Enumerable.Range(0, 8).Select(_ => new RowRest([], Ids(80)))]), 0))], 0, 0);
        Assert.Equal(4800, batch.TokenCount);

        Assert.InRange(Measure(pass, batch) / Planned(keeping), 0.9, 1.1);
    }

    [Theory]
    [InlineData("float32", 1, 1024)]
    [InlineData("bfloat16", 1, 1024)]
    [InlineData("float32", 4, 1024)]
    [InlineData("float32", 1, 3072)]
    public void Create_SupervisedMicroBatch_IsWhatAPassWasMeasuredToTake(string dtype, int shared, int longest)
    {
        // Rows half as long as they may be, three quarters of them prompt; or one row that is as long as may be.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        SftConfig config = Supervised(dtype) with { SharedPrefixRows = shared, MicroBatchTokens = 2560, Phases = [new SftPhase { Name = "p", Data = ["d"], Steps = 1, MaxTokens = longest }] };
        MemoryPlan plan = SftMemoryPlan.Create(config, EmbeddedModel.Shape, CPU);

        using Decoder decoder = RandomWeights.Create(EmbeddedModel.Shape, CPU, ScalarType.Float32, 1, 0.02);
        using DecoderPass pass = DecoderPass.Create(decoder, dtype == "float32" ? ScalarType.Float32 : ScalarType.BFloat16);
        pass.LoadWeights();
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(id => id % EmbeddedModel.Shape.VocabularySize)];
        RowGroup Group(int row) => shared == 1
            ? new RowGroup(Ids(row * 3 / 4), [new RowRest([], Ids(row / 4))])
            : new RowGroup(Ids(row / 2), [.. Enumerable.Range(0, shared).Select(_ => new RowRest(Ids(row / 4), Ids(row / 4)))]);
        RowGroup group = Group(longest > 2560 ? longest : 512);
        PackedBatch batch = new([.. Enumerable.Repeat((group, 1), Math.Max(1, 2560 / group.TokenCount))], config.PromptLossWeight, config.PromptLossFraction);
        Assert.Equal(Math.Max(2560, longest), batch.TokenCount);
        Assert.InRange(Measure(pass, batch) / Planned(plan), 0.9, 1.1);
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("muon")]
    public void Create_SupervisedRun_IsWhatStaysBetweenStepsWasMeasuredToTake(string optimizer)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        SftConfig config = Supervised("float32") with { MicroBatchTokens = 128, Optimizer = new SftOptimizer { Kind = optimizer } };
        MemoryPlan plan = SftMemoryPlan.Create(config, EmbeddedModel.Shape, CPU);

        double planned = Of(plan, "training_weights") + Of(plan, "gradients") + Of(plan, "optimizer") + Of(plan, "product_weights");

        // The median of three: libraries keep buffers of a thread's first time.
        Assert.InRange(Enumerable.Range(0, 3).Select(_ => StaysAfterAStep(config)).Order().ElementAt(1) / planned, 0.95, 1.05);
    }

    private static double StaysAfterAStep(SftConfig config)
    {
        long before = Malloc.CollectedBytes();
        using Decoder decoder = RandomWeights.Create(EmbeddedModel.Shape, CPU, ScalarType.Float32, 1, 0.02);
        foreach ((_, Tensor weight) in decoder.NamedWeights())
        {
            weight.requires_grad = true;
        }

        using SftStepper stepper = new(config, decoder);
        RowGroup Group(int first) => new([.. Enumerable.Range(first, 60)], [new RowRest([], [.. Enumerable.Range(first, 20)])]);
        stepper.Step([Group(1), Group(101), Group(201), Group(301)], seed: 1, scheduleFactor: 1);
        long stays = Malloc.CollectedBytes() - before;
        foreach ((_, Tensor weight) in decoder.NamedWeights())
        {
            weight.grad?.Dispose();
        }

        return stays;
    }

    private static SftConfig Supervised(string dtype) => new()
    {
        Output = "o",
        Init = new SftInit { From = "m" },
        Phases = [new SftPhase { Name = "p", Data = ["d"], Steps = 1 }],
        DType = dtype,
    };

    /// <summary>What a pass takes beyond what was there before. The whole tape lives when the loss is asked for its derivative.</summary>
    private static double Measure(DecoderPass pass, PackedBatch batch)
    {
        // What earlier tests left to the collector must not be freed in between.
        long before = Malloc.CollectedBytes();
        long during = 0;
        pass.Accumulate(batch, 1, wholeBatch: false, (_, logProbs) =>
        {
            during = Math.Max(during, Malloc.AllocatedBytes());
            return new float[logProbs.Length];
        });
        return during - before;
    }

    private static double Planned(MemoryPlan plan) => Of(plan, "layer_inputs") + Of(plan, "activations") + Of(plan, "working");

    private static long Of(MemoryPlan plan, string kind) => plan.Items.Where(item => item.Kind == kind).Sum(item => item.Bytes);
}
