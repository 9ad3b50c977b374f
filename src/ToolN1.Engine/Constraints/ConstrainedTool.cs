namespace ToolN1.Engine.Constraints;

/// <summary>A tool whose calls are constrained.</summary>
/// <param name="Name">The only spelling that a call may use.</param>
/// <param name="ParametersJson">JSON Schema of the arguments; null for a tool without parameters.</param>
/// <param name="Enforced">False: the arguments may be any object.</param>
public sealed record ConstrainedTool(string Name, string? ParametersJson, bool Enforced = true);
