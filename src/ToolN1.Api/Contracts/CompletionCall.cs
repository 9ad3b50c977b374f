using ToolN1.Engine.Sampling;

namespace ToolN1.Api.Contracts;

/// <summary>A text completion as bound from HTTP.</summary>
/// <param name="Prompts">Token ids, one array a prompt.</param>
/// <param name="MaxNewTokens">Most tokens to generate for each; 0 only evaluates the prompt.</param>
/// <param name="Sampling">How tokens are chosen.</param>
/// <param name="Stop">Texts at which an answer ends.</param>
/// <param name="Echo">Whether the prompt precedes the answer.</param>
/// <param name="LogProbs">How many alternatives to return at each place; null for no log-probabilities.</param>
/// <param name="Choices">How many answers a prompt.</param>
/// <param name="Delivery">How the answer travels.</param>
/// <param name="CacheSalt">Who shares cached prompt prefixes.</param>
internal sealed record CompletionCall(
    IReadOnlyList<int[]> Prompts,
    int MaxNewTokens,
    SamplingParameters Sampling,
    IReadOnlyList<string> Stop,
    bool Echo,
    int? LogProbs,
    int Choices,
    Delivery Delivery,
    string? CacheSalt)
{
    /// <summary>Version of the weights to run on; null is whichever is live when a sequence starts.</summary>
    public string? WeightVersion { get; init; }
}
