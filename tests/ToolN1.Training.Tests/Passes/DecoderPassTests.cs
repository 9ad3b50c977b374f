using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using ToolN1.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Passes;

/// <summary>Alone: lanes change libtorch's number of threads for the whole process, on which other tests' last bits depend.</summary>
[CollectionDefinition(nameof(DecoderPassTests), DisableParallelization = true)]
[Collection(nameof(DecoderPassTests))]
public sealed class DecoderPassTests
{
    private const int Vocabulary = 77;

    [Theory]
    [InlineData(true, true, 2)]
    [InlineData(false, false, 4)]
    public void Accumulate_Float32_GivesAutogradsGradients(bool tied, bool biases, int keyHeads)
    {
        ModelConfig config = Shape(tied, biases, keyHeads);
        RowGroup[] groups = MakeGroups();
        (Dictionary<string, float[]> expected, StepSums plain) = Step(config, groups, ScalarType.Float32, autograd: true);
        (Dictionary<string, float[]> actual, StepSums fused) = Step(config, groups, ScalarType.Float32, autograd: false);
        foreach ((string name, float[] values) in expected)
        {
            Assert.True(Distance(values, actual[name]) < 1e-5, $"{name}: {Distance(values, actual[name])}");
        }

        Assert.Equal(plain.Loss, fused.Loss, 1e-5);
        Assert.Equal(plain.AnswerLossSum, fused.AnswerLossSum, 1e-2);
        Assert.Equal((plain.RightTokens, plain.RightAnswers), (fused.RightTokens, fused.RightAnswers));
    }

    [Fact]
    public void Accumulate_BFloat16_IsWithinRoundingOfFloat32()
    {
        ModelConfig config = Shape(tied: true, biases: true, keyHeads: 2);
        RowGroup[] groups = MakeGroups();
        (Dictionary<string, float[]> expected, StepSums plain) = Step(config, groups, ScalarType.Float32, autograd: true);
        (Dictionary<string, float[]> actual, StepSums fused) = Step(config, groups, ScalarType.BFloat16, autograd: false);

        // A rounding is at most 2^-8 relative; some ten follow each other.
        foreach ((string name, float[] values) in expected)
        {
            Assert.True(Distance(values, actual[name]) < 0.05, $"{name}: {Distance(values, actual[name])}");
        }

        Assert.Equal(plain.Loss, fused.Loss, 0.02);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Accumulate_InLanes_GivesTheGradientsOfOne_AndRepeatsBitByBit(int lanes)
    {
        ModelConfig config = Shape(tied: true, biases: true, keyHeads: 2);
        RowGroup[] groups = MakeGroups();
        int threads = get_num_threads();
        (Dictionary<string, float[]> expected, StepSums alone) = Step(config, groups, ScalarType.Float32, autograd: false);
        (Dictionary<string, float[]> actual, StepSums together) = Step(config, groups, ScalarType.Float32, autograd: false, lanes);
        (Dictionary<string, float[]> again, _) = Step(config, groups, ScalarType.Float32, autograd: false, lanes);
        foreach ((string name, float[] values) in expected)
        {
            Assert.True(Distance(values, actual[name]) < 1e-5, $"{name}: {Distance(values, actual[name])}");
            Assert.Equal(actual[name], again[name]);
        }

        Assert.Equal(alone.Loss, together.Loss, 1e-5);
        Assert.Equal((alone.RightTokens, alone.RightAnswers), (together.RightTokens, together.RightAnswers));
        Assert.Equal(threads, get_num_threads());
    }

    [Fact]
    public void Run_LaneThatFails_FailsWithItsErrorOnceAllHaveEnded()
    {
        int threads = get_num_threads();
        using PassLanes lanes = new(3, 3);
        bool ended = false;
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => lanes.Run(3, (lane, _) =>
        {
            if (lane == 1)
            {
                throw new InvalidOperationException("lane 1");
            }

            Thread.Sleep(50);
            ended |= lane == 2;
        }));
        Assert.Equal("lane 1", error.Message);
        Assert.True(ended);
        Assert.Equal(threads, get_num_threads());
    }

    [Fact]
    public void Accumulate_Twice_AddsUpAndLeavesNoTensorBehind()
    {
        using Decoder decoder = MakeDecoder(Shape(tied: true, biases: true, keyHeads: 2), ScalarType.Float32);
        using DecoderPass pass = DecoderPass.Create(decoder, ScalarType.Float32);
        PackedBatch batch = new([.. MakeGroups().Select(group => (group, 1))], 0.1, 0.5);
        pass.LoadWeights();
        pass.Accumulate(batch, 1, false, Loss);
        float[] once = decoder.Layers[0].Gate.Weight.grad!.data<float>().ToArray();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        pass.Accumulate(batch, 1, false, Loss);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.True(Distance([.. once.Select(value => 2 * value)], decoder.Layers[0].Gate.Weight.grad!.data<float>().ToArray()) < 1e-6);

        float[] Loss(int start, float[] logProbs) => [.. Enumerable.Range(start, logProbs.Length).Select(i => (float)(-batch.Weights[i] / batch.TotalWeight))];
    }

