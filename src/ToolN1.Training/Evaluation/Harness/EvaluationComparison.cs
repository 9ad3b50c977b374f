namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Two runs on the same questions, paired case by case.</summary>
public sealed class EvaluationComparison
{
    private EvaluationComparison(IReadOnlyList<(EvaluationResult A, EvaluationResult B)> pairs, int onlyA, int onlyB)
    {
        Pairs = pairs.Count;
        OnlyInA = onlyA;
        OnlyInB = onlyB;
        CorrectA = pairs.Count(pair => pair.A.Valid);
        CorrectB = pairs.Count(pair => pair.B.Valid);
        Lost = pairs.Where(pair => pair.A.Valid && !pair.B.Valid).ToList();
        Gained = pairs.Where(pair => !pair.A.Valid && pair.B.Valid).ToList();
        PValue = McNemar(Lost.Count, Gained.Count);
    }

    /// <summary>Questions in both runs.</summary>
    public int Pairs { get; }

    /// <summary>Questions in the first run only; they are not compared.</summary>
    public int OnlyInA { get; }

    /// <summary>Questions in the second run only; they are not compared.</summary>
    public int OnlyInB { get; }

    /// <summary>Paired questions that the first run has right.</summary>
    public int CorrectA { get; }

    /// <summary>Paired questions that the second run has right.</summary>
    public int CorrectB { get; }

    /// <summary>Right in the first run, wrong in the second.</summary>
    public IReadOnlyList<(EvaluationResult A, EvaluationResult B)> Lost { get; }

    /// <summary>Wrong in the first run, right in the second.</summary>
    public IReadOnlyList<(EvaluationResult A, EvaluationResult B)> Gained { get; }

    /// <summary>McNemar's exact two-sided test: how likely a split at least this uneven is, if neither run were better.</summary>
    public double PValue { get; }

    /// <summary>The second run's accuracy minus the first's; 0 without pairs.</summary>
    public double Difference => Pairs == 0 ? 0 : (CorrectB - CorrectA) / (double)Pairs;

    /// <summary>Pairs two runs by category and id.</summary>
    public static EvaluationComparison Create(IReadOnlyList<EvaluationResult> a, IReadOnlyList<EvaluationResult> b)
    {
        Dictionary<(string, string), EvaluationResult> second = b.ToDictionary(result => (result.Category, result.Id));
        List<(EvaluationResult, EvaluationResult)> pairs = [];
        foreach (EvaluationResult result in a)
        {
            if (second.Remove((result.Category, result.Id), out EvaluationResult? other))
            {
                pairs.Add((result, other));
            }
        }

        return new EvaluationComparison(pairs, a.Count - pairs.Count, second.Count);
    }

    /// <summary>2 · P(X ≤ min) for X binomial(n, ½), at most 1; summed in logarithms so that n may be large.</summary>
    internal static double McNemar(int lost, int gained)
    {
        int n = lost + gained;
        double logChoose = -n * Math.Log(2);
        double sum = 0;
        for (int k = 0; k <= Math.Min(lost, gained); k++)
        {
            sum += Math.Exp(logChoose);
            logChoose += Math.Log(n - k) - Math.Log(k + 1);
        }

        return Math.Min(1, 2 * sum);
    }
}
