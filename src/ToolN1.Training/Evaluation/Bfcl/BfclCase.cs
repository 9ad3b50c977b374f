namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>One question of a category, ready for the checker.</summary>
internal sealed record BfclCase(string Id, IReadOnlyList<BfclFunction> Functions, IReadOnlyList<BfclAnswer> Answers);
