using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>A chat request as bound from HTTP: what to generate, and how to answer.</summary>
/// <param name="Request">What to generate; each choice gets its own id and seed.</param>
/// <param name="Choices">How many answers.</param>
/// <param name="Delivery">How the answer travels.</param>
internal sealed record ChatCall(ChatRequest Request, int Choices, Delivery Delivery)
{
    /// <summary>What the answer holds.</summary>
    public required AnswerFields Fields { get; init; }
}

/// <summary>How an answer travels.</summary>
/// <param name="Stream">As server-sent events.</param>
/// <param name="IncludeUsage">With a last chunk that counts tokens.</param>
internal sealed record Delivery(bool Stream, bool IncludeUsage);

/// <summary>Which fields a chat answer has.</summary>
/// <param name="WithLogProbs">Log-probabilities.</param>
/// <param name="AsFunctionCall">A call comes in OpenAI's older form, as <c>function_call</c>.</param>
/// <param name="Reasoning">Where the reasoning stands.</param>
internal sealed record AnswerFields(bool WithLogProbs, bool AsFunctionCall, ReasoningFields Reasoning);

/// <summary>Where an answer's reasoning stands.</summary>
internal enum ReasoningFields
{
    /// <summary>In <c>reasoning_content</c>.</summary>
    ReasoningContent,

    /// <summary>In <c>reasoning_content</c> and, the same, in <c>reasoning</c>.</summary>
    Both,

    /// <summary>Nowhere.</summary>
    None,
}
