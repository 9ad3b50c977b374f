using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>An accepted call: the function and, by parameter, the accepted values; <c>""</c> means "may be left out".</summary>
internal sealed record BfclAnswer(string Function, IReadOnlyList<KeyValuePair<string, List<PyValue>>> Parameters)
{
    public List<PyValue>? Accepted(string parameter)
    {
        foreach (KeyValuePair<string, List<PyValue>> entry in Parameters)
        {
            if (string.Equals(entry.Key, parameter, StringComparison.Ordinal))
            {
                return entry.Value;
            }
        }

        return null;
    }
}
