namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>What the checker needs of a function's description.</summary>
internal sealed record BfclFunction(string Name, IReadOnlyDictionary<string, BfclParameter> Parameters, IReadOnlyList<string> Required);
