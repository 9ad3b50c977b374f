namespace ToolN1.Training.Evaluation;

/// <summary>What a benchmark's checker says about one reply.</summary>
/// <param name="Valid">Whether the reply counts as correct.</param>
/// <param name="ErrorType">Null when valid; else the official checker's name of the first failure.</param>
/// <param name="Detail">Null, or what failed in words (function and parameter), for reports only.</param>
public readonly record struct EvaluationVerdict(bool Valid, string? ErrorType, string? Detail = null)
{
    /// <summary>The verdict of a correct reply.</summary>
    public static EvaluationVerdict Correct { get; } = new(true, null);

    /// <summary>A failure.</summary>
    public static EvaluationVerdict Wrong(string errorType, string? detail = null) => new(false, errorType, detail);
}
