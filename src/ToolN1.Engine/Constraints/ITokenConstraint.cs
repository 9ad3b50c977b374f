namespace ToolN1.Engine.Constraints;

/// <summary>
/// What one sequence may still say. It travels with the sequence, preemption included, and is used by one thread at a
/// time. Each step: append <see cref="Forced"/>, or sample under <see cref="Allowed"/>; either way <see cref="Accept"/>.
/// </summary>
public interface ITokenConstraint
{
    /// <summary>The tokens that may come next, those that end the answer included.</summary>
    /// <param name="remaining">Tokens that the request's limit leaves, at least one.</param>
    /// <returns>One bit a token, valid until the next call; ids beyond it are not allowed. Never empty.</returns>
    ReadOnlyMemory<ulong> Allowed(int remaining);

    /// <summary>Tokens that are certain to come next, in the tokenizer's own tokenization; empty when there are none.</summary>
    /// <param name="remaining">Tokens that the request's limit leaves.</param>
    IReadOnlyList<int> Forced(int remaining);

    /// <summary>Notes the token that was appended.</summary>
    /// <exception cref="InvalidOperationException">It was not allowed.</exception>
    void Accept(int token);
}
