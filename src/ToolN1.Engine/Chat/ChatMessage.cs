namespace ToolN1.Engine.Chat;

/// <summary>One message of a conversation.</summary>
public sealed record ChatMessage
{
    /// <summary>Who speaks.</summary>
    public required ChatRole Role { get; init; }

    /// <summary>Who among several of the same role speaks; written before the text as <c>Name: </c>. Null for nobody in particular.</summary>
    public string? Name { get; init; }

    /// <summary>Text; null only for an assistant that called tools.</summary>
    public string? Content { get; init; }

    /// <summary>Earlier reasoning of the assistant that the model is to see again; null leaves it out.</summary>
    public string? Reasoning { get; init; }

    /// <summary>The assistant's calls, in order.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>For <see cref="ChatRole.Tool"/>: the call this answers.</summary>
    public string? ToolCallId { get; init; }
}
