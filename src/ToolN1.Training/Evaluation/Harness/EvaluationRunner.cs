namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Asks a model every question that a run's folder has no answer to, many at once, and scores the answers.</summary>
/// <param name="model">The model.</param>
/// <param name="mode">How it is asked.</param>
/// <param name="store">The run's folder.</param>
/// <param name="concurrency">Questions asked at once; for a local engine at least its largest batch, so that it stays full.</param>
/// <param name="time">Measures latency.</param>
public sealed class EvaluationRunner(IEvaluationModel model, EvaluationMode mode, EvaluationStore store, int concurrency, TimeProvider time)
{
    /// <summary>Runs to the end.</summary>
    /// <param name="cases">All questions.</param>
    /// <param name="progress">Told after every answer; may be null.</param>
    /// <param name="cancellationToken">Stops asking; what was answered stays.</param>
    /// <returns>What kept questions from being answered, one message each; empty when all are.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(IReadOnlyList<BenchmarkCase> cases, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        List<BenchmarkCase> open = cases.Where(question => !store.Contains(question)).ToList();
        int answered = cases.Count - open.Count;
        HashSet<(string, string)> wanted = cases.Select(question => (question.Category, question.Id)).ToHashSet();
        int correct = store.Results.Count(result => result.Valid && wanted.Contains((result.Category, result.Id)));
        List<string> failures = [];
        Lock gate = new();
        progress?.Report(new EvaluationProgress(answered, cases.Count, correct, 0));
        ParallelOptions options = new() { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(open, options, async (question, token) =>
        {
            EvaluationResult? result = null;
            string? failure = null;
            try
            {
                long start = time.GetTimestamp();
                EvaluationReply reply = await model.AnswerAsync(question, mode, token).ConfigureAwait(false);
                result = EvaluationResult.Create(question, mode, reply, time.GetElapsedTime(start));
                store.Append(result);
            }
            catch (EvaluationModelException e)
            {
                failure = $"{question.Category} {question.Id}: {e.Message}";
            }

            lock (gate)
            {
                answered += result is null ? 0 : 1;
                correct += result is { Valid: true } ? 1 : 0;
                if (failure is not null)
                {
                    failures.Add(failure);
                }

                progress?.Report(new EvaluationProgress(answered, cases.Count, correct, failures.Count));
            }
        }).ConfigureAwait(false);
        return failures;
    }
}
