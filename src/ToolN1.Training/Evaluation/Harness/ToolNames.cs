using System.Text.RegularExpressions;
using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// OpenAI's tools parameter allows letters, digits, <c>_</c> and <c>-</c> in names only. Tools are offered under such names,
/// and the names of a reply's calls are put back before scoring.
/// </summary>
internal sealed partial class ToolNames
{
    private const int MaxLength = 64;

    private readonly Dictionary<string, string> _offered = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _original = new(StringComparer.Ordinal);

    public ToolNames(IEnumerable<string> names)
    {
        foreach (string name in names.Distinct(StringComparer.Ordinal))
        {
            string offered = Forbidden().Replace(name, "_");
            offered = offered.Length > MaxLength ? offered[..MaxLength] : offered;
            for (int i = 2; _original.ContainsKey(offered); i++)
            {
                offered = $"{offered[..Math.Min(offered.Length, MaxLength - 4)]}_{i}";
            }

            _offered[name] = offered;
            _original[offered] = name;
        }
    }

    /// <summary>A tool under its offered name.</summary>
    public ChatTool Tool(PyValue function)
    {
        PyValue renamed = function.Clone();
        string name = _offered[function.Entries["name"].Text];
        renamed.Entries["name"] = PyValue.Of(name);
        return new ChatTool(name, PyJsonWriter.Dumps(renamed));
    }

    /// <summary>
    /// The completion with original names, where a native reply (see <see cref="NativeReply"/>) used the offered ones. A
    /// parity reply is never touched: there an underscore for a dot is the model's mistake.
    /// </summary>
    public string Restore(string completion)
    {
        if (!completion.StartsWith(NativeReply.Mark, StringComparison.Ordinal))
        {
            return completion;
        }

        completion = completion[NativeReply.Mark.Length..];
        if (BfclReply.Decode(completion, out List<BfclCall> calls) is not null)
        {
            return completion;
        }

        return NativeReply.Block(ScoredReply.Value(calls.ConvertAll(call =>
            call.Name.IsString && _original.TryGetValue(call.Name.Text, out string? name) ? call with { Name = PyValue.Of(name) } : call)));
    }

    [GeneratedRegex("[^a-zA-Z0-9_-]")]
    private static partial Regex Forbidden();
}
