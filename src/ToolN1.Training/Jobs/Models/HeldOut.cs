using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Models;

/// <summary>Scores versions of the weights on held-out rows by exact match or a job's grader, each once: weights and rows do not change.</summary>
public sealed class HeldOut(TrainingStore store, IInferenceEngine engine, Tokenizer tokenizer, IChatFormat format, IOptions<TrainingOptions> options)
{
    /// <summary>The score of a version, measured now where it is not known.</summary>
    /// <param name="rowsFile">Held-out rows (JSONL).</param>
    /// <param name="weightVersion">A version that the engine serves.</param>
    /// <param name="judge">Says which answers are right; null asks for exactly the row's calls.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <returns>The score, and the cases where they were measured now.</returns>
    public Task<(HeldOutScore Score, IReadOnlyList<EvaluationCase> Cases)> ScoreAsync(string rowsFile, string weightVersion, HeldOutJudge? judge, CancellationToken cancellationToken) =>
        ScoreAsync(rowsFile, weightVersion, judge, wantsCases: false, cancellationToken);

    /// <summary>The score of a version.</summary>
    /// <param name="rowsFile">Held-out rows (JSONL).</param>
    /// <param name="weightVersion">A version that the engine serves.</param>
    /// <param name="judge">Says which answers are right; null asks for exactly the row's calls.</param>
    /// <param name="wantsCases">Measures also what is known, for its cases.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <returns>The score, and the cases where they were measured now.</returns>
    public async Task<(HeldOutScore Score, IReadOnlyList<EvaluationCase> Cases)> ScoreAsync(
        string rowsFile, string weightVersion, HeldOutJudge? judge, bool wantsCases, CancellationToken cancellationToken)
    {
        TrainingRow[] rows = [.. DatasetReader.Read(rowsFile).Take(options.Value.Training.MaxHeldOutRows).Select(item => item.Row)];
        string hash = HashOf(rowsFile, rows.Length, judge);
        EvaluationRecord? known = await store.ReadAsync(context => context.Evaluations.FindAsync([weightVersion, hash], cancellationToken).AsTask()).ConfigureAwait(false);
        if (known is not null && !wantsCases)
        {
            return (new HeldOutScore(hash, known.Verdicts), []);
        }

        RowEvaluator evaluator = new(engine, tokenizer, format) { WeightVersion = weightVersion, Priority = RequestPriority.Background, Concurrency = 8, Reward = judge?.Reward };
        IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync("held-out", rows, cancellationToken).ConfigureAwait(false);
        HeldOutScore score = new(hash, known?.Verdicts ?? cases.Aggregate(new StringBuilder(), (text, item) => text.Append(item.Correct ? '1' : '0')).ToString());
        await store.WriteAsync(async context =>
        {
            if (!await context.Evaluations.AnyAsync(item => item.WeightVersion == weightVersion && item.DataHash == hash, CancellationToken.None).ConfigureAwait(false))
            {
                context.Evaluations.Add(new EvaluationRecord { WeightVersion = weightVersion, DataHash = hash, Verdicts = score.Verdicts, CreatedAt = store.Now });
            }

            return true;
        }).ConfigureAwait(false);
        return (score, cases);
    }

    /// <summary>Scores are compared and kept under what they count: with another limit on the rows they count something else.</summary>
    private static string HashOf(string rowsFile, int rows, HeldOutJudge? judge) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Manifest.Checksum(rowsFile)}:{rows}:{judge?.Key}"))));
}

/// <summary>How a version did on held-out rows.</summary>
/// <param name="DataHash">SHA-256 of the rows, of how many of them were answered, and of the grader where one judged.</param>
/// <param name="Verdicts">A digit a row: 1 for a right answer.</param>
public sealed record HeldOutScore(string DataHash, string Verdicts)
{
    /// <summary>Rows.</summary>
    public int Rows => Verdicts.Length;

    /// <summary>Whether each row's answer is right.</summary>
    public IReadOnlyList<bool> Right => [.. Verdicts.Select(digit => digit == '1')];

    /// <summary>Exact matches.</summary>
    public int Correct => Right.Count(right => right);
}
