namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A declared property.</summary>
/// <param name="Key">The name in canonical JSON spelling with its quotes.</param>
/// <param name="Value">Rule of the value.</param>
/// <param name="IsRequired">Whether every object has it.</param>
internal sealed record ObjectProperty(byte[] Key, Rule Value, bool IsRequired);
