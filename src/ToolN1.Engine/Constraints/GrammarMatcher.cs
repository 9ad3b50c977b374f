using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// Where one sequence stands in a grammar. Every stack it holds can be completed, so a mask is never empty before the
/// end. Not thread-safe.
/// </summary>
internal sealed class GrammarMatcher
{
    // More readings of one text than this are not followed up. Dropping some allows less, never more.
    private const int MaxStacks = 128;
    private const int MaxForced = 4096;
    private readonly VocabularyIndex _vocabulary;
    private readonly MaskBuilder _masks;
    private List<Frame> _stacks = [];
    private bool _canEnd;

    /// <summary>Starts at the grammar's beginning.</summary>
    public GrammarMatcher(Grammar grammar, VocabularyIndex vocabulary)
    {
        _vocabulary = vocabulary;
        _masks = new MaskBuilder(vocabulary);
        Grammar = grammar;
        _stacks = Close([grammar.Root], out _canEnd);
    }

    /// <summary>The grammar.</summary>
    public Grammar Grammar { get; }

    /// <summary>Whether the answer may end here.</summary>
    public bool CanEnd => _canEnd;

    /// <summary>Whether nothing may follow.</summary>
    public bool IsComplete => _stacks.Count == 0;

    /// <summary>Fewest bytes to the end.</summary>
    public int MinBytes => _canEnd ? 0 : _stacks.Min(stack => stack.MinBytes);

    /// <summary>The stacks, for whoever looks for a certain rule on top.</summary>
    public IReadOnlyList<Frame> Stacks => _stacks;

    /// <summary>Whether a whole text belongs to a grammar.</summary>
    public static bool Accepts(Grammar grammar, ReadOnlySpan<byte> text)
    {
        List<Frame> stacks = Close([grammar.Root], out bool canEnd);
        foreach (byte value in text)
        {
            stacks = Step(stacks, value, false, out canEnd);
        }

        return canEnd;
    }

    /// <summary>Replaces the stacks (a thinking budget that runs out puts its end in their place).</summary>
    public void Replace(IEnumerable<Frame> stacks) => _stacks = Close(stacks, out _canEnd);

    /// <summary>Sets the bit of every token that may come next; the end of the answer is the caller's.</summary>
    /// <param name="mask">One bit a token; cleared first.</param>
    /// <param name="limit">How long the rest of the answer may become.</param>
    public void FillMask(Span<ulong> mask, MaskLimit limit)
    {
        mask.Clear();
        bool hasFreeText = false;
        foreach (Frame stack in _stacks)
        {
            _masks.Add(stack, mask, limit);
            hasFreeText |= stack.Rule.Shape == RuleShape.FreeText;
            int added = stack.Rule.AddedToken(stack.State);
            if (added >= 0 && stack.At(stack.Rule.AfterAddedToken).MinBytes <= limit.MaxBytes)
            {
                mask[added >> 6] |= 1UL << (added & 63);
            }
        }

        if (hasFreeText)
        {
            foreach ((int id, byte[] bytes) in _vocabulary.Added)
            {
                List<Frame> after = StepAll(bytes, true, out bool ends);
                if (ends || (after.Count > 0 && after.Min(stack => stack.MinBytes) <= limit.MaxBytes))
                {
                    mask[id >> 6] |= 1UL << (id & 63);
                }
            }
        }
    }

    /// <summary>Moves on by a token.</summary>
    /// <returns>False, and nothing changes, when the token is not allowed.</returns>
    public bool Advance(int token)
    {
        List<Frame> next;
        bool canEnd;
        if (_vocabulary.Added.TryGetValue(token, out byte[]? bytes))
        {
            next = Close(TakeAddedToken(_stacks, token), out canEnd);
            if (next.Count == 0 && !canEnd)
            {
                next = StepAll(bytes, true, out canEnd);
            }
        }
        else if (_vocabulary.Tokenizer.IsAdded(token))
        {
            return false;
        }
        else
        {
            next = StepAll(_vocabulary.Tokenizer.TokenBytes(token).Span, false, out canEnd);
        }

        if (next.Count == 0 && !canEnd)
        {
            return false;
        }

        (_stacks, _canEnd) = (next, canEnd);
        return true;
    }

    /// <summary>The bytes or added tokens that alone can come next, as far as they are certain.</summary>
    public GrammarText Forced()
    {
        GrammarText text = new();
        List<Frame> stacks = _stacks;
        bool canEnd = _canEnd;
        while (!canEnd && text.Length < MaxForced && TryOnly(stacks, out int value, out int token))
        {
            stacks = Follow(stacks, value, token, text, out canEnd);
        }

        text.Rest = stacks;
        text.EndsThere = canEnd;
        return text;
    }

