namespace ToolN1.TestSupport;

/// <summary>Holds computed logits and log-probabilities against a <see cref="GoldenCase"/>.</summary>
public static class GoldenAssert
{
    /// <summary>
    /// Largest error of the last position's logits, relative to the greatest reference logit: the sixteen greatest, and mean
    /// and standard deviation of all.
    /// </summary>
    /// <param name="golden">Reference.</param>
    /// <param name="logits">[vocabulary] at the last position.</param>
    public static double LogitError(GoldenCase golden, ReadOnlySpan<float> logits)
    {
        double mean = 0;
        foreach (float logit in logits)
        {
            mean += logit;
        }

        mean /= logits.Length;
        double variance = 0;
        foreach (float logit in logits)
        {
            variance += (logit - mean) * (logit - mean);
        }

        double error = Math.Max(
            Math.Abs(mean - golden.LastLogitsMean),
            Math.Abs(Math.Sqrt(variance / logits.Length) - golden.LastLogitsStd));
        foreach ((int token, double logit) in golden.LastLogitsTop)
        {
            error = Math.Max(error, Math.Abs(logits[token] - logit));
        }

        return error / golden.LastLogitsTop.Max(pair => Math.Abs(pair.Logit));
    }

    /// <summary>Largest absolute error of the log-probabilities of the input's own tokens; 0 for a single token.</summary>
    /// <param name="golden">Reference.</param>
    /// <param name="logProbs">[T − 1].</param>
    public static double LogProbError(GoldenCase golden, ReadOnlySpan<float> logProbs)
    {
        if (logProbs.Length != golden.NextLogProbs.Length)
        {
            throw new ArgumentException($"{logProbs.Length} log-probabilities instead of {golden.NextLogProbs.Length}.", nameof(logProbs));
        }

        double error = 0;
        for (int i = 0; i < logProbs.Length; i++)
        {
            error = Math.Max(error, Math.Abs(logProbs[i] - golden.NextLogProbs[i]));
        }

        return error;
    }
}
