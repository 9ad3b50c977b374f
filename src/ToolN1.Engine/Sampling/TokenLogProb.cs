namespace ToolN1.Engine.Sampling;

/// <summary>A token's natural log-probability and the likeliest alternatives, likeliest first.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProb">Its log-probability.</param>
/// <param name="Top">The asked number of likeliest tokens, whether or not they include this one.</param>
public sealed record TokenLogProb(int TokenId, float LogProb, IReadOnlyList<(int TokenId, float LogProb)> Top);
