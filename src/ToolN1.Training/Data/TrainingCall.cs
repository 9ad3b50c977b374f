namespace ToolN1.Training.Data;

/// <summary>One call of a row's answer.</summary>
/// <param name="Name">The tool's name.</param>
/// <param name="ArgumentsJson">The arguments, a JSON object in Python's json.dumps spacing; numbers and escapes as the row wrote them.</param>
public sealed record TrainingCall(string Name, string ArgumentsJson);
