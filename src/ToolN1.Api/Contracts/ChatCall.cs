using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>A chat request as bound from HTTP: what to generate, and how to answer.</summary>
/// <param name="Request">What to generate; each choice gets its own id and seed.</param>
/// <param name="Choices">How many answers.</param>
/// <param name="Delivery">How the answer travels.</param>
/// <param name="WithLogProbs">Whether the answer carries log-probabilities.</param>
internal sealed record ChatCall(ChatRequest Request, int Choices, Delivery Delivery, bool WithLogProbs);

/// <summary>How an answer travels.</summary>
/// <param name="Stream">As server-sent events.</param>
/// <param name="IncludeUsage">With a last chunk that counts tokens.</param>
internal sealed record Delivery(bool Stream, bool IncludeUsage);
