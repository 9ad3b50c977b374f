namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>A documented parameter: BFCL's own type name, and that of its items where it says one.</summary>
internal sealed record BfclParameter(string Type, string? ItemType);
