using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ToolN1.Training.Evaluation.AceBench;
using ToolN1.Training.Evaluation.ApiBank;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Evaluation;

/// <summary>
/// Scores given outputs without a model: each is one JSON object with the fields of the benchmark's published verdict
/// files (verdict fields, if there, are ignored). Thread-safe.
/// </summary>
public sealed class OutputScorer
{
    private static readonly JsonWriterOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Func<PyDict, EvaluationVerdict> _score;

    private OutputScorer(string verdictField, Func<PyDict, EvaluationVerdict> score)
    {
        VerdictField = verdictField;
        _score = score;
    }

    /// <summary>The benchmarks' names.</summary>
    public static IReadOnlyList<string> Benchmarks { get; } = ["bfcl", "api-bank", "acebench", "reward"];

    /// <summary>The field of a verdict: <c>valid</c>; <c>correct</c> for API-Bank, <c>reward</c> (0 or 1) for the reward.</summary>
    public string VerdictField { get; }

    /// <param name="benchmark">One of <see cref="Benchmarks"/>.</param>
    /// <param name="folder">The benchmark's data; the reward needs none.</param>
    /// <param name="fixedRules">True: put the official checkers' quirks right. The reward has none.</param>
    /// <exception cref="ArgumentException">Unknown benchmark.</exception>
    /// <exception cref="InvalidDataException">The folder is not the benchmark's; the message names the file.</exception>
    public static OutputScorer Create(string benchmark, string folder, bool fixedRules = false)
    {
        switch (benchmark)
        {
            case "bfcl":
                BfclScorer bfcl = new(folder, fixedRules);
                return new OutputScorer("valid", line => bfcl.Score(Text(line, "category"), Index(line, "index"), Text(line, "completion")));
            case "api-bank":
                ApiBankScorer apiBank = new(folder, fixedRules);
                return new OutputScorer("correct", line => ScoreApiBank(apiBank, line));
            case "acebench":
                AceBenchScorer ace = new(folder, fixedRules);
                return new OutputScorer("valid", line => IsText(line, "calls")
                    ? ace.ScoreText(Text(line, "category"), Text(line, "id"), Text(line, "completion"))
                    : ace.ScoreCalls(Text(line, "category"), Text(line, "id"), Required(line, "calls")));
            case "reward":
                return new OutputScorer("reward", ScoreReward);
            default:
                throw new ArgumentException($"Unknown benchmark '{benchmark}'; one of {string.Join(", ", Benchmarks)}.", nameof(benchmark));
        }
    }

    /// <summary>The verdict on one output.</summary>
    /// <param name="json">One JSON object.</param>
    /// <exception cref="InvalidDataException">Not such an object, or it names a case that the data has not; the message names the field.</exception>
    public EvaluationVerdict Score(string json)
    {
        if (!PyJson.TryParse(json, out PyValue? value) || value.Kind != PyKind.Dict)
        {
            throw new InvalidDataException("not a JSON object");
        }

        return _score(value.Entries);
    }

    /// <summary>The verdict as the line of a verdicts file: <c>{"valid": …, "error_type": …}</c>.</summary>
    public string Write(EvaluationVerdict verdict)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, Unescaped))
        {
            writer.WriteStartObject();
            if (VerdictField == "reward")
            {
                writer.WriteNumber(VerdictField, verdict.Valid ? 1 : 0);
            }
            else
            {
                writer.WriteBoolean(VerdictField, verdict.Valid);
            }

            writer.WriteString("error_type", verdict.ErrorType);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static EvaluationVerdict ScoreApiBank(ApiBankScorer scorer, PyDict line)
    {
        string file = Text(line, "file");
        int id = Index(line, "id");
        if (IsText(line, "arguments"))
        {
            return scorer.ScoreText(file, id, Text(line, "completion"));
        }

        PyValue arguments = Required(line, "arguments");
        return arguments.Kind == PyKind.Dict
            ? scorer.ScoreCall(file, id, Text(line, "name"), arguments.Entries)
            : EvaluationVerdict.Wrong(ApiBankScorer.NotAnObject, FailureClass.NotAnObject);
    }

    private static EvaluationVerdict ScoreReward(PyDict line)
    {
        ToolCallRewardResult result = ToolCallReward.Score(Text(line, "completion"), Text(line, "ground_truth"));
        return result.Reward == 1 ? EvaluationVerdict.Correct : EvaluationVerdict.Wrong(result.Failure!);
    }

    /// <summary>Whether a line is in the benchmark's text form: its route says so, or it lacks the structured field.</summary>
    private static bool IsText(PyDict line, string structuredField)
    {
        if (!line.TryGetValue("route", out PyValue? route))
        {
            return !line.ContainsKey(structuredField);
        }

        return route.Is("text") || (route.Is("json") ? false : throw new InvalidDataException("field 'route' is neither \"json\" nor \"text\""));
    }

    private static PyValue Required(PyDict line, string field) =>
        line.TryGetValue(field, out PyValue? value) ? value : throw new InvalidDataException($"field '{field}' is missing");

    private static string Text(PyDict line, string field) =>
        Required(line, field) is { IsString: true } value ? value.Text : throw new InvalidDataException($"field '{field}' is not a string");

    private static int Index(PyDict line, string field) => Required(line, field) is { Kind: PyKind.Int } value && value.Integer >= 0 && value.Integer <= int.MaxValue
        ? (int)value.Integer
        : throw new InvalidDataException($"field '{field}' is not a whole number");
}
