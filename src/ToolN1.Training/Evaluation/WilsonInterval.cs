namespace ToolN1.Training.Evaluation;

/// <summary>A fraction with its 95% confidence interval after Wilson, which stays within 0 and 1 and is honest for few cases.</summary>
/// <param name="Successes">Cases that passed.</param>
/// <param name="Cases">All cases; at least one.</param>
/// <remarks>E. B. Wilson, JASA 22 (1927), 209–212.</remarks>
public readonly record struct WilsonInterval(int Successes, int Cases)
{
    private const double Z = 1.959963984540054;

    /// <summary>The fraction itself.</summary>
    public double Rate => (double)Successes / Cases;

    /// <summary>Lower end.</summary>
    public double Low => Math.Max(0, Center - Margin);

    /// <summary>Upper end.</summary>
    public double High => Math.Min(1, Center + Margin);

    private double Center => (Rate + (Z * Z / (2 * Cases))) / (1 + (Z * Z / Cases));

    private double Margin => Z / (1 + (Z * Z / Cases)) * Math.Sqrt((Rate * (1 - Rate) / Cases) + (Z * Z / (4.0 * Cases * Cases)));

    /// <summary>In percent: <c>87.4 (84.2–90.0)</c>.</summary>
    public override string ToString() => $"{100 * Rate:0.0} ({100 * Low:0.0}–{100 * High:0.0})";
}
