using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Jobs.Models;

/// <summary>Scores versions of the weights on held-out rows by exact match or a job's grader, each once, since weights and rows do not change; again where a row could not be scored.</summary>
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
        if (known is not null && !wantsCases && new HeldOutScore(hash, known.Verdicts).Unscored == 0)
        {
            return (new HeldOutScore(hash, known.Verdicts), []);
        }

        using RewardPool? pool = judge?.Limits.PoolOf(judge.Reward);
        RowEvaluator evaluator = new(engine, tokenizer, format) { WeightVersion = weightVersion, Priority = RequestPriority.Background, Concurrency = 8, Judge = pool };
        IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync("held-out", rows, cancellationToken).ConfigureAwait(false);
        string measured = HeldOutScore.VerdictsOf(cases);
        return (await store.WriteAsync(async context =>
        {
            EvaluationRecord? kept = await context.Evaluations.FindAsync([weightVersion, hash], CancellationToken.None).ConfigureAwait(false);
            kept ??= context.Evaluations.Add(new EvaluationRecord { WeightVersion = weightVersion, DataHash = hash, Verdicts = measured, CreatedAt = store.Now }).Entity;
            kept.Verdicts = HeldOutScore.Completed(kept.Verdicts, measured);
            return new HeldOutScore(hash, kept.Verdicts);
        }).ConfigureAwait(false), cases);
    }

    /// <summary>Scores are compared and kept under what they count: with another limit on the rows they count something else.</summary>
    private static string HashOf(string rowsFile, int rows, HeldOutJudge? judge) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Manifest.Checksum(rowsFile)}:{rows}:{judge?.Key}"))));
}

/// <summary>How a version did on held-out rows.</summary>
/// <param name="DataHash">SHA-256 of the rows, of how many of them were answered, and of the grader where one judged.</param>
/// <param name="Verdicts">A character a row: 1 for a right answer, 0 for a wrong one, - for one that could not be scored.</param>
public sealed record HeldOutScore(string DataHash, string Verdicts)
{
    /// <summary>Rows whose answers were scored.</summary>
    public int Rows => Verdicts.Length - Unscored;

    /// <summary>Rows beside these, whose answers could not be scored.</summary>
    public int Unscored => Verdicts.Count(verdict => verdict == '-');

    /// <summary>Exact matches.</summary>
    public int Correct => Verdicts.Count(verdict => verdict == '1');

    /// <summary>The verdicts of two scores on the rows where both have one.</summary>
    public static (IReadOnlyList<bool> First, IReadOnlyList<bool> Second) Common(HeldOutScore first, HeldOutScore second)
    {
        (char First, char Second)[] both = [.. first.Verdicts.Zip(second.Verdicts).Where(pair => pair.First != '-' && pair.Second != '-')];
        return ([.. both.Select(pair => pair.First == '1')], [.. both.Select(pair => pair.Second == '1')]);
    }

    /// <summary>Verdicts that there are, and later ones on rows that could not be scored then: a time limit passes, the answer stays.</summary>
    internal static string Completed(string verdicts, string later) => string.Concat(verdicts.Zip(later, (known, measured) => known == '-' ? measured : known));

    /// <summary>The verdicts of cases.</summary>
    internal static string VerdictsOf(IEnumerable<EvaluationCase> cases) => string.Concat(cases.Select(item => item.Failure is not null ? '-' : item.Correct ? '1' : '0'));
}
