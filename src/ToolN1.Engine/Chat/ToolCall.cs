namespace ToolN1.Engine.Chat;

/// <summary>A call of one tool.</summary>
/// <param name="Id">Unique within a conversation.</param>
/// <param name="Name">The tool's name.</param>
/// <param name="Arguments">Raw JSON text as the model (or the client) wrote it, never re-encoded.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);
