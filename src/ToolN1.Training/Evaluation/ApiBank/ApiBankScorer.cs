using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.ApiBank.Apis;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>
/// Scores calls of API-Bank's Call mode as the official evaluator does: the call is executed by simulated APIs on a fresh
/// copy of the databases, and that API's own comparison of input, output and exception decides. Thread-safe.
/// </summary>
public sealed partial class ApiBankScorer
{
    /// <summary>What Python says of keyword arguments that are no mapping.</summary>
    internal const string NotAnObject = "call_rejected:TypeError";

    private readonly ApiBankData _data;
    private readonly bool _fixedRules;
    private readonly Dictionary<string, SimulatedApi> _apis;

    /// <param name="folder">The data: <c>dialogues</c> and <c>init_database</c>.</param>
    /// <param name="fixedRules">True: put the official evaluator's quirks right (docs/evaluation.md).</param>
    /// <exception cref="InvalidDataException">The folder is not API-Bank's; the message names the file.</exception>
    public ApiBankScorer(string folder, bool fixedRules = false)
    {
        _data = new ApiBankData(folder);
        _fixedRules = fixedRules;
        _apis = AccountApis.All.Concat(CalendarApis.All).Concat(MeetingApis.All).Concat(HealthApis.All).Concat(HomeApis.All).Concat(InformationApis.All)
            .ToDictionary(api => api.Name, StringComparer.Ordinal);
    }

    /// <summary>The verdict on a structured call; the error type is the evaluator's reason.</summary>
    /// <param name="file">The dialogue's file name.</param>
    /// <param name="id">The sample's number in it.</param>
    /// <param name="name">The API's name as the model wrote it.</param>
    /// <param name="argumentsJson">A JSON object.</param>
    /// <exception cref="InvalidDataException">There is no such sample, or a database file is missing.</exception>
    public EvaluationVerdict ScoreCall(string file, int id, string name, string argumentsJson) =>
        PyJson.TryParse(argumentsJson, out PyValue? arguments) && arguments.Kind == PyKind.Dict
            ? ScoreCall(file, id, name, arguments.Entries)
            : EvaluationVerdict.Wrong(NotAnObject, FailureClass.NotAnObject);

    /// <summary>The verdict on a reply in the benchmark's text form, <c>[Name(key='value', …)]</c>.</summary>
    /// <inheritdoc cref="ScoreCall(string, int, string, string)"/>
    public EvaluationVerdict ScoreText(string file, int id, string completion) => ScoreText(file, id, completion, out _);

    /// <inheritdoc cref="ScoreText(string, int, string)"/>
    /// <param name="file">The dialogue's file name.</param>
    /// <param name="id">The sample's number in it.</param>
    /// <param name="completion">The reply.</param>
    /// <param name="read">The call, its arguments before they are converted; null where the text has none.</param>
    internal EvaluationVerdict ScoreText(string file, int id, string completion, out (string Name, PyDict Arguments)? read)
    {
        ApiBankTruth truth = _data.Truth(file, id);
        Match call = Call().Match(completion);
        if (!call.Success)
        {
            read = null;
            return EvaluationVerdict.Wrong("no_api_call");
        }

        string name = call.Groups[1].Value;
        if (_fixedRules && ParseExactly(completion, call.Index) is (string exactName, PyDict exact))
        {
            read = (exactName, exact);
            return Evaluate(truth, exactName, exact, ConvertJson, _ => "call_rejected");
        }

        PyDict arguments = [];
        foreach (Match match in Parameter().Matches(call.Groups[2].Value))
        {
            int key = match.Groups[1].Length > 0 ? 1 : match.Groups[3].Length > 0 ? 3 : 5;
            arguments[match.Groups[key].Value] = PyValue.Of(match.Groups[key + 1].Value);
        }

        read = (name, arguments);
        return Evaluate(truth, name, arguments, ConvertText, _ => "call_rejected");
    }

    /// <summary>The API that the recorded call uses.</summary>
    internal string ExpectedApi(string file, int id) => _data.Truth(file, id).ApiName;

    internal EvaluationVerdict ScoreCall(string file, int id, string name, PyDict arguments) =>
        Evaluate(_data.Truth(file, id), name, arguments, ConvertJson, error => "call_rejected:" + error.Type);

    private EvaluationVerdict Evaluate(
        ApiBankTruth truth, string name, PyDict arguments, Func<string, PyValue, PyValue> convert, Func<PyException, string> rejected)
    {
        if (name != truth.ApiName)
        {
            return EvaluationVerdict.Wrong("name_mismatch", $"{name} instead of {truth.ApiName}");
        }

        if (_fixedRules && PyValue.Equal(PyValue.Of(arguments), truth.Result.Input))
        {
            // Quirk: some recorded results cannot be reproduced from a fresh database, so even the reference call fails.
            return EvaluationVerdict.Correct;
        }

        SimulatedApi api = _apis.TryGetValue(name, out SimulatedApi? found)
            ? found
            : throw new InvalidDataException($"API-Bank's API '{name}' is not simulated.");
        PyDict bound;
        try
        {
            bound = Bind(api, arguments, convert);
        }
        catch (PyException e)
        {
            return EvaluationVerdict.Wrong(rejected(e), $"{name}: {e.Message}");
        }

        ApiResult response = Execute(api, bound);
        try
        {
            return api.Matches(response, truth.Result) ? EvaluationVerdict.Correct
                : response.Exception.IsNone ? EvaluationVerdict.Wrong("mismatch", name)
                : EvaluationVerdict.Wrong("tool_exception", $"{name}: {response.Exception.Text}");
        }
        catch (PyException e)
        {
            return EvaluationVerdict.Wrong(e.Type == "KeyError" ? "key_error" : "crash:" + e.Type, $"{name}: {e.Message}");
        }
    }