    [Fact]
    public void Supports_HeadsThatTheKernelsCannotTake_IsFalse()
    {
        using Decoder decoder = MakeDecoder(Shape(tied: true, biases: true, keyHeads: 2) with { HeadDim = 16 }, ScalarType.Float32);
        Assert.False(DecoderPass.Supports(decoder));
        Assert.Throws<ArgumentException>(() => DecoderPass.Create(decoder, ScalarType.Float32));
    }

    [Fact]
    public void AttentionLayout_LongRunsAndSharedPrefixes_ShowsEverySlotWhatItsSpanSees()
    {
        PackedBatch batch = new([.. MakeGroups().Select(group => (group, 1))], 0, 0);
        AttentionLayout layout = new(batch.Spans, batch.TokenCount);
        HashSet<(int Query, int Key)> expected = [];
        foreach (AttentionSpan span in batch.Spans)
        {
            for (int i = 0; i < span.Length; i++)
            {
                IEnumerable<int> keys = Enumerable.Range(span.GroupStart, span.Context).Concat(Enumerable.Range(span.RunStart, span.Before + i + 1));
                expected.UnionWith(keys.Select(key => (layout.TokenSlots[span.QueryStart + i], layout.TokenSlots[key])));
            }
        }

        HashSet<(int Query, int Key)> seen = [];
        foreach (AttentionPiece piece in layout.Pieces)
        {
            for (int query = piece.QuerySlot; query < piece.QuerySlot + piece.Queries; query++)
            {
                SlotSight sight = layout.Sights[query];
                if (sight.To > 0)
                {
                    Assert.InRange(sight.From, piece.KeySlot, piece.KeySlot + piece.Keys - 1);
                    Assert.InRange(sight.To, piece.KeySlot + 1, piece.KeySlot + piece.Keys);
                    seen.UnionWith(Enumerable.Range(piece.ContextSlot, piece.Context).Concat(Enumerable.Range(sight.From, sight.To - sight.From)).Select(key => (query, key)));
                }
            }
        }

        Assert.True(expected.SetEquals(seen));
    }

    private static ModelConfig Shape(bool tied, bool biases, int keyHeads) => new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = 48,
        IntermediateSize = 80,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = keyHeads,
        HeadDim = 32,
        VocabularySize = Vocabulary,
        RmsNormEpsilon = 1e-6,
        RopeTheta = 10000,
        MaxPositionEmbeddings = 1024,
        TieWordEmbeddings = tied,
        QkvBias = biases,
        QkNorm = false,
    };

    /// <summary>A long prefix with many rows, a single row longer than a piece, and a short group.</summary>
    private static RowGroup[] MakeGroups()
    {
        Random random = new(3);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];
        int[] shared = Ids(300);
        return
        [
            RowGroup.Create([.. Enumerable.Range(0, 7).Select(i => ((int[])[.. shared, i, .. Ids(30)], Ids(40 + i)))]),
            RowGroup.Create([(Ids(290), Ids(40))]),
            RowGroup.Create([([1, 2], [3, 4]), ([1, 5], [6])]),
        ];
    }

    private static Decoder MakeDecoder(ModelConfig config, ScalarType compute)
    {
        Decoder decoder = RandomWeights.Create(config, CPU, ScalarType.Float32, seed: 5, standardDeviation: 0.1);
        using IDisposable noGrad = no_grad();
        foreach (Linear linear in decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head))
        {
            linear.ComputeDType = compute;
            linear.Bias?.normal_(0, 0.5, new Generator(7, CPU));
        }

        foreach ((_, Tensor tensor) in decoder.NamedWeights())
        {
            tensor.requires_grad = true;
        }

        return decoder;
    }

    private static (Dictionary<string, float[]> Gradients, StepSums Sums) Step(ModelConfig config, RowGroup[] groups, ScalarType compute, bool autograd, int lanes = 1)
    {
        SftConfig run = new()
        {
            Output = "unused",
            Init = new SftInit { From = "unused" },
            Phases = [],
            PromptLossWeight = 0.3,
            PromptLossFraction = 0.5,
            ClipNorm = 1e9,
            Lanes = lanes,
        };
        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = MakeDecoder(config, compute);
        using SftStepper stepper = new(run, decoder, autograd);
        StepSums sums = stepper.Step(groups, seed: 1, scheduleFactor: 1e-9);
        return (decoder.NamedWeights().ToDictionary(item => item.Name, item => item.Tensor.grad!.data<float>().ToArray()), sums);
    }

    /// <summary>|a − b| / |a|, Euclidean.</summary>
    private static double Distance(float[] expected, float[] actual)
    {
        // Keys' biases cancel in the softmax: their gradient is nothing but rounding.
        double norm = Math.Max(Math.Sqrt(expected.Sum(value => (double)value * value)), 1e-3);
        return Math.Sqrt(expected.Zip(actual, (left, right) => ((double)left - right) * (left - right)).Sum()) / norm;
    }
}