    /// <summary>The shortest text that completes the answer; null when it is not found.</summary>
    public GrammarText? ShortestCompletion()
    {
        GrammarText text = new();
        List<Frame> stacks = _stacks;
        bool canEnd = _canEnd;
        while (!canEnd)
        {
            if (stacks.Count == 0 || text.Length > MaxForced * 4)
            {
                return null;
            }

            // 1. The byte that brings the end nearest; one byte cannot bring it nearer than by one.
            int value = -1;
            int fewest = int.MaxValue;
            int nearest = stacks.Min(stack => stack.MinBytes) - 1;
            for (int candidate = 0; candidate < 256 && fewest > nearest; candidate++)
            {
                if (!stacks.Exists(stack => CanTake(stack, (byte)candidate)))
                {
                    continue;
                }

                List<Frame> after = Step(stacks, (byte)candidate, false, out bool ends);
                int bytes = ends ? 0 : after.Count == 0 ? int.MaxValue : after.Min(stack => stack.MinBytes);
                if (bytes < fewest)
                {
                    (fewest, value) = (bytes, candidate);
                }
            }

            // 2. Or a tag's token.
            int token = -1;
            foreach (Frame stack in stacks)
            {
                int added = stack.Rule.AddedToken(stack.State);
                int bytes = added < 0 ? int.MaxValue : stack.At(stack.Rule.AfterAddedToken).MinBytes;
                if (bytes < fewest)
                {
                    (fewest, token) = (bytes, added);
                }
            }

            if (value < 0 && token < 0)
            {
                return null;
            }

            stacks = Follow(stacks, value, token, text, out canEnd);
        }

        text.Rest = stacks;
        text.EndsThere = true;
        return text;
    }

    private static bool CanTake(Frame stack, byte value) =>
        stack.Rule.HasBytes(stack.State) && stack.Rule.Next(stack.State, value, stack.Room) >= 0;

    private static List<Frame> Follow(List<Frame> stacks, int value, int token, GrammarText text, out bool canEnd)
    {
        if (token >= 0)
        {
            text.AddToken(token);
            return Close(TakeAddedToken(stacks, token), out canEnd);
        }

        text.AddByte((byte)value);
        return Step(stacks, (byte)value, false, out canEnd);
    }

    private static bool TryOnly(List<Frame> stacks, out int value, out int token)
    {
        value = -1;
        token = -1;
        foreach (Frame stack in stacks)
        {
            int added = stack.Rule.AddedToken(stack.State);
            if (added >= 0 && (value >= 0 || (token >= 0 && token != added)))
            {
                return false;
            }

            token = added >= 0 ? added : token;
            if (!stack.Rule.HasBytes(stack.State))
            {
                continue;
            }

            for (int candidate = 0; candidate < 256; candidate++)
            {
                if (candidate != value && stack.Rule.Next(stack.State, (byte)candidate, stack.Room) >= 0)
                {
                    if (value >= 0 || token >= 0)
                    {
                        return false;
                    }

                    value = candidate;
                }
            }
        }

        return value >= 0 || token >= 0;
    }

    private static IEnumerable<Frame> TakeAddedToken(List<Frame> stacks, int token) =>
        stacks.Where(stack => stack.Rule.AddedToken(stack.State) == token).Select(stack => stack.At(stack.Rule.AfterAddedToken));

    private List<Frame> StepAll(ReadOnlySpan<byte> bytes, bool onlyFreeText, out bool canEnd)
    {
        List<Frame> stacks = _stacks;
        canEnd = false;
        foreach (byte value in bytes)
        {
            stacks = Step(stacks, value, onlyFreeText, out canEnd);
            if (stacks.Count == 0 && !canEnd)
            {
                break;
            }
        }

        return stacks;
    }

    private static List<Frame> Step(List<Frame> stacks, byte value, bool onlyFreeText, out bool canEnd)
    {
        IEnumerable<Frame> Moved()
        {
            foreach (Frame stack in stacks)
            {
                if (onlyFreeText && stack.Rule.Shape != RuleShape.FreeText)
                {
                    continue;
                }

                int state = stack.Rule.HasBytes(stack.State) ? stack.Rule.Next(stack.State, value, stack.Room) : -1;
                if (state >= 0)
                {
                    yield return stack.At(state);
                }
            }
        }

        return Close(Moved(), out canEnd);
    }

    /// <summary>Follows calls and ends until every stack waits for input.</summary>
    private static List<Frame> Close(IEnumerable<Frame> stacks, out bool canEnd)
    {
        List<Frame> closed = [];
        HashSet<Frame> seen = [];
        bool ends = false;
        foreach (Frame stack in stacks)
        {
            Visit(stack);
        }

        canEnd = ends;
        return closed;

        void Visit(Frame frame)
        {
            if (closed.Count >= MaxStacks || !seen.Add(frame))
            {
                return;
            }

            Rule rule = frame.Rule;
            if (rule.HasBytes(frame.State) || rule.AddedToken(frame.State) >= 0)
            {
                closed.Add(frame);
            }

            int calls = rule.CallCount(frame.State);
            for (int i = 0; i < calls; i++)
            {
                if (Frame.Push(frame, i) is { } callee)
                {
                    Visit(callee);
                }
            }

            if (rule.IsFinal(frame.State))
            {
                if (frame.Parent is null)
                {
                    ends = true;
                }
                else
                {
                    Visit(frame.Parent);
                }
            }
        }
    }
}
