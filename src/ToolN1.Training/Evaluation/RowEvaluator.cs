using System.Text.Json;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Rewards;
using ToolN1.Training.Rollouts;

namespace ToolN1.Training.Evaluation;

/// <summary>
/// Lets an engine answer rows greedily, as the server would be asked, and scores the answers: by the Tool-N1 reward (both
/// think tags and exactly the right calls, an explicit empty list where none applies), or by another.
/// </summary>
/// <param name="engine">The serving engine.</param>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="format">The chat format that the model is served with.</param>
public sealed class RowEvaluator(IInferenceEngine engine, Tokenizer tokenizer, IChatFormat format)
{
    /// <summary>Most tokens of an answer; what is longer counts as wrong.</summary>
    public int MaxNewTokens { get; init; } = 768;

    /// <summary>Weights to answer with; null is whichever are live.</summary>
    public string? WeightVersion { get; init; }

    /// <summary>Whether live requests come first.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>Rows in flight at once.</summary>
    public int Concurrency { get; init; } = 32;

    /// <summary>Says which answers are right, those worth 1 or more, and which cannot be scored; null asks for exactly the row's calls. The caller's.</summary>
    public RewardPool? Judge { get; init; }

    /// <summary>Evaluates rows; waits where the engine's queue is full.</summary>
    /// <param name="category">Name of the cases that name no category themselves.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <returns>One case a row, in order.</returns>
    /// <exception cref="EngineOverloadedException">The engine is out of order or stopping.</exception>
    public async Task<IReadOnlyList<EvaluationCase>> EvaluateAsync(string category, IReadOnlyList<TrainingRow> rows, CancellationToken cancellationToken)
    {
        EvaluationCase[] cases = new EvaluationCase[rows.Count];
        ParallelOptions options = new() { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, rows.Count, options, async (index, token) => cases[index] = await OneAsync(category, index, rows[index], token).ConfigureAwait(false)).ConfigureAwait(false);
        return cases;
    }

    /// <summary>Cases as JSON lines.</summary>
    public static string ToJson(EvaluationCase item) => JsonSerializer.Serialize(item, EvaluationJson.Default.EvaluationCase);

    private async Task<EvaluationCase> OneAsync(string category, int index, TrainingRow row, CancellationToken cancellationToken)
    {
        int[] prompt = format.Render(row.Conversation, row.Tools, addGenerationPrompt: true).Encode(tokenizer);
        if (prompt.Length >= engine.Model.MaxModelLength)
        {
            // No room for an answer.
            return new EvaluationCase(row.Category ?? category, index, false, row.Messages[^1].Content ?? string.Empty, TrainingRowWriter.ToExpected(row), string.Empty, 0);
        }

        GenerationRequest request = new()
        {
            RequestId = $"{category}-{index}",
            PromptTokenIds = prompt,
            WeightVersion = WeightVersion,
            Priority = Priority,
            MaxNewTokens = Math.Min(MaxNewTokens, engine.Model.MaxModelLength - prompt.Length),
            Sampling = SamplingParameters.Greedy with { StopTokenIds = [.. format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>()] },
        };
        List<int> ids = [];
        await foreach (GenerationUpdate update in (await engine.QueueAsync(request, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false))
        {
            ids.AddRange(update.TokenIds);
        }

        string output = tokenizer.Decode(ids, skipSpecial: true);
        (bool isRight, string? failure) = await JudgeAsync(row, output, cancellationToken).ConfigureAwait(false);
        return new EvaluationCase(row.Category ?? category, index, isRight, row.Messages[^1].Content ?? string.Empty, TrainingRowWriter.ToExpected(row), output, ids.Count) { Failure = failure };
    }

    private async Task<(bool IsRight, string? Failure)> JudgeAsync(TrainingRow row, string output, CancellationToken cancellationToken)
    {
        if (Judge is null)
        {
            return (ToolCallReward.Score(output, row.AnswerJson).Reward == 1, null);
        }

        RewardOutcome outcome = await Judge.ScoreAsync(new RewardSample(output, row), cancellationToken).ConfigureAwait(false);
        return (outcome.Score?.Total >= 1, outcome.Failure);
    }
}
