using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Evaluation;

/// <summary>Whether a model may take another's place: held-out exact match must not fall, or must rise beyond chance.</summary>
/// <param name="Cases">Held-out cases, answered by both.</param>
/// <param name="BaseCorrect">Right by the model in place.</param>
/// <param name="CandidateCorrect">Right by the candidate.</param>
/// <param name="PValue">McNemar's exact two-sided test on the cases that only one has right.</param>
/// <param name="Passes">The verdict.</param>
/// <param name="Reason">In words.</param>
public sealed record PromotionGate(int Cases, int BaseCorrect, int CandidateCorrect, double PValue, bool Passes, string Reason)
{
    /// <summary>Significance that a rise must have.</summary>
    public const double Level = 0.05;

    /// <summary>Decides.</summary>
    /// <param name="baseline">The model in place, case by case.</param>
    /// <param name="candidate">The candidate on the same cases in the same order.</param>
    /// <param name="mustRise">Whether standing still is not enough.</param>
    /// <exception cref="ArgumentException">The cases differ, or there are none.</exception>
    public static PromotionGate Decide(IReadOnlyList<EvaluationCase> baseline, IReadOnlyList<EvaluationCase> candidate, bool mustRise)
    {
        return baseline.Zip(candidate).All(pair => pair.First.Expected == pair.Second.Expected && pair.First.Request == pair.Second.Request)
            ? Decide([.. baseline.Select(item => item.Correct)], [.. candidate.Select(item => item.Correct)], mustRise)
            : throw new ArgumentException("Both models must have answered the same cases.", nameof(candidate));
    }

    /// <summary>Decides.</summary>
    /// <param name="baseline">Which cases the model in place has right.</param>
    /// <param name="candidate">Which of the same cases, in the same order, the candidate has right.</param>
    /// <param name="mustRise">Whether standing still is not enough.</param>
    /// <exception cref="ArgumentException">There are not as many of both, or there are none.</exception>
    public static PromotionGate Decide(IReadOnlyList<bool> baseline, IReadOnlyList<bool> candidate, bool mustRise)
    {
        if (baseline.Count == 0 || baseline.Count != candidate.Count)
        {
            throw new ArgumentException("Both models must have answered the same cases, at least one.", nameof(candidate));
        }

        int before = baseline.Count(right => right);
        int after = candidate.Count(right => right);
        int lost = baseline.Zip(candidate).Count(pair => pair.First && !pair.Second);
        int gained = baseline.Zip(candidate).Count(pair => !pair.First && pair.Second);
        double p = EvaluationComparison.McNemar(lost, gained);
        string figures = $"{before} to {after} of {baseline.Count} right, {gained} gained, {lost} lost, p = {p:G2}";
        (bool passes, string reason) = (after.CompareTo(before), mustRise) switch
        {
            ( < 0, _) => (false, "held-out exact match fell: "),
            (_, false) => (true, "held-out exact match did not fall: "),
            ( > 0, true) when p < Level => (true, "held-out exact match rose with p < 0.05: "),
            _ => (false, "held-out exact match did not rise with p < 0.05: "),
        };
        return new PromotionGate(baseline.Count, before, after, p, passes, reason + figures);
    }
}
