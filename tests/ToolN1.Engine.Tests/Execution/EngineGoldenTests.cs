using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tests.Kernels;
using ToolN1.TestSupport;
using static ToolN1.Engine.Tests.Execution.EngineHarness;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>
/// The fixtures through the whole engine against float64 reference numbers: prompts in one piece and in chunks, decode over
/// the paged cache, alone and among others, with every attention backend.
/// </summary>
public sealed class EngineGoldenTests
{
    private const int Top = 16;

    public static TheoryData<string, string, int> Variants
    {
        get
        {
            TheoryData<string, string, int> data = [];
            foreach (string fixture in GoldenModel.Names)
            {
                foreach (string backend in (string[])["own", "reference", "batched"])
                {
                    data.Add(fixture, backend, 512);
                    data.Add(fixture, backend, 19);
                }
            }

            return data;
        }
    }

    public static TheoryData<string, int> GpuVariants
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (string fixture in GoldenModel.Names)
            {
                data.Add(fixture, 512);
                data.Add(fixture, 19);
            }

            return data;
        }
    }

    public static TheoryData<string, string?, int> BFloat16Variants
    {
        get
        {
            TheoryData<string, string?, int> data = [];
            foreach (string fixture in GoldenModel.Names)
            {
                foreach (string? kernel in (string?[])[null, .. PanelKernels.BFloat16])
                {
                    data.Add(fixture, kernel, 512);
                    data.Add(fixture, kernel, 19);
                }
            }

            return data;
        }
    }

    private static SamplingParameters Scored => SamplingParameters.Greedy with { TopLogProbs = Top, IgnoreEndOfSequence = true };

    private static EngineOptions Options(int maxBatchedTokens) =>
        new() { MaxBatchedTokens = maxBatchedTokens, MaxSequences = 8, BlockSize = 8, KvCacheMiB = 8 };

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Generate_Float32Alone_ReproducesReferenceNumbers(string fixture, string backend, int maxBatchedTokens)
    {
        await using InferenceEngine engine = StartWith(fixture, backend, maxBatchedTokens);
        await AssertFloat32Alone(fixture, engine);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Generate_Float32AmongOthers_ReproducesReferenceNumbers(string fixture, string backend, int maxBatchedTokens)
    {
        await using InferenceEngine engine = StartWith(fixture, backend, maxBatchedTokens);
        await AssertFloat32Together(fixture, engine);
    }

    [Theory]
    [Trait("Device", "gpu")]
    [MemberData(nameof(GpuVariants))]
    public async Task Generate_Float32OnAGpu_ReproducesReferenceNumbers(string fixture, int maxBatchedTokens)
    {
        Assert.SkipUnless(cuda.is_available(), "There is no GPU here.");
        await using InferenceEngine engine = StartOnGpu(fixture, ScalarType.Float32, Options(maxBatchedTokens));
        await AssertFloat32Alone(fixture, engine);
        await AssertFloat32Together(fixture, engine);
    }

    [Theory]
    [Trait("Device", "gpu")]
    [MemberData(nameof(GpuVariants))]
    public async Task Generate_BFloat16OnAGpu_StaysWithinItsRounding(string fixture, int maxBatchedTokens)
    {
        Assert.SkipUnless(cuda.is_available(), "There is no GPU here.");
        await using InferenceEngine engine = StartOnGpu(fixture, ScalarType.BFloat16, Options(maxBatchedTokens));
        await AssertBFloat16Together(fixture, engine);
    }

    [Theory]
    [MemberData(nameof(BFloat16Variants))]
    public async Task Generate_BFloat16AmongOthers_StaysWithinItsRounding(string fixture, string? kernel, int maxBatchedTokens)
    {
        await using InferenceEngine engine = Start(
            fixture, ScalarType.BFloat16, kernel is null, Options(maxBatchedTokens), kernel is null ? null : PanelKernels.Get(kernel));
        await AssertBFloat16Together(fixture, engine);
    }

    private static InferenceEngine StartWith(string fixture, string backend, int maxBatchedTokens) => Start(
        fixture, ScalarType.Float32, backend != "own", Options(maxBatchedTokens), attention: backend == "batched" ? new BatchedPagedAttention() : null);

    private static async Task AssertFloat32Alone(string fixture, InferenceEngine engine)
    {
        foreach (GoldenCase golden in GoldenModel.Load(fixture).Cases)
        {
            AssertFloat32(golden, await Run(engine, Request(golden.InputIds, golden.Greedy.Length, Scored, promptLogProbs: 0)));
        }
    }

    private static async Task AssertFloat32Together(string fixture, InferenceEngine engine)
    {
        GoldenCase[] cases = [.. GoldenModel.Load(fixture).Cases];
        Generated[] generated = await Task.WhenAll(
            cases.Select(golden => Run(engine, Request(golden.InputIds, golden.Greedy.Length, Scored, promptLogProbs: 0))));
        for (int i = 0; i < cases.Length; i++)
        {
            AssertFloat32(cases[i], generated[i]);
        }
    }

    private static async Task AssertBFloat16Together(string fixture, InferenceEngine engine)
    {
        GoldenCase[] cases = [.. GoldenModel.Load(fixture).Cases];
        Generated[] generated = await Task.WhenAll(
            cases.Select(golden => Run(engine, Request(golden.InputIds, 1, Scored, promptLogProbs: 0))));
        for (int i = 0; i < cases.Length; i++)
        {
            // The bounds of the decoder's own test: a share of the size of the logits.
            double size = cases[i].LastLogitsTop[0].Logit;
            Assert.InRange(LogitDifferenceError(cases[i], generated[i].LogProbs[0]) / size, 0, 0.04);
            Assert.InRange(GoldenAssert.LogProbError(cases[i], PromptLogProbs(generated[i])) / size, 0, 0.06);
        }
    }

    private static void AssertFloat32(GoldenCase golden, Generated generated)
    {
        Assert.Equal(golden.Greedy, generated.Tokens);
        Assert.InRange(GoldenAssert.LogProbError(golden, PromptLogProbs(generated)), 0, 1e-4);
        Assert.InRange(LogitDifferenceError(golden, generated.LogProbs[0]) / golden.LastLogitsTop[0].Logit, 0, 2e-4);
    }

    private static float[] PromptLogProbs(Generated generated)
    {
        Assert.Null(generated.PromptLogProbs![0]);
        return [.. generated.PromptLogProbs.Skip(1).Select(logProb => logProb!.LogProb)];
    }

    // The engine gives log-probabilities; differences between them are differences between logits.
    private static double LogitDifferenceError(GoldenCase golden, TokenLogProb logProb)
    {
        double error = 0;
        Dictionary<int, float> seen = logProb.Top.ToDictionary(top => top.TokenId, top => top.LogProb);
        (int first, double firstLogit) = golden.LastLogitsTop[0];
        foreach ((int token, double logit) in golden.LastLogitsTop.Where(pair => seen.ContainsKey(pair.Token)))
        {
            error = Math.Max(error, Math.Abs(seen[token] - seen[first] - (logit - firstLogit)));
        }

        return error;
    }
}
