using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Masks;

/// <summary>
/// The tokens without a quote that may stand within a JSON string, by the characters that they begin: the same for every
/// string of every schema, so they are found once. Thread-safe.
/// </summary>
internal sealed class ContentMasks
{
    private readonly TokenTrie _trie;
    private readonly int _words;
    private readonly sbyte[] _table;
    private readonly byte[] _begun;
    private readonly ulong[]?[] _upTo;
    private readonly ulong[]?[] _within = new ulong[JsonStringTable.States][];

    /// <summary>Finds them.</summary>
    /// <param name="trie">Tokens without a quote.</param>
    /// <param name="words">64-bit words of a mask.</param>
    /// <param name="table">Which bytes make a character (<see cref="JsonStringTable"/>).</param>
    public ContentMasks(TokenTrie trie, int words, ReadOnlySpan<sbyte> table)
    {
        _trie = trie;
        _words = words;
        _table = table.ToArray();
        _begun = new byte[trie.Tokens.Length];
        byte longest = 0;
        byte[] counts = new byte[256];
        Walk(0, (node, depth, before) =>
        {
            counts[depth] = (byte)(counts[depth - 1] + (before == 0 ? 1 : 0));
            for (int t = trie.FirstTokens[node]; t < trie.FirstTokens[node + 1]; t++)
            {
                _begun[t] = counts[depth];
                longest = Math.Max(longest, counts[depth]);
            }
        });
        _upTo = new ulong[longest + 1][];
    }

    /// <summary>Characters that no token exceeds.</summary>
    public int Longest => _upTo.Length - 1;

    /// <summary>Tokens that begin at most a number of characters, between two characters of a string.</summary>
    public ulong[] UpTo(int characters)
    {
        int index = Math.Min(characters, Longest);
        if (_upTo[index] is { } known)
        {
            return known;
        }

        ulong[] mask = new ulong[_words];
        for (int t = 0; t < _begun.Length; t++)
        {
            if (_begun[t] > 0 && _begun[t] <= index)
            {
                int token = _trie.Tokens[t];
                mask[token >> 6] |= 1UL << (token & 63);
            }
        }

        return _upTo[index] = mask;
    }

    /// <summary>Tokens that may follow within a character, whatever their length.</summary>
    /// <param name="state">How far the character is (a state of <see cref="JsonStringTable"/>).</param>
    public ulong[] Within(int state)
    {
        if (state == 0)
        {
            return UpTo(int.MaxValue);
        }

        if (_within[state] is { } known)
        {
            return known;
        }

        ulong[] mask = new ulong[_words];
        Walk(state, (node, _, _) =>
        {
            for (int t = _trie.FirstTokens[node]; t < _trie.FirstTokens[node + 1]; t++)
            {
                int token = _trie.Tokens[t];
                mask[token >> 6] |= 1UL << (token & 63);
            }
        });
        return _within[state] = mask;
    }

    private void Walk(int start, Action<int, int, int> visit)
    {
        Span<sbyte> states = stackalloc sbyte[256];
        states[0] = (sbyte)start;
        int i = 1;
        while (i < _trie.Count)
        {
            int depth = _trie.Depths[i];
            int before = states[depth - 1];
            sbyte state = _table[(before * 256) + _trie.Labels[i]];
            if (state < 0)
            {
                i = _trie.Ends[i];
                continue;
            }

            states[depth] = state;
            visit(i, depth, before);
            i++;
        }
    }
}
