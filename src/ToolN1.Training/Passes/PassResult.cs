namespace ToolN1.Training.Passes;

/// <summary>
/// The derivative of a loss with respect to each of its log-probabilities. With these the gradient is that of
/// Σ coefficient · log-probability, so a pass need not know the loss.
/// </summary>
/// <param name="start">Index of the first prediction within the batch.</param>
/// <param name="logProbs">Of neighbouring predictions.</param>
/// <returns>One each.</returns>
internal delegate float[] LossDerivative(int start, float[] logProbs);

/// <summary>What a pass found about the wanted tokens, in the batch's order.</summary>
/// <param name="LogProbs">[predictions]: tempered log-probability of the wanted token.</param>
/// <param name="Entropies">[predictions]: of the tempered distribution, in nats.</param>
/// <param name="Hits">[predictions]: whether the wanted token is the first of the likeliest.</param>
internal sealed record PassResult(float[] LogProbs, float[] Entropies, bool[] Hits);
