using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
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
    // The most that may be asked for: what the reference ranks among its sixteen may rank a little lower here.
    private const int Top = 20;

    // Of the reference's sixteen, how many must be among those in bf16, whose rounding reorders near ones.
    private const int LeastBFloat16 = 12;

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

    [Theory]
    [MemberData(nameof(BFloat16Variants))]
    public async Task Generate_BFloat16Alone_StaysWithinItsRounding(string fixture, string? kernel, int maxBatchedTokens)
    {
        await using InferenceEngine engine = Start(
            fixture, ScalarType.BFloat16, kernel is null, Options(maxBatchedTokens), kernel is null ? null : PanelKernels.Get(kernel));
        foreach (GoldenCase golden in GoldenModel.Load(fixture).Cases)
        {
            AssertBFloat16(golden, await Run(engine, Request(golden.InputIds, 1, Scored, promptLogProbs: 0)));
        }
    }

    [Theory]
    [MemberData(nameof(BFloat16Variants))]
    public void Decode_BFloat16AlongTheReference_StaysWithinItsRounding(string fixture, string? kernel, int maxBatchedTokens)
    {
        PanelKernel? panel = kernel is null ? null : PanelKernels.Get(kernel);
        (ModelRunner runner, EnginePlan plan) = StartRunner(fixture, ScalarType.BFloat16, kernel is null, Options(maxBatchedTokens), panel);
        using (runner)
        {
            // Half of each input is the prompt; its other half and the reference's greedy tokens are fed, one a step.
            GoldenModel model = GoldenModel.Load(fixture);
            int vocabulary = ModelConfig.Load(model.Folder).VocabularySize;
            (GoldenCase Golden, int[] Prompt, int[] Then)[] cases = [.. model.Cases.Select(golden =>
            {
                int prompt = (golden.InputIds.Length + 1) / 2;
                return (golden, golden.InputIds[..prompt], golden.InputIds[prompt..].Concat(golden.Greedy).ToArray());
            })];

            // 1. Each alone.
            foreach ((GoldenCase golden, int[] prompt, int[] then) in cases)
            {
                ForcedDecoding.Fed alone = ForcedDecoding.Run(runner, plan, vocabulary, [(prompt, then)]);
                AssertDecoded(golden, prompt.Length, alone.Scores[0], vocabulary);
            }

            // 2. All together.
            ForcedDecoding.Fed together = ForcedDecoding.Run(runner, plan, vocabulary, [.. cases.Select(item => (item.Prompt, item.Then))]);
            Assert.True(together.MostTogether > 1);
            foreach (((GoldenCase golden, int[] prompt, _), int i) in cases.Select((item, i) => (item, i)))
            {
                AssertDecoded(golden, prompt.Length, together.Scores[i], vocabulary);
            }
        }
    }

    [Fact]
    public void LogitDifference_OfTooFewTokens_IsNoComparison()
    {
        GoldenCase golden = GoldenModel.Load("qwen2-tiny").Cases[0];
        (int first, _) = golden.LastLogitsTop[0];
        TokenLogProb onlyTheFirst = new(first, -0.1f, [(first, -0.1f), .. Enumerable.Range(0, 15).Select(i => (2000 + i, -9f))]);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => LogitDifferenceError(golden, onlyTheFirst, 2));
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
            AssertBFloat16(cases[i], generated[i]);
        }
    }

    // The bounds of the decoder's own test: a share of the size of the logits.
    private static void AssertBFloat16(GoldenCase golden, Generated generated)
    {
        double size = golden.LastLogitsTop[0].Logit;
        Assert.InRange(LogitDifferenceError(golden, generated.LogProbs[0], LeastBFloat16) / size, 0, 0.04);
        Assert.InRange(GoldenAssert.LogProbError(golden, PromptLogProbs(generated)) / size, 0, 0.06);
    }

    /// <summary>Holds what was decoded against the reference: the input's own tokens, its last position, and the greedy tokens after it.</summary>
    private static void AssertDecoded(GoldenCase golden, int prompt, IReadOnlyList<IReadOnlyDictionary<int, float>> scores, int vocabulary)
    {
        double size = golden.LastLogitsTop[0].Logit;
        Assert.Equal(golden.InputIds.Length - prompt + golden.Greedy.Length + 1, scores.Count);
        Assert.All(scores, step => Assert.Equal(vocabulary, step.Count));

        // 1. Log-probabilities of the input's tokens that were fed.
        int last = golden.InputIds.Length - prompt;
        for (int i = 0; i < last; i++)
        {
            int token = prompt + i;
            Assert.InRange(Math.Abs(scores[i][golden.InputIds[token]] - golden.NextLogProbs[token - 1]) / size, 0, 0.06);
        }

        // 2. The last position's logits, all sixteen of them.
        TokenLogProb top = new(golden.LastLogitsTop[0].Token, 0, [.. scores[last].Select(pair => (pair.Key, pair.Value))]);
        Assert.InRange(LogitDifferenceError(golden, top, golden.LastLogitsTop.Count) / size, 0, 0.04);

        // 3. What the reference chose next is the likeliest, or as likely as rounding lets it be.
        for (int i = 0; i < golden.Greedy.Length; i++)
        {
            Assert.InRange((scores[last + i].Values.Max() - scores[last + i][golden.Greedy[i]]) / size, 0, 0.06);
        }
    }

    private static void AssertFloat32(GoldenCase golden, Generated generated)
    {
        Assert.Equal(golden.Greedy, generated.Tokens);
        Assert.InRange(GoldenAssert.LogProbError(golden, PromptLogProbs(generated)), 0, 1e-4);
        Assert.InRange(LogitDifferenceError(golden, generated.LogProbs[0], golden.LastLogitsTop.Count) / golden.LastLogitsTop[0].Logit, 0, 2e-4);
    }

    private static float[] PromptLogProbs(Generated generated)
    {
        Assert.Null(generated.PromptLogProbs![0]);
        return [.. generated.PromptLogProbs.Skip(1).Select(logProb => logProb!.LogProb)];
    }

    // The engine gives log-probabilities; differences between them are differences between logits. The first is compared with
    // itself, so that the others are what says anything: at least so many of the sixteen must be among those seen.
    private static double LogitDifferenceError(GoldenCase golden, TokenLogProb logProb, int least)
    {
        double error = 0;
        Dictionary<int, float> seen = logProb.Top.ToDictionary(top => top.TokenId, top => top.LogProb);
        (int first, double firstLogit) = golden.LastLogitsTop[0];
        (int Token, double Logit)[] compared = [.. golden.LastLogitsTop.Where(pair => seen.ContainsKey(pair.Token))];
        Assert.InRange(compared.Length, least, golden.LastLogitsTop.Count);
        foreach ((int token, double logit) in compared)
        {
            error = Math.Max(error, Math.Abs(seen[token] - seen[first] - (logit - firstLogit)));
        }

        return error;
    }
}
