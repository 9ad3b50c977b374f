namespace ToolN1.Engine.Sampling;

/// <summary>A chosen token.</summary>
/// <param name="TokenId">Its id.</param>
/// <param name="LogProb">Its log-probability and alternatives, when asked for.</param>
internal readonly record struct SampledToken(int TokenId, TokenLogProb? LogProb);
