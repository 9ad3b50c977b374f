namespace ToolN1.Training.Grpo;

/// <summary>Group-relative advantages (r − mean r) / (std + ε).</summary>
/// <remarks>
/// DeepSeekMath, arXiv:2402.03300, §4.1. The paper leaves ε and the kind of standard deviation open: verl adds 1e-6 to the
/// sample's (n − 1), TRL 1e-4, ART 1e-6 to the population's (n).
/// </remarks>
internal static class Advantages
{
    /// <summary>Computes the advantages of every group.</summary>
    /// <param name="groups">Rewards of each group, two or more, finite; there may be no group.</param>
    /// <param name="scale">What the centred rewards are divided by.</param>
    /// <param name="epsilon">Added to the standard deviation.</param>
    /// <param name="lessDegrees">Subtracted from the count in the variance: 1 for the sample's, 0 for the population's.</param>
    /// <returns>In the shape of the rewards; zeros for a group whose rewards are all equal.</returns>
    /// <exception cref="ArgumentException">A group has fewer than two rewards.</exception>
    public static double[][] Compute(IReadOnlyList<double[]> groups, AdvantageScale scale, double epsilon, int lessDegrees = 1)
    {
        if (groups.Any(rewards => rewards.Length < 2))
        {
            throw new ArgumentException("A group needs at least two rewards to compare.", nameof(groups));
        }

        double batchDeviation = scale == AdvantageScale.Batch && groups.Count > 0 ? Deviation([.. groups.SelectMany(rewards => rewards)], lessDegrees) : 0;
        return [.. groups.Select(rewards =>
        {
            double mean = rewards.Average();
            double divisor = scale switch
            {
                AdvantageScale.Group => Deviation(rewards, lessDegrees) + epsilon,
                AdvantageScale.Batch => batchDeviation + epsilon,
                _ => 1,
            };
            return IsUniform(rewards) ? new double[rewards.Length] : [.. rewards.Select(reward => (reward - mean) / divisor)];
        })];
    }

    /// <summary>Whether all rewards are equal, so that nothing can be learnt from comparing them.</summary>
    public static bool IsUniform(IReadOnlyList<double> rewards) => rewards.All(reward => reward == rewards[0]);

    /// <summary>Standard deviation.</summary>
    /// <param name="values">More than <paramref name="lessDegrees"/> of them.</param>
    /// <param name="lessDegrees">Subtracted from the count.</param>
    public static double Deviation(IReadOnlyList<double> values, int lessDegrees)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - lessDegrees));
    }
}
