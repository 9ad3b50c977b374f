using System.Text;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Constraints;

/// <summary>Turns text that a grammar determines into the tokens that the tokenizer itself would have made of it.</summary>
internal sealed class ForcedTokens(VocabularyIndex vocabulary)
{
    private const int TailTokens = 6;
    private readonly List<int> _tail = [];

    /// <summary>Notes a token of the answer; the last few decide where a token may begin.</summary>
    public void Note(int token)
    {
        if (vocabulary.Added.ContainsKey(token))
        {
            _tail.Clear();
            return;
        }

        _tail.Add(token);
        if (_tail.Count > TailTokens)
        {
            _tail.RemoveAt(0);
        }
    }

    /// <summary>
    /// The tokens of a text that is certain. Where free choice follows, tokens at the end that could be the beginning of
    /// longer ones are left to the model.
    /// </summary>
    public List<int> Certain(GrammarText text)
    {
        List<int> tokens = [];
        for (int i = 0; i < text.Runs.Count; i++)
        {
            (List<byte> bytes, int token) = text.Runs[i];
            if (token >= 0)
            {
                tokens.Add(token);
                continue;
            }

            int[]? run = Encode(bytes, i == 0 ? _tail : []);
            if (run is null)
            {
                return tokens;
            }

            bool isOpen = i == text.Runs.Count - 1 && text.Rest.Count > 0;
            int certain = isOpen ? bytes.Count - OpenSuffix(bytes, text.Rest) : bytes.Count;
            int length = 0;
            foreach (int id in run)
            {
                length += vocabulary.Tokenizer.TokenBytes(id).Length;
                if (length > certain)
                {
                    return tokens;
                }

                tokens.Add(id);
            }
        }

        return tokens;
    }

    /// <summary>Tokens of a whole text; where the tokenizer would not begin a token here, the longest that fit.</summary>
    public List<int> All(GrammarText text)
    {
        List<int> tokens = [];
        for (int i = 0; i < text.Runs.Count; i++)
        {
            (List<byte> bytes, int token) = text.Runs[i];
            tokens.AddRange(token >= 0 ? [token] : Encode(bytes, i == 0 ? _tail : []) ?? [.. Longest(bytes)]);
        }

        return tokens;
    }

    /// <summary>The ids after a tail, when the tokenizer puts a border there and gives the bytes back; else null.</summary>
    private int[]? Encode(List<byte> bytes, List<int> tail)
    {
        Tokenizer tokenizer = vocabulary.Tokenizer;
        List<byte> all = [];
        foreach (int id in tail)
        {
            all.AddRange(tokenizer.TokenBytes(id).Span);
        }

        int border = all.Count;
        all.AddRange(bytes);
        int[] ids = tokenizer.Encode(Encoding.UTF8.GetString([.. all]));
        int at = 0;
        int first = -1;
        for (int i = 0; i < ids.Length; i++)
        {
            if (at == border)
            {
                first = i;
            }

            ReadOnlySpan<byte> piece = tokenizer.TokenBytes(ids[i]).Span;
            if (at + piece.Length > all.Count || !piece.SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(all).Slice(at, piece.Length)))
            {
                return null;
            }

            at += piece.Length;
        }

        return first >= 0 && at == all.Count ? ids[first..] : null;
    }

    /// <summary>Bytes at the end that begin a longer token which the grammar would allow.</summary>
    private int OpenSuffix(List<byte> bytes, IReadOnlyList<Frame> rest)
    {
        TokenTrie trie = vocabulary.Trie;
        for (int start = Math.Max(0, bytes.Count - 64); start < bytes.Count; start++)
        {
            int node = 0;
            for (int i = start; i < bytes.Count && node >= 0; i++)
            {
                node = trie.Child(node, bytes[i]);
            }

            if (node < 0)
            {
                continue;
            }

            for (int child = node + 1; child < trie.Ends[node]; child = trie.Ends[child])
            {
                byte label = trie.Labels[child];
                if (rest.Any(stack => stack.Rule.HasBytes(stack.State) && stack.Rule.Next(stack.State, label, stack.Room) >= 0))
                {
                    return bytes.Count - start;
                }
            }
        }

        return 0;
    }

    private List<int> Longest(List<byte> bytes)
    {
        TokenTrie trie = vocabulary.Trie;
        List<int> tokens = [];
        for (int at = 0; at < bytes.Count;)
        {
            int node = 0;
            int end = at;
            int token = -1;
            for (int i = at; i < bytes.Count && (node = trie.Child(node, bytes[i])) >= 0; i++)
            {
                if (trie.FirstTokens[node] < trie.FirstTokens[node + 1])
                {
                    (token, end) = (trie.Tokens[trie.FirstTokens[node]], i + 1);
                }
            }

            tokens.Add(token);
            at = end;
        }

        return tokens;
    }
}
