using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A verdict and the calls that it was given on.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="CallsJson">The calls as scoring read them, a JSON array of name and arguments; null where none could be read.</param>
public readonly record struct ScoredReply(EvaluationVerdict Verdict, string? CallsJson)
{
    /// <summary>Whether the reply counts as correct.</summary>
    public bool Valid => Verdict.Valid;

    internal static ScoredReply Of(EvaluationVerdict verdict, List<BfclCall>? calls) => new(verdict, calls is null ? null : PyJsonWriter.Dumps(Value(calls)));

    /// <summary>Calls as the JSON value that a block holds.</summary>
    internal static PyValue Value(List<BfclCall> calls) => PyValue.Of(calls.ConvertAll(call =>
        PyValue.Of(new PyDict { ["name"] = call.Name, ["arguments"] = PyValue.Of(call.Arguments) })));
}
