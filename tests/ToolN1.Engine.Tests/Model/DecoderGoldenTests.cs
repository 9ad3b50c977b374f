using ToolN1.Engine.Model;
using ToolN1.Engine.Tests.Weights;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Model;

/// <summary>The decoder alone, whole sequences, against float64 reference numbers of the same weights.</summary>
public sealed class DecoderGoldenTests
{
    public static TheoryData<string> Fixtures => [.. GoldenModel.Names];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Forward_Float32_ReproducesReferenceNumbers(string fixture)
    {
        GoldenModel golden = GoldenModel.Load(fixture);
        using Decoder decoder = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.Float32);
        foreach (GoldenCase expected in golden.Cases)
        {
            (float[] logits, float[] logProbs) = Run(decoder, expected.InputIds);
            Assert.InRange(GoldenAssert.LogitError(expected, logits), 0, 2e-4);
            Assert.InRange(GoldenAssert.LogProbError(expected, logProbs), 0, 1e-4);
            Assert.Equal(expected.LastLogitsTop[0].Token, Argmax(logits));
        }
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Forward_Float32Greedy_ContinuesAsTheReference(string fixture)
    {
        GoldenModel golden = GoldenModel.Load(fixture);
        using Decoder decoder = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.Float32);
        foreach (GoldenCase expected in golden.Cases)
        {
            List<int> ids = [.. expected.InputIds];
            foreach (int token in expected.Greedy)
            {
                int next = Argmax(Run(decoder, [.. ids]).Logits);
                Assert.Equal(token, next);
                ids.Add(next);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Forward_BFloat16_StaysWithinItsRounding(string fixture)
    {
        GoldenModel golden = GoldenModel.Load(fixture);
        using Decoder decoder = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.BFloat16);
        foreach (GoldenCase expected in golden.Cases)
        {
            // bf16 keeps 8 bits: each of the roughly dozen roundings on a token's path errs by up to 2^-9 of its value, and
            // a log-probability is a difference of logits, so both are measured against the size of the logits.
            (float[] logits, float[] logProbs) = Run(decoder, expected.InputIds);
            Assert.InRange(GoldenAssert.LogitError(expected, logits), 0, 0.04);
            Assert.InRange(GoldenAssert.LogProbError(expected, logProbs) / expected.LastLogitsTop[0].Logit, 0, 0.06);
        }
    }

    [Theory]
    [InlineData("qwen2-tiny")]
    [InlineData("qwen3-tiny")]
    [InlineData("llama3-tiny")]
    public void Forward_Float16OnDisk_IsReadToTheBitAndStaysWithinItsRounding(string fixture)
    {
        GoldenModel golden = GoldenModel.Load(fixture);
        using CheckpointFolder folder = new(fixture);
        using Decoder full = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.Float32);
        SafetensorsWriter.Write(folder.Weights, [.. full.NamedWeights()], ScalarType.Float16);
        using (SafetensorsFile file = SafetensorsFile.Open(folder.Weights))
        {
            Assert.All(file.Entries, entry => Assert.Equal((ScalarType.Float16, entry.ElementCount * 2), (entry.DType, entry.ByteCount)));
        }

        // 1. Every weight is the half nearest to the original, as .NET rounds it.
        using Decoder half = CheckpointLoader.Load(folder.Path, CPU, ScalarType.Float32);
        foreach ((string name, Tensor tensor) in half.NamedWeights())
        {
            float[] original = full.NamedWeights().Single(item => item.Name == name).Tensor.data<float>().ToArray();
            Assert.Equal(Array.ConvertAll(original, value => (float)(Half)value), tensor.data<float>().ToArray());
        }

        // 2. A half keeps 11 bits, three more than bf16: its logits err by an eighth of what bf16's may.
        foreach (GoldenCase expected in golden.Cases)
        {
            (float[] logits, float[] logProbs) = Run(half, expected.InputIds);
            Assert.InRange(GoldenAssert.LogitError(expected, logits), 0, 0.04 / 8);
            Assert.InRange(GoldenAssert.LogProbError(expected, logProbs) / expected.LastLogitsTop[0].Logit, 0, 0.06 / 8);
        }
    }

    [Fact]
    public void Forward_ManyRows_EqualsEachAlone()
    {
        GoldenModel golden = GoldenModel.Load("qwen2-tiny");
        using Decoder decoder = CheckpointLoader.Load(golden.Folder, CPU, ScalarType.Float32);
        int[] ids = golden.Cases[^1].InputIds;
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        Tensor input = tensor(ids[..120].Select(id => (long)id).ToArray());
        Tensor together = decoder.Forward(input, arange(40, ScalarType.Int64).repeat(3), new DenseAttention(DenseAttention.CausalMask(40, ScalarType.Float32, CPU), 3));
        for (int row = 0; row < 3; row++)
        {
            Tensor alone = decoder.Forward(input.narrow(0, row * 40, 40), arange(40, ScalarType.Int64), new DenseAttention(DenseAttention.CausalMask(40, ScalarType.Float32, CPU), 1));
            Assert.True(together.narrow(0, row * 40, 40).allclose(alone, 1e-4, 1e-5));
        }
    }

    private static (float[] Logits, float[] LogProbs) Run(Decoder decoder, int[] ids)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        Tensor input = tensor(ids.Select(id => (long)id).ToArray());
        DenseAttention attention = new(DenseAttention.CausalMask(ids.Length, decoder.DType, CPU), 1);
        Tensor logits = decoder.Logits(decoder.Forward(input, arange(ids.Length, ScalarType.Int64), attention));
        Tensor next = input.narrow(0, 1, ids.Length - 1).unsqueeze(1);
        Tensor logProbs = nn.functional.log_softmax(logits.narrow(0, 0, ids.Length - 1), 1).gather(1, next).squeeze(1);
        return (logits[-1].data<float>().ToArray(), logProbs.data<float>().ToArray());
    }

    private static int Argmax(float[] logits) => Array.IndexOf(logits, logits.Max());
}
