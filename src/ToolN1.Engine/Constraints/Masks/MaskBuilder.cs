using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Masks;

/// <summary>
/// Finds the tokens that may come next: a walk over the vocabulary's tree with the automaton, in which a leaf that lets
/// much through (a string's content, free text) is looked up instead. Not thread-safe; one a sequence.
/// </summary>
internal sealed class MaskBuilder(VocabularyIndex vocabulary)
{
    private const int CacheFrom = 512;
    private const int MaxVisits = 2_000_000;

    // Walks within walks each use a stretch of their own; together they are no longer than two tokens of 255 bytes.
    private readonly int[] _states = new int[1024];
    private int _top;
    private int _visits;

    /// <summary>Sets the bit of every plain token that a stack allows. Bits that are set stay so.</summary>
    public void Add(Frame frame, Span<ulong> mask)
    {
        (_visits, _top) = (0, 0);
        Visit(vocabulary.Trie, 0, frame, mask);
    }

    /// <summary>Adds the tokens below a node that begin with the frame's rule.</summary>
    private void Visit(TokenTrie trie, int node, Frame frame, Span<ulong> mask)
    {
        // Ambiguous grammars could visit a node very often. Stopping early only forbids more than necessary.
        if (!trie.HasChildren(node) || _visits > MaxVisits)
        {
            return;
        }

        Rule rule = frame.Rule;
        VisitCallsAndEnd(trie, node, frame, mask);
        if (!rule.HasBytes(frame.State))
        {
            return;
        }

        if (rule.IsLeaf && node == 0 && ReferenceEquals(trie, vocabulary.Trie))
        {
            VisitLeaf(frame, mask);
            return;
        }

        WalkWithin(trie, node, frame, mask);
    }

    private void VisitCallsAndEnd(TokenTrie trie, int node, Frame frame, Span<ulong> mask)
    {
        for (int i = frame.Rule.CallCount(frame.State) - 1; i >= 0; i--)
        {
            if (Frame.Push(frame, i) is { } callee)
            {
                Visit(trie, node, callee, mask);
            }
        }

        if (frame.Parent is not null && frame.Rule.IsFinal(frame.State))
        {
            Visit(trie, node, frame.Parent, mask);
        }
    }

    private void WalkWithin(TokenTrie trie, int node, Frame frame, Span<ulong> mask)
    {
        Rule rule = frame.Rule;
        int room = frame.Room;
        int baseDepth = trie.Depths[node];
        int end = trie.Ends[node];

        int offset = _top;
        int[] states = _states;
        states[offset] = frame.State;
        int i = node + 1;
        while (i < end)
        {
            _visits++;
            int depth = trie.Depths[i] - baseDepth;
            int state = rule.Next(states[offset + depth - 1], trie.Labels[i], room);
            if (state < 0)
            {
                i = trie.Ends[i];
                continue;
            }

            states[offset + depth] = state;
            for (int t = trie.FirstTokens[i]; t < trie.FirstTokens[i + 1]; t++)
            {
                Set(mask, trie.Tokens[t]);
            }

            if (trie.HasChildren(i) && (rule.CallCount(state) > 0 || rule.IsFinal(state)))
            {
                _top = offset + depth + 1;
                VisitCallsAndEnd(trie, i, frame.At(state), mask);
                _top = offset;
            }

            i = rule.HasBytes(state) ? i + 1 : trie.Ends[i];
        }
    }

    private void VisitLeaf(Frame frame, Span<ulong> mask)
    {
        Rule rule = frame.Rule;
        object key = rule.MaskKey(frame.State) ?? (rule, frame.State);
        if (!vocabulary.Cache.TryGet(key, out LeafMask leaf))
        {
            int before = _visits;
            leaf = BuildLeaf(rule, frame.State);
            if (_visits - before >= CacheFrom)
            {
                vocabulary.Cache.Add(key, leaf);
            }
        }

        ReadOnlySpan<ulong> within = leaf.Within;
        for (int i = 0; i < within.Length; i++)
        {
            mask[i] |= within[i];
        }

        if (frame.Parent is not null)
        {
            Visit(leaf.Beyond, 0, frame.Parent, mask);
        }
    }

    private LeafMask BuildLeaf(Rule rule, int start)
    {
        TokenTrie trie = vocabulary.Trie;
        ulong[] within = new ulong[vocabulary.Words];
        List<int> ends = [];
        int[] states = _states;
        states[0] = start;
        int i = 1;
        while (i < trie.Count)
        {
            _visits++;
            int depth = trie.Depths[i];
            int state = rule.Next(states[depth - 1], trie.Labels[i], 0);
            if (state < 0)
            {
                i = trie.Ends[i];
                continue;
            }

            states[depth] = state;
            for (int t = trie.FirstTokens[i]; t < trie.FirstTokens[i + 1]; t++)
            {
                Set(within, trie.Tokens[t]);
            }

            if (rule.IsFinal(state) && trie.HasChildren(i))
            {
                ends.Add(i);
            }

            i = rule.HasBytes(state) ? i + 1 : trie.Ends[i];
        }

        return new LeafMask(within, trie.Below(ends));
    }

    private static void Set(Span<ulong> mask, int token) => mask[token >> 6] |= 1UL << (token & 63);
}
