namespace ToolN1.Training.Evaluation.Python;

/// <summary>
/// What the official Python code would have raised: the benchmarks' verdicts depend on the exception's type and text.
/// </summary>
internal sealed class PyException(string type, string message) : Exception(message)
{
    /// <summary>Python's class name, such as <c>AttributeError</c>.</summary>
    public string Type { get; } = type;

    /// <summary>The error of calling a string method on something else.</summary>
    public static PyException NoAttribute(PyValue value, string attribute) =>
        new("AttributeError", $"'{value.TypeName}' object has no attribute '{attribute}'");
}
