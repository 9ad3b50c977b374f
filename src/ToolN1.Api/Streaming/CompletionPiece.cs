using ToolN1.Api.Contracts;
using ToolN1.Engine;

namespace ToolN1.Api.Streaming;

/// <summary>One piece of a text completion.</summary>
/// <param name="Text">More text.</param>
/// <param name="LogProbs">Log-probabilities of the tokens of this piece, or null.</param>
/// <param name="End">Set on the last piece.</param>
internal sealed record CompletionPiece(string Text, CompletionLogProbs? LogProbs, CompletionEnd? End);

/// <summary>How a text completion ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="CompletionTokens">Tokens generated, the ending one included.</param>
/// <param name="CachedPromptTokens">Prompt tokens found in the prefix cache.</param>
internal sealed record CompletionEnd(FinishReason Reason, int CompletionTokens, int CachedPromptTokens);
