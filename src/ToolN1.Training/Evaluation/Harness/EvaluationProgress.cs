namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Where a run stands.</summary>
/// <param name="Answered">Questions with a result, those of earlier runs included.</param>
/// <param name="Total">All questions.</param>
/// <param name="Correct">Correct ones among the answered.</param>
/// <param name="Failed">Questions that got no answer in this run.</param>
public readonly record struct EvaluationProgress(int Answered, int Total, int Correct, int Failed);
