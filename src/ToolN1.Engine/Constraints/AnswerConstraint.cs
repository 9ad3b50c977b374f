using ToolN1.Engine.Constraints.Masks;

namespace ToolN1.Engine.Constraints;

/// <summary>What an answer has to be, compiled. Immutable; several sequences may start from it.</summary>
public sealed class AnswerConstraint
{
    private readonly Grammar _grammar;
    private readonly VocabularyIndex _vocabulary;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly ThinkingRule? _thinking;

    internal AnswerConstraint(Grammar grammar, VocabularyIndex vocabulary, IReadOnlyList<int> endTokens, ThinkingRule? thinking)
    {
        _grammar = grammar;
        _vocabulary = vocabulary;
        _endTokens = endTokens;
        _thinking = thinking;
    }

    /// <summary>Whether a whole answer, tags included as text, fulfils the constraint.</summary>
    /// <param name="answer">UTF-8.</param>
    public bool Accepts(ReadOnlySpan<byte> answer) => GrammarMatcher.Accepts(_grammar, answer);

    /// <summary>The constraint of one new sequence.</summary>
    public ITokenConstraint Start() => new GrammarConstraint(_grammar, _vocabulary, _endTokens, _thinking);
}
