using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

public sealed class PolicyUpdaterTests
{
    private static readonly ModelConfig Shape = new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = 64,
        IntermediateSize = 96,
        Layers = 2,
        Heads = 2,
        KeyValueHeads = 1,
        HeadDim = 32,
        VocabularySize = 60,
        RmsNormEpsilon = 1e-6,
        RopeTheta = 10000,
        MaxPositionEmbeddings = 512,
        TieWordEmbeddings = true,
        QkvBias = true,
        QkNorm = false,
    };

    private static readonly GrpoConfig Config = new()
    {
        Output = "unused",
        Model = "unused",
        Data = ["unused"],
        Steps = 1,
        DType = "float32",
        ClipNorm = 1e9,
        MaxResponseTokens = 16,
        Sampling = new GrpoSampling { Temperature = 0.7 },
        Loss = new PolicyLossOptions { KlCoefficient = 0.1, ClipHigh = 0.2 },
    };

    public static TheoryData<string, PolicyLossOptions> Losses => new()
    {
        { "token mean", Config.Loss },
        { "sequence mean", Config.Loss with { Aggregation = LossAggregation.SequenceMean } },
        { "sequence sum", Config.Loss with { Aggregation = LossAggregation.SequenceSum } },
        { "dr_grpo", Config.Loss with { Aggregation = LossAggregation.DrGrpo } },
        { "gspo", Config.Loss with { Ratio = RatioLevel.Sequence, ClipLow = 0.05, ClipHigh = 0.05 } },
        { "importance", Config.Loss with { Importance = ImportanceLevel.Sequence, ImportanceCap = 1.1 } },
        { "cispo", Config.Loss with { Objective = PolicyObjective.Cispo, Importance = ImportanceLevel.Token } },
    };

    [Theory]
    [MemberData(nameof(Losses))]
    public void Accumulate_AnySplit_GivesTheSameGradients(string name, PolicyLossOptions loss)
    {
        Assert.NotEmpty(name);
        GrpoConfig config = Config with { Loss = loss };
        ResponseGroup[] groups = MakeGroups(5, 3);
        Dictionary<string, float[]> whole = Gradients(config, groups, batches: 1);
        foreach (int batches in new[] { 2, 5, 15 })
        {
            AssertClose(whole, Gradients(config, groups, batches), 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Accumulate_AdapterInAnySplit_GivesTheSameGradients(string name, PolicyLossOptions loss)
    {
        Assert.NotEmpty(name);
        GrpoConfig config = Config with { Loss = loss, Lora = new GrpoLora { Rank = 4, Alpha = 8 } };
        ResponseGroup[] groups = MakeGroups(5, 3);
        Dictionary<string, float[]> whole = Moved(1);
        Assert.All(whole.Values, values => Assert.Contains(values, value => value != 0));
        foreach (int batches in new[] { 2, 5, 15 })
        {
            AssertClose(whole, Moved(batches), 1e-5);
        }

        Dictionary<string, float[]> Moved(int batches)
        {
            // B is no longer 0, so that A has gradients too.
            using Policy policy = MakePolicy(config);
            using (no_grad())
            {
                using IDisposable scope = NewDisposeScope();
                foreach ((_, Tensor tensor) in policy.Parameters)
                {
                    tensor.add_(0.02);
                }
            }

            return Gradients(config, policy, groups, batches);
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Accumulate_WrittenOut_GivesAutogradsGradientsForAnySplit(string name, PolicyLossOptions loss)
    {
        Assert.NotEmpty(name);
        GrpoConfig config = Config with { Loss = loss };
        ResponseGroup[] groups = MakeGroups(5, 3);
        using Policy policy = MakePolicy(config, autograd: true);
        Assert.IsType<AutogradPolicyPass>(policy.Pass);
        Dictionary<string, float[]> autograd = Gradients(config, policy, groups, batches: 1);
        foreach (int batches in new[] { 1, 2, 5, 15 })
        {
            using Policy written = MakePolicy(config);
            Assert.IsType<WrittenPolicyPass>(written.Pass);
            AssertClose(autograd, Gradients(config, written, groups, batches), 1e-5);
        }
    }

    [Fact]
    public void Score_WrittenOut_GivesAutogradsLogProbsAndEntropies()
    {
        ResponseBatch batch = ResponseBatch.Split(MakeGroups(3, 3, promptLength: 280), 10_000)[0];
        using Decoder decoder = MakeDecoder(5);
        using AutogradPolicyPass autograd = new(decoder, recomputes: false);
        using WrittenPolicyPass written = new(decoder, recomputes: false);
        PassScores expected = autograd.Score(batch.Packed, 0.7);
        PassScores actual = written.Score(batch.Packed, 0.7);
        for (int i = 0; i < expected.LogProbs.Length; i++)
        {
            Assert.Equal(expected.LogProbs[i], actual.LogProbs[i], 2e-5);
            Assert.Equal(expected.Entropies[i], actual.Entropies[i], 2e-5);
        }

        Assert.Equal(actual.LogProbs, written.Accumulate(batch.Packed, 0.7, false, (_, logProbs) => new float[logProbs.Length]).LogProbs);
    }

    [Theory]
    [InlineData(RatioLevel.Token)]
    [InlineData(RatioLevel.Sequence)]
    public void Accumulate_MoreLogitsThanOnePiece_GivesAutogradsGradients(RatioLevel ratio)
    {
        // 128 rows are a piece of so large a vocabulary.
        ModelConfig shape = Shape with { VocabularySize = 66_000, HiddenSize = 16, IntermediateSize = 16, Layers = 1 };
        GrpoConfig config = Config with { Loss = Config.Loss with { Ratio = ratio } };
        ResponseGroup[] groups = MakeGroups(6, 8);
        Assert.InRange(groups.Sum(group => group.Responses.Sum(response => response.Tokens.Length)), 257, 500);
        using Policy autograd = MakePolicy(config, autograd: true, shape);
        using Policy written = MakePolicy(config, autograd: false, shape);
        AssertClose(Gradients(config, autograd, groups, batches: 1), Gradients(config, written, groups, batches: 1), 1e-5);
    }

    [Fact]
    public void Accumulate_BFloat16Products_AreWithinRoundingOfFloat32()
    {
        ResponseGroup[] groups = MakeGroups(3, 3);
        Dictionary<string, float[]> exact = Gradients(Config, groups, batches: 1);
        using Decoder decoder = MakeDecoder(5);
        foreach (Linear linear in decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head))
        {
            linear.ComputeDType = ScalarType.BFloat16;
        }

        using Policy policy = new(Config, decoder, null, null);
        Dictionary<string, float[]> rounded = Gradients(Config, policy, groups, batches: 1);
        foreach ((string name, float[] values) in exact.Where(item => !item.Key.Contains("k_proj.bias", StringComparison.Ordinal)))
        {
            double distance = Math.Sqrt(values.Zip(rounded[name], (left, right) => Math.Pow(left - right, 2)).Sum() / values.Sum(value => Math.Pow(value, 2)));
            Assert.InRange(distance, 1e-6, 0.1);
        }
    }

    [Fact]
    public void Score_AfterAnUpdate_UsesTheNewWeights()
    {
        using Policy policy = MakePolicy(Config);
        using PolicyUpdater updater = new(Config with { Optimizer = new GrpoOptimizer { LearningRate = 0.05 } }, policy);
        ResponseGroup[] groups = MakeGroups(1, 2);
        PolicyUpdater.SetWeights(Config, groups);
        ResponseBatch batch = ResponseBatch.Split(groups, 10_000)[0];
        float[] before = policy.Pass.Score(batch.Packed, 1).LogProbs;
        PolicyMeter meter = new();
        updater.Begin();
        updater.Accumulate(batch, 0.1, meter);
        Assert.True(updater.Finish(1, meter));
        using AutogradPolicyPass fresh = new(policy.Decoder, recomputes: false);
        float[] expected = fresh.Score(batch.Packed, 1).LogProbs;
        float[] actual = policy.Pass.Score(batch.Packed, 1).LogProbs;
        Assert.NotEqual(before[0], actual[0], 1e-3);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-5));
    }

    [Fact]
    public void Create_WhatTheWrittenOutPassDoesNotTake_GoesThroughAutograd()
    {
        using Policy adapter = MakePolicy(Config with { Lora = new GrpoLora { Rank = 4, Alpha = 8 } });
        Assert.IsType<AutogradPolicyPass>(adapter.Pass);
        Assert.False(PolicyPass.IsWrittenOut(Shape, new GrpoLora(), CPU));
        Assert.False(PolicyPass.IsWrittenOut(Shape, null, new Device(DeviceType.CUDA)));
        Assert.False(PolicyPass.IsWrittenOut(Shape with { QkNorm = true }, null, CPU));
        Assert.True(PolicyPass.IsWrittenOut(Shape, null, CPU));
    }

    [Fact]
    public void Accumulate_Recomputing_GivesTheSameGradients()
    {
        ResponseGroup[] groups = MakeGroups(2, 3, promptLength: 300);
        AssertClose(
            Gradients(Config with { RecomputeActivations = false }, groups, batches: 1),
            Gradients(Config with { RecomputeActivations = true }, groups, batches: 1), 1e-6);
    }

    [Theory]
    [Trait("Device", "gpu")]
    [InlineData(false)]
    [InlineData(true)]
    public void Accumulate_OnAGpu_GivesTheGradientsOfTheCpu(bool isLora)
    {
        Assert.SkipUnless(cuda.is_available(), "There is no GPU here.");
        GrpoConfig config = isLora ? Config with { Lora = new GrpoLora { Rank = 4, Alpha = 8 } } : Config;
        ResponseGroup[] groups = MakeGroups(3, 3, promptLength: 300);
        AssertClose(Gradients(config, groups, batches: 1), Gradients(config, groups, batches: 1, CUDA), 2e-5);
    }

    [Fact]
    public void Accumulate_PackedGroups_GivesTheGradientsOfEachResponseAloneUnderDenseAttention()
    {
        ResponseGroup[] groups = MakeGroups(2, 3);
        Dictionary<string, float[]> packed = Gradients(Config, groups, batches: 1);

        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = MakeDecoder(5);
        double tokens = groups.Sum(group => group.Responses.Sum(response => response.Tokens.Length));
        foreach (ResponseGroup group in groups)
        {
            foreach (TrainedResponse response in group.Responses)
            {
                Tensor logProbs = DenseLogProbs(decoder, group.Prompt, response.Tokens, 0.7);
                Tensor ratio = (logProbs - tensor(response.Old!)).exp();
                Tensor surrogate = maximum(-(ratio * response.Advantage), -(ratio.clamp(0.8, 1.2) * response.Advantage));
                Tensor difference = tensor(response.Reference!) - logProbs;
                ((surrogate + (0.1 * (difference.exp() - difference - 1).clamp(-10, 10))).sum() / tokens).backward();
            }
        }

        AssertClose(decoder.NamedWeights().ToDictionary(item => item.Name, item => item.Tensor.grad!.data<float>().ToArray()), packed, 2e-5);
    }

    [Fact]
    public void Accumulate_FirstUpdate_HasRatioOneAndNoKlToItself()
    {
        using Policy policy = MakePolicy(Config);
        using PolicyUpdater updater = new(Config, policy);
        ResponseGroup[] groups = MakeGroups(2, 2);
        foreach (TrainedResponse response in groups.SelectMany(group => group.Responses))
        {
            response.Old = null;
        }

        PolicyUpdater.SetWeights(Config, groups);
        ResponseBatch batch = ResponseBatch.Split(groups, 10_000)[0];
        updater.ScoreReference(batch);
        PolicyMeter meter = new();
        updater.Begin();
        updater.Accumulate(batch, 0.1, meter);
        Assert.Equal(1, meter.Ratio.Least!.Value, 1e-6);
        Assert.Equal(1, meter.Ratio.Greatest!.Value, 1e-6);
        Assert.Equal(0, meter.Kl.Greatest!.Value, 1e-6);
        Assert.Equal(0, meter.ClippedLow + meter.ClippedHigh);
        Assert.InRange(meter.Entropy.Mean!.Value, 0.01, Math.Log(60));
    }

    [Fact]
    public void Accumulate_Adapter_HasTheGradientThatFollowsFromTheWholeWeights()
    {
        // With B = 0, dL/dB = scale · dL/dW · Aᵀ and dL/dA = 0.
        GrpoConfig config = Config with { Lora = new GrpoLora { Rank = 4, Alpha = 8, Targets = ["q_proj", "down_proj"] } };
        ResponseGroup[] groups = MakeGroups(2, 3);
        Dictionary<string, float[]> whole = Gradients(Config, groups, batches: 1);
        using IDisposable scope = NewDisposeScope();
        using Policy policy = MakePolicy(config);
        Dictionary<string, float[]> adapter = Gradients(config, policy, groups, batches: 2);
        Assert.Equal(8, adapter.Count);
        Dictionary<string, Tensor> parameters = policy.Parameters.ToDictionary(item => item.Name, item => item.Tensor);
        foreach (string projection in new[] { "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj" })
        {
            Tensor a = parameters[projection + ".lora_A.weight"].detach();
            Tensor weight = tensor(whole[projection + ".weight"]).view(-1, a.shape[1]);
            float[] expected = weight.matmul(a.t()).mul(2).contiguous().data<float>().ToArray();
            AssertClose(new() { ["B"] = expected }, new() { ["B"] = adapter[projection + ".lora_B.weight"] }, 2e-5);
            Assert.All(adapter[projection + ".lora_A.weight"], value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void ScoreReference_Adapter_IsTheBaseWhateverTheAdapterBecame()
    {
        GrpoConfig config = Config with { Lora = new GrpoLora { Rank = 4, Alpha = 8 } };
        using Policy policy = MakePolicy(config);
        using PolicyUpdater updater = new(config, policy);
        using (no_grad())
        {
            using IDisposable scope = NewDisposeScope();
            foreach ((_, Tensor tensor) in policy.Parameters)
            {
                tensor.add_(0.05);
            }
        }

        ResponseGroup[] groups = MakeGroups(1, 2);
        ResponseBatch batch = ResponseBatch.Split(groups, 10_000)[0];
        updater.ScoreReference(batch);
        updater.ScoreOld(batch);
        using Decoder @base = MakeDecoder(5);
        using AutogradPolicyPass pass = new(@base, recomputes: false);
        float[] expected = pass.Score(batch.Packed, 0.7).LogProbs;
        Assert.Equal(expected, batch.Responses.SelectMany(response => response.Reference!));
        Assert.NotEqual(expected, batch.Responses.SelectMany(response => response.Old!));
    }

    [Fact]
    public void Finish_NonFiniteGradient_LeavesParametersAndOptimizerAlone()
    {
        using Policy policy = MakePolicy(Config);
        using PolicyUpdater updater = new(Config, policy);
        using (no_grad())
        {
            using IDisposable scope = NewDisposeScope();
            policy.Parameters[^1].Tensor[0] = tensor(float.NaN);
        }

        float[] before = policy.Parameters[0].Tensor.data<float>().ToArray();
        ResponseGroup[] groups = MakeGroups(1, 2);
        PolicyUpdater.SetWeights(Config, groups);
        PolicyMeter meter = new();
        updater.Begin();
        updater.Accumulate(ResponseBatch.Split(groups, 10_000)[0], 0.1, meter);
        Assert.False(updater.Finish(1, meter));
        Assert.Equal(before, policy.Parameters[0].Tensor.data<float>().ToArray());
        Assert.Equal(0, updater.Optimizers[0].Updates);
        Assert.Equal(0, meter.Updates);
    }

    [Fact]
    public void Update_ManyTimes_LeavesNoLiveTensorBehind()
    {
        using Policy policy = MakePolicy(Config);
        using PolicyUpdater updater = new(Config, policy);
        ResponseGroup[] groups = MakeGroups(2, 2);
        Once();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 3; i++)
        {
            Once();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Once()
        {
            PolicyUpdater.SetWeights(Config, groups);
            PolicyMeter meter = new();
            updater.Begin();
            foreach (ResponseBatch batch in ResponseBatch.Split(groups, 40))
            {
                updater.ScoreOld(batch);
                updater.ScoreReference(batch);
                updater.Accumulate(batch, 0.1, meter);
            }

            Assert.True(updater.Finish(1, meter));
        }
    }

    [Theory]
    [InlineData(1, new[] { -0.449313, -1.449313, -2.349313, -3.449313 }, 0.960673)]
    [InlineData(0.7, new[] { -0.277379, -1.705951, -2.991665, -4.563094 }, 0.717774)]
    public void TemperedLogProbs_FollowReferenceNumbers(double temperature, double[] expected, double entropy)
    {
        using IDisposable scope = NewDisposeScope();
        Tensor logProbs = PolicyPass.TemperedLogProbs(tensor(new[,] { { 2, 1, 0.1, -1 } }), temperature);
        double[] values = logProbs.data<double>().ToArray();
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], values[i], 6e-7);
        }

        Assert.Equal(entropy, PolicyPass.Entropy(logProbs).item<double>(), 6e-7);
    }

    private static Tensor DenseLogProbs(Decoder decoder, int[] prompt, int[] response, double temperature)
    {
        long[] ids = [.. prompt.Concat(response).Select(id => (long)id)];
        DenseAttention attention = new(DenseAttention.CausalMask(ids.Length, ScalarType.Float32, CPU), 1);
        Tensor hidden = decoder.Forward(tensor(ids), arange(ids.Length, ScalarType.Int64), attention);
        Tensor logits = decoder.Logits(hidden.narrow(0, prompt.Length - 1, response.Length)) / temperature;
        return nn.functional.log_softmax(logits, 1).gather(1, tensor(response.Select(id => (long)id).ToArray()).unsqueeze(1)).squeeze(1);
    }

    private static ResponseGroup[] MakeGroups(int groups, int responses, int promptLength = 20)
    {
        Random random = new(11);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(60))];
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => -5 + (3 * (float)random.NextDouble()))];
        return [.. Enumerable.Range(0, groups).Select(group => new ResponseGroup(
            Ids(promptLength + group),
            [.. Enumerable.Range(0, responses).Select(_ =>
            {
                int length = random.Next(3, 12);
                float[] old = Values(length);
                return new TrainedResponse(Ids(length), [.. old.Select(value => value + (float)(0.2 * (random.NextDouble() - 0.5)))], (2 * random.NextDouble()) - 1)
                {
                    Old = old,
                    Reference = Values(length),
                };
            })]))];
    }

    private static Decoder MakeDecoder(long seed)
    {
        Decoder decoder = RandomWeights.Create(Shape, CPU, ScalarType.Float32, seed, standardDeviation: 0.2);
        foreach ((_, Tensor tensor) in decoder.NamedWeights())
        {
            tensor.requires_grad = true;
        }

        return decoder;
    }

    private static Policy MakePolicy(GrpoConfig config, bool autograd = false, ModelConfig? shape = null, Device? device = null)
    {
        device ??= CPU;
        Decoder decoder = RandomWeights.Create(shape ?? Shape, device, ScalarType.Float32, 5, standardDeviation: 0.2);
        if (config.Lora is not GrpoLora lora)
        {
            return new Policy(config, decoder, RandomWeights.Create(shape ?? Shape, device, ScalarType.Float32, 5, standardDeviation: 0.2), null, autograd);
        }

        LoraAdapter adapter = LoraAdapter.Create(Shape, lora.Rank, lora.Alpha, lora.Targets, 1, device);
        AdapterSelection selection = AdapterLinear.WrapAll(decoder);
        selection.SelectAll(adapter);
        return new Policy(config, decoder, null, (selection, adapter));
    }

    private static Dictionary<string, float[]> Gradients(GrpoConfig config, ResponseGroup[] groups, int batches, Device? device = null)
    {
        using Policy policy = MakePolicy(config, device: device);
        return Gradients(config, policy, groups, batches);
    }

    private static Dictionary<string, float[]> Gradients(GrpoConfig config, Policy policy, ResponseGroup[] groups, int batches)
    {
        using PolicyUpdater updater = new(config, policy);
        PolicyUpdater.SetWeights(config, groups);
        List<ResponseBatch> split = Enumerable.Range(1, 2000).Select(budget => ResponseBatch.Split(groups, budget)).First(split => split.Count <= batches);
        Assert.Equal(batches, split.Count);
        PolicyMeter meter = new();
        updater.Begin();
        foreach (ResponseBatch batch in split)
        {
            updater.Accumulate(batch, config.Loss.KlCoefficient, meter);
        }

        Assert.Equal(groups.Sum(group => group.Responses.Sum(response => response.Tokens.Length)), meter.Tokens);
        return policy.Parameters.ToDictionary(item => item.Name, item => item.Tensor.grad!.cpu().data<float>().ToArray());
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
