namespace ToolN1.Engine.Sampling;

/// <summary>The model's logits hold NaN or an infinity, or every token is excluded: no next token can be chosen.</summary>
public sealed class NonFiniteLogitsException(string message) : Exception(message);
