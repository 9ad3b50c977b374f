using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Tests.Rewards;

public sealed class RewardPoolTests
{
    private static readonly RewardSample Sample = new("text", new TrainingRow { Tools = [], Messages = [new ChatMessage { Role = ChatRole.User, Content = "x" }], Answer = [] });

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Score_Works_GivesTheScore()
    {
        using RewardPool pool = new(new Reward(_ => 0.5), 2, TimeSpan.FromSeconds(30));
        RewardOutcome outcome = await pool.ScoreAsync(Sample, None);
        Assert.Equal((0.5, null), (outcome.Score!.Total, outcome.Failure));
    }

    [Fact]
    public async Task Score_Throws_LeavesTheSampleUnscored()
    {
        using RewardPool pool = new(new Reward(_ => throw new InvalidOperationException("broken")), 2, TimeSpan.FromSeconds(30));
        RewardOutcome outcome = await pool.ScoreAsync(Sample, None);
        Assert.Equal((null, "broken"), (outcome.Score, outcome.Failure));
    }

    [Fact]
    public async Task Score_NotFinite_LeavesTheSampleUnscored()
    {
        using RewardPool pool = new(new Reward(_ => double.NaN), 2, TimeSpan.FromSeconds(30));
        Assert.Equal("not_finite", (await pool.ScoreAsync(Sample, None)).Failure);
    }

    [Fact]
    public async Task Score_Hangs_IsGivenUpAndTheNextOneStillScored()
    {
        using ManualResetEventSlim hang = new();
        int calls = 0;
        using RewardPool pool = new(new Reward(_ =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                hang.Wait(None);
            }

            return 1;
        }), 1, TimeSpan.FromMilliseconds(200));
        Assert.Equal("timeout", (await pool.ScoreAsync(Sample, None)).Failure);
        using RewardPool patient = new(new Reward(_ => 1), 1, TimeSpan.FromSeconds(30));
        Assert.Equal(1, (await patient.ScoreAsync(Sample, None)).Score!.Total);
        hang.Set();
    }

    [Fact]
    public async Task Score_TooManyHang_FailsAtOnceInsteadOfTakingMoreThreads()
    {
        using ManualResetEventSlim hang = new();
        using RewardPool pool = new(new Reward(_ =>
        {
            hang.Wait(None);
            return 1;
        }), RewardPool.MaxAbandoned, TimeSpan.FromMilliseconds(100));
        await Task.WhenAll(Enumerable.Range(0, RewardPool.MaxAbandoned).Select(_ => pool.ScoreAsync(Sample, None)));
        Assert.Contains("still running", (await pool.ScoreAsync(Sample, None)).Failure, StringComparison.Ordinal);
        hang.Set();
    }

    [Fact]
    public async Task Score_Cancelled_Throws()
    {
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        using RewardPool pool = new(new Reward(_ => 1), 1, TimeSpan.FromSeconds(30));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.ScoreAsync(Sample, cancelled.Token));
    }

    [Theory]
    [InlineData(false, true, "<think>t</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", 1)]
    [InlineData(false, true, "<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", 0)]
    [InlineData(false, false, "<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", 1)]
    [InlineData(true, true, "<think>t</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", 1)]
    [InlineData(true, true, "<think>t</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 2}}]</tool_call>", 0.4)]
    [InlineData(true, true, "<think>t</think><tool_call>[{\"name\": \"g\", \"arguments\": {\"a\": 1}}]</tool_call>", 0.2)]
    [InlineData(true, true, "<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", 0)]
    [InlineData(true, true, "<think>t</think><tool_call>oops</tool_call>", 0)]
    [InlineData(false, true, "<think>t</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1.0}}]</tool_call>", 0)]
    public void ToolCallTraining_BinaryAndPartial_FollowThePaper(bool isPartial, bool requiresThink, string completion, double expected)
    {
        TrainingRow row = Sample.Row with { Answer = [new TrainingCall("f", "{\"a\": 1}")] };
        RewardScore score = new ToolCallTraining(isPartial, requiresThink, lenientNumbers: false).Score(new RewardSample(completion, row), None);
        Assert.Equal(expected, score.Total, 1e-12);
        Assert.Equal(["format", "names", "exact"], score.Components.Select(part => part.Name));
    }

    [Fact]
    public void ToolCallTraining_LenientNumbers_TakesAFloatForAnIntegerButNoBoolean()
    {
        TrainingRow row = Sample.Row with { Answer = [new TrainingCall("f", "{\"a\": 1}")] };
        ToolCallTraining reward = new(isPartial: false, requiresThink: false, lenientNumbers: true);
        double Score(string value) => reward.Score(new RewardSample($"<tool_call>[{{\"name\": \"f\", \"arguments\": {{\"a\": {value}}}}}]</tool_call>", row), None).Total;
        Assert.Equal((1, 1, 0, 0), (Score("1"), Score("1.0"), Score("true"), Score("\"1\"")));
    }

    private sealed class Reward(Func<RewardSample, double> score) : IReward
    {
        public RewardScore Score(RewardSample sample, CancellationToken cancellationToken) => new(score(sample), []);
    }
}
