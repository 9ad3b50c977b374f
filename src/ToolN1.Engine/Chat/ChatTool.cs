namespace ToolN1.Engine.Chat;

/// <summary>A tool that the model may call.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="FunctionJson">
/// The function object (<c>name</c>, <c>description</c>, <c>parameters</c> …) as raw JSON text with the client's key
/// order; chat formats re-space it as Python's json.dumps does but never reorder or re-quote.
/// </param>
/// <param name="IsStrict">Whether the arguments of a call follow the schema in <c>parameters</c>, whatever the model.</param>
public sealed record ChatTool(string Name, string FunctionJson, bool IsStrict = false);
