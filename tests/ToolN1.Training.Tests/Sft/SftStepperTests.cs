using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Packing;
using ToolN1.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Sft;

public sealed class SftStepperTests
{
    private static readonly ModelConfig Shape = new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = 32,
        IntermediateSize = 48,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 8,
        VocabularySize = 50,
        RmsNormEpsilon = 1e-6,
        RopeTheta = 10000,
        MaxPositionEmbeddings = 512,
        TieWordEmbeddings = true,
        QkvBias = true,
        QkNorm = false,
    };

    [Fact]
    public void Step_SharedPrefix_GivesTheGradientsOfEachRowAlone()
    {
        (int[] Prompt, int[] Answer)[] rows = MakeRows(3, promptLength: 300);
        Dictionary<string, float[]> packed = Gradients([RowGroup.Create(rows)], promptWeight: 0);
        Dictionary<string, float[]> alone = Gradients([.. rows.Select(row => RowGroup.Create([row]))], promptWeight: 0);
        AssertClose(alone, packed, 2e-5);
    }

    [Fact]
    public void Step_SpanAttention_GivesTheGradientsOfDenseAttention()
    {
        (int[] prompt, int[] answer) = MakeRows(1, promptLength: 300)[0];
        Dictionary<string, float[]> spans = Gradients([RowGroup.Create([(prompt, answer)])], promptWeight: 0);

        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = MakeDecoder();
        long[] ids = [.. prompt.Concat(answer).Select(id => (long)id)];
        DenseAttention attention = new(DenseAttention.CausalMask(ids.Length, ScalarType.Float32, CPU), 1);
        Tensor hidden = decoder.Forward(tensor(ids), arange(ids.Length, ScalarType.Int64), attention);
        Tensor logits = decoder.Logits(hidden.narrow(0, prompt.Length - 1, answer.Length));
        nn.functional.cross_entropy(logits, tensor(answer.Select(id => (long)id).ToArray())).backward();
        AssertClose(decoder.NamedWeights().ToDictionary(item => item.Name, item => item.Tensor.grad!.data<float>().ToArray()), spans, 2e-5);
    }

    [Fact]
    [Trait("Device", "gpu")]
    public void Step_OnAGpu_GivesTheGradientsOfTheCpu()
    {
        Assert.SkipUnless(cuda.is_available(), "There is no GPU here.");
        RowGroup[] groups = [RowGroup.Create(MakeRows(3, promptLength: 300))];
        AssertClose(Gradients(groups, promptWeight: 0.3), Gradients(groups, promptWeight: 0.3, device: CUDA), 2e-5);
    }

    // As on a GPU, whose way back runs on a thread of libtorch's own.
    [Fact]
    public void SpanAttention_BackwardOutsideAnyDisposeScope_LeavesNoMoreBehindThanWithinOne()
    {
        Assert.Equal(LiveAfter(backwardInScope: true), LiveAfter(backwardInScope: false));

        static long LiveAfter(bool backwardInScope)
        {
            long live = 0;
            Thread thread = new(() =>
            {
                PackedBatch batch = new([(RowGroup.Create(MakeRows(2, promptLength: 20)), 1)], promptWeight: 0, promptFraction: 0);
                SpanAttention attention = new(batch.Spans, CPU);
                Tensor loss;
                using (NewDisposeScope())
                {
                    Tensor Input(long heads) => randn([batch.TokenCount, heads, 8], requires_grad: true);
                    loss = attention.Attend(0, Input(4), Input(2), Input(2)).sum().DetachFromDisposeScope();
                }

                using (backwardInScope ? NewDisposeScope() : null)
                {
                    loss.backward();
                }

                attention.Dispose();
                loss.Dispose();
                live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            });
            thread.Start();
            thread.Join();
            return live;
        }
    }

    [Fact]
    public void Step_AnyMicroBatchSplit_GivesTheSameWeights()
    {
        RowGroup[] groups = [.. Enumerable.Range(0, 4).Select(i => RowGroup.Create(MakeRows(2, promptLength: 20 + i, seed: i)))];
        Dictionary<string, float[]> whole = Gradients(groups, promptWeight: 0.3, microBatchTokens: 100_000);
        Dictionary<string, float[]> pieces = Gradients(groups, promptWeight: 0.3, microBatchTokens: 1);
        AssertClose(whole, pieces, 2e-5);
    }

    [Fact]
    public void Step_NonFiniteWeight_LeavesWeightsAndOptimizersAlone()
    {
        using Decoder decoder = MakeDecoder();
        using SftStepper stepper = new(MakeConfig(0, 4096), decoder);
        using (no_grad())
        {
            decoder.FinalNorm.Weight[0] = tensor(float.NaN);
        }

        float[] before = decoder.Embedding.data<float>().ToArray();
        StepSums sums = stepper.Step([RowGroup.Create(MakeRows(1, promptLength: 5))], seed: 1, scheduleFactor: 1);
        Assert.False(sums.IsFinite);
        Assert.Equal(before, decoder.Embedding.data<float>().ToArray());
        Assert.All(stepper.Optimizers, optimizer => Assert.Equal(0, optimizer.Updates));
    }

    [Fact]
    public void Step_ManySteps_LeavesNoLiveTensorBehind()
    {
        using Decoder decoder = MakeDecoder();
        using SftStepper stepper = new(MakeConfig(0.1, 4096), decoder);
        RowGroup[] groups = [RowGroup.Create(MakeRows(2, promptLength: 12))];
        stepper.Step(groups, 1, 1);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 5; i++)
        {
            stepper.Step(groups, i, 1);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void PackedBatch_TwoRows_TeachesExactlyTheAnswersAndResetsPositions()
    {
        PackedBatch batch = new([(RowGroup.Create([([1, 2, 3], [10, 11]), ([1, 2, 4], [12])]), 1)], promptWeight: 0, promptFraction: 0);
        Assert.Equal([1, 2, 3, 10, 11, 4, 12], batch.Ids);
        Assert.Equal([0, 1, 2, 3, 4, 2, 3], batch.Positions);
        Assert.Equal([10, 11, 12], batch.Targets);
        Assert.Equal([2, 3, 5], batch.Sources);
        Assert.Equal([2, 1], batch.AnswerLengths);
    }

    [Fact]
    public void PackedBatch_EqualPrompts_PredictTheFirstAnswerTokenFromThePrefix()
    {
        PackedBatch batch = new([(RowGroup.Create([([1, 2], [10]), ([1, 2], [11])]), 1)], promptWeight: 0.5, promptFraction: 1);
        Assert.Equal([1, 1, 0], batch.Sources);
        Assert.Equal([10, 11, 2], batch.Targets);
        Assert.Equal([1, 1, 0.5f], batch.Weights);
    }

    [Fact]
    public void PackedBatch_PromptTokensThatCount_DoNotDependOnWhatLiesBeside()
    {
        RowGroup one = RowGroup.Create(MakeRows(3, 60, seed: 1));
        RowGroup other = RowGroup.Create(MakeRows(2, 40, seed: 2));
        PackedBatch alone = new([(one, 7)], promptWeight: 1, promptFraction: 0.3);
        PackedBatch beside = new([(other, 8), (one, 7)], promptWeight: 1, promptFraction: 0.3);
        int before = other.TokenCount;
        Assert.NotEqual(alone.AnswerTokens, alone.Sources.Length);
        Assert.Equal(alone.Sources.Skip(alone.AnswerTokens), beside.Sources.Skip(beside.AnswerTokens).Where(source => source >= before).Select(source => source - before));
    }

    [Fact]
    public void PackedBatch_RowWithoutPrompt_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => new PackedBatch([(RowGroup.Create([([], [10])]), 1)], 0, 0));

    private static (int[] Prompt, int[] Answer)[] MakeRows(int count, int promptLength, int seed = 3)
    {
        Random random = new(seed);
        int[] shared = [.. Enumerable.Range(0, promptLength).Select(_ => random.Next(50))];
        return [.. Enumerable.Range(0, count).Select(i => ((int[])[.. shared, i, random.Next(50), random.Next(50)], (int[])[.. Enumerable.Range(0, 5 + i).Select(_ => random.Next(50))]))];
    }

    private static Decoder MakeDecoder(Device? device = null)
    {
        Decoder decoder = RandomWeights.Create(Shape, device ?? CPU, ScalarType.Float32, seed: 5, standardDeviation: 0.3);
        foreach ((_, Tensor tensor) in decoder.NamedWeights())
        {
            tensor.requires_grad = true;
        }

        return decoder;
    }

    private static SftConfig MakeConfig(double promptWeight, int microBatchTokens) => new()
    {
        Output = "unused",
        Init = new SftInit { From = "unused" },
        Phases = [],
        PromptLossWeight = promptWeight,
        PromptLossFraction = 0.5,
        MicroBatchTokens = microBatchTokens,
        ClipNorm = 1e9,
    };

    private static Dictionary<string, float[]> Gradients(RowGroup[] groups, double promptWeight, int microBatchTokens = 4096, Device? device = null)
    {
        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = MakeDecoder(device);
        using SftStepper stepper = new(MakeConfig(promptWeight, microBatchTokens), decoder);
        Assert.True(stepper.Step(groups, seed: 1, scheduleFactor: 1e-9).IsFinite);
        return decoder.NamedWeights().ToDictionary(item => item.Name, item => item.Tensor.grad!.cpu().data<float>().ToArray());
    }

    private static void AssertClose(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual, double tolerance)
    {
        foreach ((string name, float[] values) in expected)
        {
            float scale = values.Max(Math.Abs);
            for (int i = 0; i < values.Length; i++)
            {
                Assert.True(Math.Abs(values[i] - actual[name][i]) <= tolerance * Math.Max(scale, 1e-3), $"{name}[{i}]: {values[i]} and {actual[name][i]}");
            }
        }
    }
}
