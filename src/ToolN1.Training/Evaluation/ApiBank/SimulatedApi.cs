using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>One of the benchmark's APIs: its signature, its behaviour on a database, and its own idea of a correct call.</summary>
internal sealed class SimulatedApi
{
    /// <param name="name">The API's name.</param>
    /// <param name="signature">
    /// Parameters as <c>name:type</c>, separated by spaces; <c>?</c> after the name: defaults to None, <c>*</c>: a keyword.
    /// </param>
    /// <param name="execute">Returns the output; raises <see cref="PyException"/>, whose text becomes the recorded exception.</param>
    /// <param name="matches">Compares a response with the recorded one; may raise, which is then the evaluator's crash.</param>
    public SimulatedApi(string name, string signature, Func<PyDict, ApiDatabase, PyValue> execute, Func<ApiResult, ApiResult, bool> matches)
    {
        Name = name;
        Parameters = signature.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToList();
        Execute = execute;
        Matches = matches;
    }

    public string Name { get; }

    public IReadOnlyList<ApiParameter> Parameters { get; }

    public Func<PyDict, ApiDatabase, PyValue> Execute { get; }

    public Func<ApiResult, ApiResult, bool> Matches { get; }

    /// <summary>True for GetToday alone, which records None as its input.</summary>
    public bool RecordsNoInput { get; init; }

    /// <summary>The comparison of most APIs: input, output and exception are equal.</summary>
    public static bool AllEqual(ApiResult response, ApiResult truth) =>
        ApiResult.SameInput(response, truth) && ApiResult.SameOutcome(response, truth);

    private static ApiParameter Parse(string text)
    {
        string[] parts = text.Split(':');
        string name = parts[0].TrimEnd('?', '*');
        return new ApiParameter(name, parts[1], name == parts[0], parts[0].EndsWith('*'));
    }
}
