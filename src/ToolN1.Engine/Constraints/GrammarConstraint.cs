using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// Keeps one sequence to a grammar. When thinking has used its budget its tag is closed; when the token limit comes near,
/// only what leaves room for the end is allowed, so that the answer is valid wherever the limit leaves room for one.
/// </summary>
internal sealed class GrammarConstraint : ITokenConstraint
{
    // A token opens a few brackets at most, each of which may have something required in it.
    private const int MaxChoices = 8;
    private const int Slack = 256;
    private readonly GrammarMatcher _matcher;
    private readonly ForcedTokens _forcedTokens;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly ThinkingRule? _thinking;
    private readonly ulong[] _mask;
    private readonly long _maxGrowth;
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
        _maxGrowth = ((long)MaxChoices * grammar.MaxGrowth) + Slack;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<ulong> Allowed(int remaining)
    {
        CloseThinkingInTime();
        if (_ended)
        {
            // Only a caller that generates through the end comes here.
            _mask.AsSpan().Clear();
        }
        else if (remaining - 2 - _matcher.MinBytes >= _maxGrowth)
        {
            _matcher.FillMask(_mask, MaskLimit.None);
        }
        else
        {
            FillMaskNearTheLimit(remaining);
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
        CloseThinkingInTime();
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
        if (_ended || !_matcher.Advance(token))
        {
            throw new InvalidOperationException($"Token {token} is not what the constraint allows.");
        }

        _thought += thinks ? 1 : 0;
        _forcedTokens.Note(token);
    }

    private bool IsThinking => _thinking is not null && _matcher.Stacks.Any(stack => ReferenceEquals(stack.Rule, _thinking.Text));

    private void CloseThinkingInTime()
    {
        if (_thinking is { } thinking && _thought >= thinking.Budget && IsThinking)
        {
            _matcher.Replace(_matcher.Stacks.Where(stack => ReferenceEquals(stack.Rule, thinking.Text)).Select(stack =>
                new Frame(thinking.Closing, stack.State, stack.Parent, stack.Room)));
        }
    }

    /// <summary>
    /// Allows what leaves room for the end. After a token, as many bytes must complete the answer as tokens are left, since
    /// every byte is a token if need be; that is an invariant, for some byte always brings the end one byte nearer. Where
    /// it is too cautious, the actual tokens of the shortest completion count: that completion is always allowed, and so is
    /// what stays within a text as long as the completion still fits behind it.
    /// </summary>
    private void FillMaskNearTheLimit(int remaining)
    {
        // One token for the choice itself, one for the end.
        int spare = Math.Max(0, remaining - 2);
        if (_matcher.MinBytes + JsonStringTable.MaxGrowth <= spare)
        {
            _matcher.FillMask(_mask, new MaskLimit(spare, spare));
            if (_matcher.CanEnd || _mask.AsSpan().ContainsAnyExcept(0UL))
            {
                return;
            }
        }

        List<int> completion = _matcher.ShortestCompletion() is { } text ? _forcedTokens.All(text) : [];

        // Tokens may join differently where the completion begins.
        const int Seams = 3;
        int leaf = completion.Count == 0 ? spare : Math.Max(spare, spare - Seams - completion.Count + _matcher.MinBytes);
        _matcher.FillMask(_mask, new MaskLimit(spare, leaf));
        if (completion.Count > 0)
        {
            Allow(completion[0]);
        }
        else if (!_matcher.CanEnd && !_mask.AsSpan().ContainsAnyExcept(0UL))
        {
            _matcher.FillMask(_mask, MaskLimit.None);
        }
    }

    private void Allow(int token) => _mask[token >> 6] |= 1UL << (token & 63);
}
