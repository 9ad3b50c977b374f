using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>What a simulated API returned: its input as recorded, its output, and the text of its exception or None.</summary>
internal sealed record ApiResult(PyValue Input, PyValue Output, PyValue Exception)
{
    /// <summary>One argument of the input; KeyError where it is absent, as in Python.</summary>
    public PyValue Argument(string name) => Input.Entries[name];

    public static bool SameInput(ApiResult a, ApiResult b) => PyValue.Equal(a.Input, b.Input);

    public static bool SameOutcome(ApiResult a, ApiResult b) => SameOutput(a, b) && SameException(a, b);

    public static bool SameOutput(ApiResult a, ApiResult b) => PyValue.Equal(a.Output, b.Output);

    public static bool SameException(ApiResult a, ApiResult b) => PyValue.Equal(a.Exception, b.Exception);
}
