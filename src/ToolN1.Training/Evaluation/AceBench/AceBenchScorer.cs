using System.Collections.Concurrent;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>
/// Scores replies of ACEBench's Atom and Single-turn categories as the official checker does, in both forms: structured
/// calls, and the benchmark's own text form <c>[Name(key='value')]</c>. Thread-safe.
/// </summary>
/// <param name="folder">The data of one language.</param>
/// <param name="fixedRules">True: put the official checker's quirks right (docs/evaluation.md).</param>
public sealed class AceBenchScorer(string folder, bool fixedRules = false)
{
    internal const string WrongOutputFormat = "wrong_output_format";

    private readonly AceChecker _checker = new(fixedRules);
    private readonly ConcurrentDictionary<string, IReadOnlyList<AceCase>> _cases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Dictionary<string, AceCase>> _byId = new(StringComparer.Ordinal);

    /// <summary>The eight categories whose unweighted mean is the paper's number.</summary>
    public static IReadOnlyList<string> PaperCategories { get; } =
    [
        "normal_atom_bool", "normal_atom_enum", "normal_atom_number", "normal_atom_list", "normal_atom_object_short",
        "normal_atom_object_deep", "normal_single_turn_single_function", "normal_single_turn_parallel_function",
    ];

    /// <summary>The categories for which the folder has questions.</summary>
    public IReadOnlyList<string> Categories => AceData.Categories(folder);

    /// <summary>The verdict on structured calls.</summary>
    /// <param name="category">The category's name without prefix.</param>
    /// <param name="id">The question's id.</param>
    /// <param name="callsJson">A JSON array of <c>{"name", "arguments"}</c>.</param>
    /// <exception cref="InvalidDataException">The category's files are missing or malformed, or have no such id.</exception>
    public EvaluationVerdict ScoreCalls(string category, string id, string callsJson) =>
        PyJson.TryParse(callsJson, out PyValue? calls) ? ScoreCalls(category, id, calls) : EvaluationVerdict.Wrong(WrongOutputFormat);

    /// <summary>The verdict on a reply in the benchmark's text form.</summary>
    /// <inheritdoc cref="ScoreCalls(string, string, string)"/>
    public EvaluationVerdict ScoreText(string category, string id, string completion) => ScoreText(category, id, completion, out _);

    internal IReadOnlyList<AceCase> Cases(string category) => _cases.GetOrAdd(category, name => AceData.Load(folder, name));

    /// <inheritdoc cref="ScoreText(string, string, string)"/>
    /// <param name="category">The category's name without prefix.</param>
    /// <param name="id">The question's id.</param>
    /// <param name="completion">The reply.</param>
    /// <param name="calls">The calls that were read; null where the text is none.</param>
    internal EvaluationVerdict ScoreText(string category, string id, string completion, out List<AceCall>? calls)
    {
        AceCase question = Find(category, id);
        try
        {
            // Quirk: all white space goes before decoding, also that inside strings.
            string text = fixedRules ? PyText.Strip(completion) : PyText.RemoveSpace(completion);
            calls = PyExpressionParser.ParseCalls(text).ConvertAll(call => new AceCall(call.Name, PyValue.Of(call.Arguments)));
        }
        catch (FormatException e)
        {
            calls = null;
            return EvaluationVerdict.Wrong(WrongOutputFormat, e.Message);
        }

        return Check(question, calls);
    }

    internal EvaluationVerdict ScoreCalls(string category, string id, PyValue calls)
    {
        AceCase question = Find(category, id);
        if (calls.Kind != PyKind.List)
        {
            return EvaluationVerdict.Wrong(WrongOutputFormat);
        }

        List<AceCall> decoded = new(calls.Items.Count);
        foreach (PyValue item in calls.Items)
        {
            if (item.Kind != PyKind.Dict
                || !item.Entries.TryGetValue("name", out PyValue? name)
                || !item.Entries.TryGetValue("arguments", out PyValue? arguments)
                || !name.IsString
                || arguments.Kind != PyKind.Dict)
            {
                return EvaluationVerdict.Wrong(WrongOutputFormat);
            }

            decoded.Add(new AceCall(name.Text, arguments));
        }

        return Check(question, decoded);
    }

    private EvaluationVerdict Check(AceCase question, List<AceCall> calls)
    {
        try
        {
            return _checker.Check(question, calls);
        }
        catch (PyException e)
        {
            // The official run would stop here; one reply must not stop ours.
            return EvaluationVerdict.Wrong("checker_error:" + e.Type, e.Message);
        }
    }

    private AceCase Find(string category, string id) =>
        _byId.GetOrAdd(category, name => Cases(name).ToDictionary(question => question.Id, StringComparer.Ordinal)).TryGetValue(id, out AceCase? found)
            ? found
            : throw new InvalidDataException($"ACEBench category '{category}' has no question '{id}'.");
}
