namespace ToolN1.Training.Grpo;

/// <summary>A change of a run's values that the run cannot take.</summary>
/// <param name="field">The value.</param>
/// <param name="requirement">What it must be.</param>
public sealed class GrpoEditException(string field, string requirement) : ArgumentException($"'{field}' must be {requirement}.")
{
    /// <summary>The value.</summary>
    public string Field { get; } = field;
}
