using ToolN1.Engine.Sampling;

namespace ToolN1.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    private static readonly float[] Four = [2, 1, 0.1f, -1];

    // Probabilities .5, .3, .15, .05.
    private static readonly float[] Shares = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.15f), MathF.Log(0.05f)];

    private static SamplerState State(SamplingParameters parameters, int[]? prompt = null, int[]? eos = null, long seed = 7)
    {
        parameters.Validate();
        return new SamplerState(parameters, prompt ?? [0], eos ?? [], seed);
    }

    private static int Choose(float[] logits, SamplerState state) => new Sampler().Sample([.. logits], state).TokenId;

    private static double[] Frequencies(float[] logits, SamplingParameters parameters, int draws = 20_000)
    {
        SamplerState state = State(parameters);
        Sampler sampler = new();
        double[] counts = new double[logits.Length];
        for (int i = 0; i < draws; i++)
        {
            counts[sampler.Sample([.. logits], state).TokenId]++;
        }

        return [.. counts.Select(count => count / draws)];
    }

    private static double[] Softmax(float[] logits, double temperature)
    {
        double[] weights = [.. logits.Select(logit => Math.Exp(logit / temperature))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    [Fact]
    public void Sample_TemperatureZero_TakesTheLargestAndTheLowestIdAmongEquals()
    {
        Assert.Equal(2, Choose([0, 1, 5, 5, 3], State(SamplingParameters.Greedy)));
    }

    [Theory]
    [InlineData(1e-39f, 5, 0.5f, 0f)]
    [InlineData(1e-39f, 0, 1f, 0f)]
    [InlineData(1e-39f, 0, 0.5f, 0f)]
    [InlineData(1e-39f, 0, 1f, 0.1f)]
    [InlineData(float.Epsilon, 2, 0.5f, 0f)]
    [InlineData(1e-37f, 5, 0.5f, 0f)]
    public void Sample_TemperatureTooSmallForAReciprocal_TakesTheLargest(float temperature, int topK, float topP, float minP)
    {
        SamplingParameters parameters = new()
        {
            Temperature = temperature,
            TopK = topK,
            TopP = topP,
            MinP = minP,
            TopLogProbs = 2,
            TemperedLogProbs = true,
        };
        float[] logits = [.. Enumerable.Range(0, 40).Select(i => i == 17 ? 50f : i)];
        SampledToken token = new Sampler().Sample([.. logits], State(parameters));
        Assert.Equal((17, 0f), (token.TokenId, token.LogProb!.LogProb));
        Assert.Equal(0f, new Sampler().LogProbOf(logits, 17, 0, temperature).LogProb);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Sample_RepetitionPenaltyThatOverflows_TakesTheTokenItFavours(float temperature)
    {
        SamplingParameters parameters = new() { Temperature = temperature, RepetitionPenalty = 1e-39f };
        Assert.Equal(1, Choose(Four, State(parameters, prompt: [1])));
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(0.5f)]
    [InlineData(2f)]
    public void Sample_Temperature_FollowsTheTemperedDistribution(float temperature)
    {
        double[] seen = Frequencies(Four, new SamplingParameters { Temperature = temperature });
        double[] expected = Softmax(Four, temperature);
        for (int i = 0; i < seen.Length; i++)
        {
            Assert.Equal(expected[i], seen[i], 0.015);
        }
    }

    [Fact]
    public void Sample_LargeVocabulary_FollowsTheDistribution()
    {
        float[] logits = new float[10_007];
        Array.Fill(logits, -20);
        logits[4095] = 3;
        logits[4096] = 3;
        logits[10_006] = 3;
        double[] seen = Frequencies(logits, new SamplingParameters(), draws: 3000);
        Assert.Equal(1 / 3.0, seen[4095], 0.04);
        Assert.Equal(1 / 3.0, seen[4096], 0.04);
        Assert.Equal(1 / 3.0, seen[10_006], 0.04);
    }

    [Fact]
    public void Sample_TopK_NeverLeavesTheKLikeliest()
    {
        double[] seen = Frequencies([1, 4, 2, 3, 1], new SamplingParameters { TopK = 2 });
        double[] expected = Softmax([4, 3], 1);
        Assert.Equal([0, expected[0], 0, expected[1], 0], seen, (a, b) => Math.Abs(a - b) < 0.015);
    }

    [Fact]
    public void Sample_TopP_KeepsTheSmallestSetThatReachesIt()
    {
        // 0.79 needs two of them, 0.81 three.
        double[] two = Frequencies(Shares, new SamplingParameters { TopP = 0.79f });
        double[] three = Frequencies(Shares, new SamplingParameters { TopP = 0.81f });
        Assert.Equal([0.625, 0.375, 0, 0], two, (a, b) => Math.Abs(a - b) < 0.015);
        Assert.Equal([0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0], three, (a, b) => Math.Abs(a - b) < 0.015);
    }

    [Fact]
    public void Sample_TopPOfAFlatLargeVocabulary_StillReachesTheWholeNucleus()
    {
        float[] logits = new float[2000];
        HashSet<int> seen = [];
        SamplerState state = State(new SamplingParameters { TopP = 0.5f });
        Sampler sampler = new();
        for (int i = 0; i < 4000; i++)
        {
            seen.Add(sampler.Sample([.. logits], state).TokenId);
        }

        Assert.InRange(seen.Count, 800, 1000);
        Assert.All(seen, id => Assert.InRange(id, 0, 1000));
    }

    [Fact]
    public void Sample_MinP_DropsTokensBelowTheFractionOfTheLikeliest()
    {
        double[] seen = Frequencies(Shares, new SamplingParameters { MinP = 0.4f });
        Assert.Equal([0.625, 0.375, 0, 0], seen, (a, b) => Math.Abs(a - b) < 0.015);
    }

    [Fact]
    public void Sample_TopKThenTopP_AppliesTopPToWhatTopKLeft()
    {
        // Of the top two the first has 0.625: enough for 0.6 only because the share is of those two.
        double[] seen = Frequencies(Shares, new SamplingParameters { TopK = 2, TopP = 0.6f }, draws: 500);
        Assert.Equal(1, seen[0]);
    }

    [Fact]
    public void Sample_Penalties_FollowTheOpenAiAndHuggingFaceMeanings()
    {
        // Id 1 was generated twice, id 2 is in the prompt only, ids 0 and 3 nowhere.
        SamplerState state = State(
            new SamplingParameters { Temperature = 0, PresencePenalty = 0.5f, FrequencyPenalty = 0.25f, RepetitionPenalty = 2, TemperedLogProbs = true, TopLogProbs = 4 },
            prompt: [2]);
        state.Record(1);
        state.Record(1);
        SampledToken token = new Sampler().Sample([1, 4, -1, 0.5f], state);

        // 1: 4 / 2 − 2·0.25 − 0.5 = 1; 2: −1·2 = −2.
        double[] expected = Softmax([1, 1, -2, 0.5f], 1);
        Assert.Equal(0, token.TokenId);
        Assert.Equal([0, 1, 3, 2], token.LogProb!.Top.Select(top => top.TokenId));
        Assert.Equal(Math.Log(expected[2]), token.LogProb.Top[3].LogProb, 1e-5);
    }

    [Fact]
    public void Sample_LogitBias_IsAddedAndDoesNotTouchRawLogProbs()
    {
        SamplerState state = State(new SamplingParameters
        {
            Temperature = 0,
            TopLogProbs = 2,
            LogitBias = new Dictionary<int, float> { [3] = 100 },
        });
        SampledToken token = new Sampler().Sample([.. Four], state);
        Assert.Equal(3, token.TokenId);
        Assert.Equal(-3.449313f, token.LogProb!.LogProb, 1e-5f);
        Assert.Equal([0, 1], token.LogProb.Top.Select(top => top.TokenId));
        Assert.Equal(-0.449313f, token.LogProb.Top[0].LogProb, 1e-5f);
    }

    [Fact]
    public void Sample_TemperedLogProbs_AreOfTheDistributionAfterTemperature()
    {
        SamplerState state = State(new SamplingParameters { Temperature = 0.7f, TopLogProbs = 4, TemperedLogProbs = true });
        SampledToken token = new Sampler().Sample([.. Four], state);
        Assert.Equal(
            [-0.277379f, -1.705951f, -2.991665f, -4.563094f],
            token.LogProb!.Top.Select(top => top.LogProb),
            (a, b) => Math.Abs(a - b) < 2e-6f);
        Assert.Equal(token.LogProb.Top.Single(top => top.TokenId == token.TokenId).LogProb, token.LogProb.LogProb);
    }

    [Fact]
    public void Sample_MinimumNotReached_NeverChoosesAStopId()
    {
        SamplerState state = State(new SamplingParameters { Temperature = 0, MinNewTokens = 1, StopTokenIds = [1] }, eos: [0]);
        Assert.Equal(2, Choose(Four, state));
        state.Record(2);
        Assert.Equal(0, Choose(Four, state));
    }

    [Fact]
    public void IsStop_IgnoredEndOfSequence_StillStopsAtStopIds()
    {
        SamplerState state = State(new SamplingParameters { IgnoreEndOfSequence = true, StopTokenIds = [5] }, eos: [8, 9]);
        Assert.False(state.IsStop(8));
        Assert.True(state.IsStop(5));
        Assert.True(State(new SamplingParameters(), eos: [8, 9]).IsStop(9));
    }

    [Fact]
    public void Sample_SameSeed_GivesTheSameTokens()
    {
        float[] logits = [.. Enumerable.Range(0, 5000).Select(i => MathF.Sin(i * 12.9898f) * 4)];
        SamplingParameters parameters = new() { TopP = 0.9f };
        int[] Run(long seed)
        {
            SamplerState state = State(parameters, seed: seed);
            return [.. Enumerable.Range(0, 20).Select(_ => Choose(logits, state))];
        }

        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Theory]
    [InlineData(float.NaN, 17)]
    [InlineData(float.NaN, 0)]
    [InlineData(float.NaN, 39)]
    [InlineData(float.PositiveInfinity, 17)]
    public void Sample_NonFiniteLogit_IsAnErrorWhereverItStands(float bad, int at)
    {
        float[] logits = [.. Enumerable.Range(0, 40).Select(i => (float)i)];
        logits[at] = bad;
        Assert.Throws<NonFiniteLogitsException>(() => Choose(logits, State(new SamplingParameters())));
        Assert.Throws<NonFiniteLogitsException>(() => Choose(logits, State(SamplingParameters.Greedy)));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Sample_EveryLogitMinusInfinity_IsAnErrorAndOneThatIsNotIsChosen(float temperature)
    {
        float[] logits = new float[40];
        Array.Fill(logits, float.NegativeInfinity);
        SamplingParameters parameters = new() { Temperature = temperature, TopK = 5, TopLogProbs = 3 };
        Assert.Throws<NonFiniteLogitsException>(() => Choose(logits, State(parameters)));

        logits[23] = -50;
        SampledToken token = new Sampler().Sample([.. logits], State(parameters));
        Assert.Equal((23, 0f), (token.TokenId, token.LogProb!.LogProb));
        Assert.Equal([(23, 0f)], token.LogProb.Top);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    public void Sample_TopKOfTheVocabularyOrMore_CutsNothingOff(int topK)
    {
        double[] seen = Frequencies(Four, new SamplingParameters { TopK = topK });
        Assert.Equal(Softmax(Four, 1), seen, (a, b) => Math.Abs(a - b) < 0.015);
    }

    [Fact]
    public void Sample_SmallestTopP_TakesTheLikeliest() =>
        Assert.Equal([1, 0, 0, 0], Frequencies(Shares, new SamplingParameters { TopP = float.Epsilon }, draws: 200));

    [Fact]
    public void Sample_FrequencyAndPresencePenalty_CountTheAnswerOnly()
    {
        SamplingParameters parameters = new() { Temperature = 0, FrequencyPenalty = 2, PresencePenalty = 2 };
        Assert.Equal(0, Choose(Four, State(parameters, prompt: [0, 0, 0])));
    }

    [Theory]
    [InlineData(nameof(SamplingParameters.Temperature), float.NaN)]
    [InlineData(nameof(SamplingParameters.Temperature), 2.1f)]
    [InlineData(nameof(SamplingParameters.TopP), 0f)]
    [InlineData(nameof(SamplingParameters.TopP), 1.1f)]
    [InlineData(nameof(SamplingParameters.MinP), 1.1f)]
    [InlineData(nameof(SamplingParameters.RepetitionPenalty), 0f)]
    [InlineData(nameof(SamplingParameters.RepetitionPenalty), float.PositiveInfinity)]
    [InlineData(nameof(SamplingParameters.PresencePenalty), -2.1f)]
    [InlineData(nameof(SamplingParameters.FrequencyPenalty), float.NaN)]
    [InlineData(nameof(SamplingParameters.LogitBias), 100.5f)]
    [InlineData(nameof(SamplingParameters.LogitBias), float.NaN)]
    public void Validate_ValueOutOfRange_NamesTheProperty(string property, float value)
    {
        SamplingParameters parameters = property switch
        {
            nameof(SamplingParameters.Temperature) => new() { Temperature = value },
            nameof(SamplingParameters.TopP) => new() { TopP = value },
            nameof(SamplingParameters.MinP) => new() { MinP = value },
            nameof(SamplingParameters.RepetitionPenalty) => new() { RepetitionPenalty = value },
            nameof(SamplingParameters.PresencePenalty) => new() { PresencePenalty = value },
            nameof(SamplingParameters.FrequencyPenalty) => new() { FrequencyPenalty = value },
            _ => new() { LogitBias = new Dictionary<int, float> { [1] = value } },
        };
        Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(parameters.Validate).ParamName);
    }

    [Fact]
    public void LogProbOf_LargeLogits_DoesNotOverflow()
    {
        TokenLogProb logProb = new Sampler().LogProbOf([1000, 999, -1000], 1, 2);
        Assert.Equal(-1.3132617f, logProb.LogProb, 1e-5f);
        Assert.Equal([(0, -0.31326166f), (1, -1.3132617f)], logProb.Top, (a, b) => a.Item1 == b.Item1 && Math.Abs(a.Item2 - b.Item2) < 1e-5f);
    }

    [Fact]
    public void NextUInt64_SeedZero_MatchesTheReferenceAlgorithm()
    {
        // First outputs of xoshiro256** from the state that SplitMix64 makes of seed 0.
        Xoshiro256 generator = new(0);
        Assert.Equal([0x99EC5F36CB75F2B4UL, 0xBF6E1F784956452AUL, 0x1A5F849D4933E6E0UL], [generator.NextUInt64(), generator.NextUInt64(), generator.NextUInt64()]);
    }

    [Theory]
    [InlineData(0f, 0, 1f, 0f)]
    [InlineData(1f, 1, 1f, 0f)]
    [InlineData(1f, 0, 0.01f, 0f)]
    [InlineData(1f, 0, 1f, 0.99f)]
    public void Sample_Constraint_LeavesOnlyWhatItAllowsBeforeAnyTruncation(float temperature, int topK, float topP, float minP)
    {
        // The likeliest, 0 and 1, are not allowed.
        SamplerState state = State(new SamplingParameters { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP });
        Assert.Equal(2, new Sampler().Sample([.. Four], state, [0b1100]).TokenId);
    }

    [Fact]
    public void Sample_Constraint_LogProbsStayTheModelsOwn()
    {
        SamplerState state = State(new SamplingParameters { Temperature = 0, TopLogProbs = 2 });
        SampledToken token = new Sampler().Sample([.. Four], state, [0b1000]);
        double[] shares = Softmax(Four, 1);
        Assert.Equal(3, token.TokenId);
        Assert.Equal(Math.Log(shares[3]), token.LogProb!.LogProb, 1e-5);
        Assert.Equal([0, 1], token.LogProb.Top.Select(top => top.TokenId));
    }

    [Fact]
    public void Sample_ConstraintAndTemperedLogProbs_AreOfWhatWasSampledFrom()
    {
        SamplerState state = State(new SamplingParameters { Temperature = 0.5f, TopLogProbs = 4, TemperedLogProbs = true });
        SampledToken token = new Sampler().Sample([.. Four], state, [0b0001]);
        Assert.Equal((0, 0f), (token.TokenId, token.LogProb!.LogProb));
        Assert.Equal([(0, 0f)], token.LogProb.Top);
    }

    [Fact]
    public void Sample_ConstraintAllowsOnlyTheEnd_MinimumLengthYields()
    {
        SamplerState state = State(new SamplingParameters { Temperature = 0, MinNewTokens = 5 }, eos: [1]);
        Assert.Equal(1, new Sampler().Sample([.. Four], state, [0b0010]).TokenId);
        Assert.Equal(3, new Sampler().Sample([.. Four], state, [0b1010]).TokenId);
    }

    [Fact]
    public void Sample_ConstraintAllowsNothing_Fails() =>
        Assert.Throws<NonFiniteLogitsException>(() => new Sampler().Sample([.. Four], State(SamplingParameters.Greedy), [0]));

    [Fact]
    public void Sample_ConstraintNarrowerThanTheLogits_ForbidsTheRest()
    {
        float[] logits = new float[200];
        logits[199] = 10;
        SamplerState state = State(SamplingParameters.Greedy);
        Assert.Equal(70, new Sampler().Sample(logits, state, [0, 1UL << 6]).TokenId);
    }
}
