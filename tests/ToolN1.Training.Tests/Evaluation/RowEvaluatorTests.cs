using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Rewards;
using ToolN1.Training.Tests.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class RowEvaluatorTests(GrpoFixture fixture) : IClassFixture<GrpoFixture>
{
    [Fact]
    public async Task Evaluate_FullQueue_WaitsAndAnswersEveryRow()
    {
        Tokenizer tokenizer = Tokenizer.Load(fixture.Model);
        Decoder decoder = CheckpointLoader.Load(fixture.Model, CPU, ScalarType.Float32);
        await using InferenceEngine engine = InferenceEngine.Start(
            decoder, InferenceEngine.Describe(decoder, "tiny"), new EngineOptions { MaxModelLength = 512, KvCacheMiB = 16, MaxSequences = 1, MaxQueuedRequests = 2 });
        TrainingRow[] rows = [.. TrainingRowReader.Read(fixture.Rows).Append(TrainingRowReader.Read(fixture.Rows).First())];
        RowEvaluator evaluator = new(engine, tokenizer, ChatFormats.Create("tool-n1", fixture.Model, tokenizer)) { MaxNewTokens = 4 };
        IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync("rows", rows, TestContext.Current.CancellationToken);

        Assert.Equal(8, cases.Count);
        Assert.All(cases, item => Assert.InRange(item.Tokens, 1, 4));
    }

    [Fact]
    public async Task Evaluate_RewardThatThrows_LeavesTheAnswerUnscored()
    {
        Tokenizer tokenizer = Tokenizer.Load(fixture.Model);
        await using InferenceEngine engine = GrpoFixture.Start(fixture.Model);
        using RewardPool judge = new(new Throwing(), 1, TimeSpan.FromMinutes(1));
        RowEvaluator evaluator = new(engine, tokenizer, ChatFormats.Create("tool-n1", fixture.Model, tokenizer)) { MaxNewTokens = 2, Judge = judge };
        IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync("rows", [.. TrainingRowReader.Read(fixture.Rows).Take(2)], TestContext.Current.CancellationToken);

        Assert.Equal([(false, "no number"), (false, "no number")], cases.Select(item => (item.Correct, item.Failure)));
    }

    private sealed class Throwing : IReward
    {
        public RewardScore Score(RewardSample sample, CancellationToken cancellationToken) => throw new FormatException("no number");
    }
}
