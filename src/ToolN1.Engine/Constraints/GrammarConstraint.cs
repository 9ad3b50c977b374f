using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// Keeps one sequence to a grammar. When thinking has used its budget its tag is closed; when the token limit comes near,
/// the answer is completed the shortest way, so that it is valid wherever the limit leaves room for that.
/// </summary>
internal sealed class GrammarConstraint : ITokenConstraint
{
    private readonly GrammarMatcher _matcher;
    private readonly ForcedTokens _forcedTokens;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly ThinkingRule? _thinking;
    private readonly ulong[] _mask;
    private readonly int _slack;
    private readonly Queue<int> _completion = new();
    private int _nextCheck = int.MaxValue;
    private int _thought;
    private bool _ended;

    /// <summary>Starts at the grammar's beginning.</summary>
    /// <param name="grammar">What the answer may be.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="endTokens">Ids that end an answer.</param>
    /// <param name="thinking">The grammar's thinking part, if it has one.</param>
    public GrammarConstraint(Grammar grammar, VocabularyIndex vocabulary, IReadOnlyList<int> endTokens, ThinkingRule? thinking)
    {
        _matcher = new GrammarMatcher(grammar, vocabulary);
        _forcedTokens = new ForcedTokens(vocabulary);
        _endTokens = endTokens;
        _thinking = thinking;
        _mask = new ulong[Math.Max(vocabulary.Words, (endTokens.Max() / 64) + 1)];

        _slack = grammar.MaxGrowth + 4;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<ulong> Allowed(int remaining)
    {
        Prepare(remaining);
        if (_completion.TryPeek(out int next))
        {
            _mask.AsSpan().Clear();
            Allow(next);
            return _mask;
        }

        if (_ended)
        {
            // Only a caller that generates through the end comes here.
            _mask.AsSpan().Clear();
        }
        else
        {
            _matcher.FillMask(_mask);
        }

        if (_ended || _matcher.CanEnd)
        {
            foreach (int token in _endTokens)
            {
                Allow(token);
            }
        }

        return _mask;
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Forced(int remaining)
    {
        Prepare(remaining);
        if (_completion.Count > 0)
        {
            return [.. _completion];
        }

        if (_ended || _matcher.IsComplete)
        {
            return [];
        }

        List<int> tokens = _forcedTokens.Certain(_matcher.Forced());
        return tokens.Count < remaining ? tokens : [];
    }

    /// <inheritdoc/>
    public void Accept(int token)
    {
        if (_endTokens.Contains(token) && (_matcher.CanEnd || _ended))
        {
            _ended = true;
            return;
        }

        bool thinks = IsThinking;
        if (!_matcher.Advance(token))
        {
            throw new InvalidOperationException($"Token {token} is not what the constraint allows.");
        }

        _thought += thinks ? 1 : 0;
        _forcedTokens.Note(token);
        if (_completion.TryPeek(out int next) && next == token)
        {
            _completion.Dequeue();
        }
        else
        {
            _completion.Clear();
        }
    }

    private bool IsThinking => _thinking is not null && _matcher.Stacks.Any(stack => ReferenceEquals(stack.Rule, _thinking.Text));

    private void Prepare(int remaining)
    {
        if (_thinking is { } thinking && _thought >= thinking.Budget && IsThinking)
        {
            _matcher.Replace(_matcher.Stacks.Where(stack => ReferenceEquals(stack.Rule, thinking.Text)).Select(stack =>
                new Frame(thinking.Closing, stack.State, stack.Parent, stack.Room)));
        }

        if (_completion.Count > 0 || _matcher.CanEnd || remaining > Math.Min(_nextCheck, _matcher.MinBytes + _slack + 1))
        {
            return;
        }

        if (_matcher.ShortestCompletion() is { } text)
        {
            List<int> tokens = _forcedTokens.All(text);
            int spare = remaining - (tokens.Count + 1 + _slack);
            if (spare <= 0)
            {
                tokens.ForEach(_completion.Enqueue);
            }

            // A token uses up one of the spare and may lengthen the completion by the slack: so long there is no need to look.
            _nextCheck = remaining - Math.Max(1, spare / (1 + _slack));
        }
    }

    private void Allow(int token) => _mask[token >> 6] |= 1UL << (token & 63);
}