    /// <summary>The tool manager's conversion and Python's binding of keyword arguments to the API's signature.</summary>
    private static PyDict Bind(SimulatedApi api, PyDict arguments, Func<string, PyValue, PyValue> convert)
    {
        PyDict converted = [];
        foreach (KeyValuePair<string, PyValue> argument in arguments)
        {
            ApiParameter parameter = api.Parameters.FirstOrDefault(candidate => candidate.Name == argument.Key)
                ?? throw new PyException("AssertionError", $"invalid parameter name. parameter: {argument.Key}");
            converted[argument.Key] = convert(parameter.Type, argument.Value);
        }

        PyDict bound = [];
        foreach (ApiParameter parameter in api.Parameters)
        {
            if (converted.TryGetValue(parameter.Name, out PyValue? value))
            {
                bound[parameter.Name] = value;
            }
            else if (parameter.Required)
            {
                throw new PyException("TypeError", $"missing required argument '{parameter.Name}'");
            }
            else if (!parameter.Keyword)
            {
                bound[parameter.Name] = PyValue.None;
            }
        }

        return bound;
    }

    private ApiResult Execute(SimulatedApi api, PyDict arguments)
    {
        PyValue input = api.RecordsNoInput ? PyValue.None : PyValue.Of(arguments);
        try
        {
            return new ApiResult(input, api.Execute(arguments, _data.NewDatabase()), PyValue.None);
        }
        catch (PyException e)
        {
            return new ApiResult(input, PyValue.None, PyValue.Of(e.Message));
        }
    }

    private static PyValue ConvertText(string type, PyValue value) => type switch
    {
        "int" => Digits(value),
        "float" => PyNumbers.IsDigits(Fraction().Replace(value.Text, "", 1))
            ? PyNumbers.ParseFloat(value.Text)!
            : throw new PyException("AssertionError", "invalid parameter type."),
        "bool" => PyValue.Of(value.Is("True")),
        _ => value,
    };

    private PyValue ConvertJson(string type, PyValue value)
    {
        switch (type)
        {
            case "int" or "float" when value.Kind is PyKind.None or PyKind.List or PyKind.Dict:
                throw new PyException("TypeError", $"{type}() argument must be a string or a number, not '{value.TypeName}'");
            case "int" when value.Kind == PyKind.Float:
                return double.IsFinite(value.Number)
                    ? PyValue.Of(new System.Numerics.BigInteger(value.Number))
                    : throw new PyException(double.IsNaN(value.Number) ? "ValueError" : "OverflowError", "cannot convert float to integer");
            case "int" when value.Kind == PyKind.Bool:
                return PyValue.Of(value.Integer);
            case "float" when value.Kind is PyKind.Int or PyKind.Bool:
                return PyValue.Of((double)value.Integer);
            case "int" or "float" when value.IsString:
                return ConvertText(type, value);
            case "bool":
                // Quirk: a flag is true only for the string "True", so JSON's true becomes false.
                return PyValue.Of(value.Is("True") || (_fixedRules && (value.Is("true") || (value.Kind == PyKind.Bool && value.IsTruthy))));
            default:
                return value;
        }
    }

    private static PyValue Digits(PyValue value) => value.IsString && PyNumbers.IsDigits(value.Text)
        ? PyNumbers.ParseInt(value.Text)!
        : throw new PyException("AssertionError", $"invalid parameter type. parameter: {PyText.Str(value)}");

    /// <summary>
    /// With <c>--fixed</c>: the call read by a real parser, after putting the quotes around lists right
    /// (<c>key='['a', 'b']'</c> is how the benchmark itself writes them); null where that fails.
    /// </summary>
    private static (string Name, PyDict Arguments)? ParseExactly(string completion, int start)
    {
        string text = QuotedList().Replace(completion[start..], "$1");
        for (int end = text.IndexOf(")]", StringComparison.Ordinal); end >= 0; end = text.IndexOf(")]", end + 1, StringComparison.Ordinal))
        {
            try
            {
                return PyExpressionParser.ParseCalls(text[..(end + 2)])[0];
            }
            catch (FormatException)
            {
                // A ")]" inside a value: go on to the next one.
            }
        }

        return null;
    }

    [GeneratedRegex(@"\[(\w+)\((.*)\)\]")]
    private static partial Regex Call();

    [GeneratedRegex(@"(\w+)\s*=\s*['""](.+?)['""]|(\w+)\s*=\s*(\[.*\])|(\w+)\s*=\s*(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\.")]
    private static partial Regex Fraction();

    [GeneratedRegex(@"(?<==\s*)['""](\[.*?\])['""](?=\s*[,)])")]
    private static partial Regex QuotedList();
}
