namespace ToolN1.Training.Evaluation.Harness;

/// <summary>What a model answered.</summary>
/// <param name="Completion">The text to score (see <see cref="NativeReply"/> for native mode).</param>
/// <param name="Output">The text as the model wrote it, for the record.</param>
/// <param name="FinishReason">stop, length …; <c>prompt_too_long</c> where the model could not be asked.</param>
/// <param name="PromptTokens">Null where unknown.</param>
/// <param name="CompletionTokens">Null where unknown.</param>
public sealed record EvaluationReply(string Completion, string Output, string FinishReason, int? PromptTokens, int? CompletionTokens)
{
    /// <summary>The answer of a model whose context a prompt does not fit: an empty one, which is scored like any other.</summary>
    public static EvaluationReply PromptTooLong { get; } = new("", "", "prompt_too_long", null, null);
}
