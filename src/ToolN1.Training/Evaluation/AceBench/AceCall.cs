using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>A decoded call.</summary>
internal readonly record struct AceCall(string Name, PyValue Arguments);
