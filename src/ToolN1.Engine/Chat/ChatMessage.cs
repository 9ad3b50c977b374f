namespace ToolN1.Engine.Chat;

/// <summary>One message of a conversation.</summary>
public sealed record ChatMessage
{
    /// <summary>Who speaks.</summary>
    public required ChatRole Role { get; init; }

    /// <summary>Text; null only for an assistant that called tools.</summary>
    public string? Content { get; init; }

    /// <summary>The assistant's calls, in order.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>For <see cref="ChatRole.Tool"/>: the call this answers.</summary>
    public string? ToolCallId { get; init; }
}
