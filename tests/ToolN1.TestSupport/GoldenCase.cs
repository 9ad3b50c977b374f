namespace ToolN1.TestSupport;

/// <summary>Reference numbers of one sequence, from a float64 forward pass over the same weights (tests/fixtures/README.md).</summary>
/// <param name="InputIds">The sequence.</param>
/// <param name="LastLogitsTop">The 16 greatest logits at the last position, greatest first.</param>
/// <param name="LastLogitsMean">Mean of all logits at the last position.</param>
/// <param name="LastLogitsStd">Their standard deviation.</param>
/// <param name="NextLogProbs">[T − 1]: log-probability of token t + 1 at position t.</param>
/// <param name="Greedy">The next eight tokens, greedily.</param>
public sealed record GoldenCase(
    int[] InputIds,
    IReadOnlyList<(int Token, double Logit)> LastLogitsTop,
    double LastLogitsMean,
    double LastLogitsStd,
    double[] NextLogProbs,
    int[] Greedy);
