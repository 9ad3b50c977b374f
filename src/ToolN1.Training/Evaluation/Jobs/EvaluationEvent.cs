using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>Something that happened to an evaluation (a line of events.jsonl in its folder).</summary>
/// <param name="Number">From 1 in each evaluation.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Level"><c>info</c> or <c>error</c>.</param>
/// <param name="Message">In words.</param>
/// <param name="Progress">How far it had come.</param>
public sealed record EvaluationEvent(int Number, DateTimeOffset CreatedAt, string Level, string Message, EvaluationProgress Progress);
