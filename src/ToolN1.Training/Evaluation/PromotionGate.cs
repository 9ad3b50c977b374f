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
        if (baseline.Count == 0 || baseline.Count != candidate.Count || baseline.Zip(candidate).Any(pair => pair.First.Expected != pair.Second.Expected || pair.First.Request != pair.Second.Request))
        {
            throw new ArgumentException("Both models must have answered the same cases, at least one.", nameof(candidate));
        }

        int before = baseline.Count(item => item.Correct);
        int after = candidate.Count(item => item.Correct);
        int lost = baseline.Zip(candidate).Count(pair => pair.First.Correct && !pair.Second.Correct);
        int gained = baseline.Zip(candidate).Count(pair => !pair.First.Correct && pair.Second.Correct);
        double p = EvaluationComparison.McNemar(lost, gained);
        string figures = $"{before} to {after} of {baseline.Count} right, {gained} gained, {lost} lost, p = {p:G2}";
        (bool passes, string reason) = (after.CompareTo(before), mustRise) switch
        {
            ( < 0, _) => (false, "held-out exact match fell: "),
            (_, false) => (true, "held-out exact match did not fall: "),
            ( > 0, true) when p < Level => (true, "held-out exact match rose beyond chance: "),
            _ => (false, "held-out exact match did not rise beyond chance: "),
        };
        return new PromotionGate(baseline.Count, before, after, p, passes, reason + figures);
    }
}
