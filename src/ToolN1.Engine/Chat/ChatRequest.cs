using ToolN1.Engine.Sampling;

namespace ToolN1.Engine.Chat;

/// <summary>A chat turn to generate, in the engine's own terms; HTTP shapes are mapped to it at the edge.</summary>
public sealed record ChatRequest
{
    /// <summary>For logs and metrics.</summary>
    public required string RequestId { get; init; }

    /// <summary>The conversation, oldest first; at least one message.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tools on offer; empty when there are none or the caller chose none.</summary>
    public IReadOnlyList<ChatTool> Tools { get; init; } = [];

    /// <summary>How tokens are chosen; <see cref="SamplingParameters.TopLogProbs"/> asks for log-probabilities.</summary>
    public SamplingParameters Sampling { get; init; } = SamplingParameters.Greedy;

    /// <summary>Most tokens to generate, thinking included; null takes what the model's length leaves.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Texts at which the visible answer ends; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];
}
