using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>One question: its functions, and the alternatives of the reference answer (calls in the file's order).</summary>
internal sealed record AceCase(
    string Id, string Question, string Time, IReadOnlyList<PyDict> Functions, IReadOnlyList<IReadOnlyList<AceAnswer>> Alternatives);
