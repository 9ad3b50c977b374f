using System.Text.Json.Serialization;

namespace ToolN1.Training.Evaluation;

/// <summary>One evaluated row.</summary>
/// <param name="Category">The row's category, or the name of its file.</param>
/// <param name="Index">Place in the file, from 0.</param>
/// <param name="Correct">Whether the answer is right.</param>
/// <param name="Request">The last message.</param>
/// <param name="Expected">The true calls.</param>
/// <param name="Output">What the model wrote, tags included.</param>
/// <param name="Tokens">Tokens generated.</param>
public sealed record EvaluationCase(string Category, int Index, bool Correct, string Request, string Expected, string Output, int Tokens)
{
    /// <summary>Why the answer could not be scored, which says neither right nor wrong; null where it was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Failure { get; init; }
}
