namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A model gave no answer, retries included. The case stays open and the next run asks again.</summary>
public sealed class EvaluationModelException(string message, Exception? inner = null) : Exception(message, inner);
