namespace ToolN1.Engine.Constraints;

/// <summary>A constraint failed while it was evaluated: the sequence ends, for it must not go on without.</summary>
public sealed class ConstraintEvaluationException(string message, Exception inner) : Exception(message, inner);
