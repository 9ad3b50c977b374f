using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Masks;

/// <summary>
/// Finds the tokens that may come next: a walk over the vocabulary's tree with the automaton. What most of the vocabulary
/// can follow, the inside of a string and free text, is looked up instead. Not thread-safe; one a sequence.
/// </summary>
internal sealed class MaskBuilder(VocabularyIndex vocabulary)
{
    private const int MaxVisits = 2_000_000;

    // Walks within walks each use a stretch of their own; together they are no longer than two tokens of 255 bytes.
    private readonly int[] _states = new int[1024];
    private int _top;
    private int _visits;
    private MaskLimit _limit;

    /// <summary>Sets the bit of every plain token that a stack allows. Bits that are set stay so.</summary>
    public void Add(Frame frame, Span<ulong> mask, MaskLimit limit)
    {
        (_visits, _top, _limit) = (0, 0, limit);
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

        bool isWhole = node == 0 && ReferenceEquals(trie, vocabulary.Trie);
        switch (rule.Shape)
        {
            case RuleShape.String when isWhole:
                VisitString(frame, mask);
                break;
            case RuleShape.FreeText when isWhole:
                VisitFreeText(frame, mask);
                break;
            default:
                WalkWithin(trie, node, frame, mask);
                break;
        }
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
        int below = frame.Parent?.MinBytes ?? 0;
        int baseDepth = trie.Depths[node];
        int end = trie.Ends[node];
        int offset = _top;
        int[] states = _states;
        byte[] depths = trie.Depths;
        byte[] labels = trie.Labels;
        int[] ends = trie.Ends;
        int[] firstTokens = trie.FirstTokens;
        states[offset] = frame.State;
        int i = node + 1;
        int visits = 0;
        while (i < end)
        {
            visits++;
            int depth = depths[i] - baseDepth;
            int state = rule.Next(states[offset + depth - 1], labels[i], room);
            if (state < 0)
            {
                i = ends[i];
                continue;
            }

            states[offset + depth] = state;
            int first = firstTokens[i];
            int last = firstTokens[i + 1];
            if (first < last && (_limit.MaxBytes == int.MaxValue || below + rule.MinBytesFrom(state) <= _limit.MaxBytes))
            {
                for (int t = first; t < last; t++)
                {
                    Set(mask, trie.Tokens[t]);
                }
            }

            if (ends[i] > i + 1)
            {
                if (rule.CallCount(state) > 0 || rule.IsFinal(state))
                {
                    _top = offset + depth + 1;
                    VisitCallsAndEnd(trie, i, frame.At(state), mask);
                    _top = offset;
                }

                i = rule.HasBytes(state) ? i + 1 : ends[i];
            }
            else
            {
                i++;
            }
        }

        _visits += visits;
    }

    /// <summary>
    /// Only a quote ends a string. So tokens without one stay within it, which does not depend on the stack, and those
    /// with one are few enough to walk.
    /// </summary>
    private void VisitString(Frame frame, Span<ulong> mask)
    {
        Rule rule = frame.Rule;
        WalkWithin(vocabulary.Quoted, 0, frame, mask);
        if (frame.State == rule.Start)
        {
            return;
        }

        bool leavesRoom = frame.MinBytes <= _limit.MaxLeafBytes - rule.MaxGrowth;
        StringPlace? place = rule.StringPlace(frame.State);
        ContentMasks content = vocabulary.Content(place?.IsCanonical ?? false);
        if (!leavesRoom || (place is null && !rule.IsBroad(frame.State)) || (place is { Character: > 0 } && place.Value.Left <= content.Longest))
        {
            WalkWithin(vocabulary.Unquoted, 0, frame, mask);
        }
        else if (place is not { } known)
        {
            Add(Cached(rule, frame.State, static (builder, key) => builder.BuildWithin(key.Rule, key.State)).Within, mask);
        }
        else
        {
            Add(known.Character == 0 ? content.UpTo(known.Left) : content.Within(known.Character), mask);
        }
    }

    private void VisitFreeText(Frame frame, Span<ulong> mask)
    {
        LeafMask leaf = Cached(frame.Rule, frame.State, static (builder, key) => builder.BuildFreeText(key.Rule, key.State));
        if (frame.MinBytes <= _limit.MaxLeafBytes - frame.Rule.MaxGrowth)
        {
            Add(leaf.Within, mask);
        }

        if (frame.Parent is not null && leaf.Beyond is not null)
        {
            Visit(leaf.Beyond, 0, frame.Parent, mask);
        }
    }

    private LeafMask Cached(Rule rule, int state, Func<MaskBuilder, (Rule Rule, int State), LeafMask> build)
    {
        (Rule Rule, int State) key = (rule, state);
        if (!vocabulary.Cache.TryGet(key, out LeafMask leaf))
        {
            leaf = build(this, key);
            vocabulary.Cache.Add(key, leaf);
        }

        return leaf;
    }

    private LeafMask BuildWithin(Rule rule, int state)
    {
        ulong[] within = new ulong[vocabulary.Words];
        MaskLimit limit = _limit;
        _limit = MaskLimit.None;
        WalkWithin(vocabulary.Unquoted, 0, new Frame(rule, state, null, 0), within);
        _limit = limit;
        return new LeafMask(within, null);
    }

    private LeafMask BuildFreeText(Rule rule, int start)
    {
        TokenTrie trie = vocabulary.Trie;
        ulong[] within = new ulong[vocabulary.Words];
        List<int> ends = [];
        int[] states = _states;
        states[_top] = start;
        int i = 1;
        while (i < trie.Count)
        {
            int depth = trie.Depths[i];
            int state = rule.Next(states[_top + depth - 1], trie.Labels[i], 0);
            if (state < 0)
            {
                i = trie.Ends[i];
                continue;
            }

            states[_top + depth] = state;
            for (int t = trie.FirstTokens[i]; t < trie.FirstTokens[i + 1]; t++)
            {
                Set(within, trie.Tokens[t]);
            }

            if (!rule.HasBytes(state))
            {
                ends.Add(i);
                i = trie.Ends[i];
            }
            else
            {
                i++;
            }
        }

        ends.RemoveAll(node => !trie.HasChildren(node));
        return new LeafMask(within, ends.Count == 0 ? null : trie.Below(ends));
    }

    private static void Add(ReadOnlySpan<ulong> within, Span<ulong> mask)
    {
        int i = 0;
        for (; i <= within.Length - Vector512<ulong>.Count; i += Vector512<ulong>.Count)
        {
            (Vector512.Create(within[i..]) | Vector512.Create<ulong>(mask[i..])).CopyTo(mask[i..]);
        }

        for (; i < within.Length; i++)
        {
            mask[i] |= within[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Set(Span<ulong> mask, int token) => mask[token >> 6] |= 1UL << (token & 63);
}
