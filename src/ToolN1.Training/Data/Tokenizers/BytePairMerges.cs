namespace ToolN1.Training.Data.Tokenizers;

/// <summary>Learns byte-pair merges from word counts (Sennrich et al., arXiv:1508.07909): the most frequent neighbouring pair becomes a symbol, again and again.</summary>
internal sealed class BytePairMerges
{
    private readonly List<(List<string> Symbols, long Count)> _words;
    private readonly Dictionary<(string Left, string Right), long> _counts = [];
    private readonly Dictionary<(string Left, string Right), HashSet<int>> _places = [];

    private BytePairMerges(IEnumerable<KeyValuePair<string, long>> words)
    {
        _words = [.. words.OrderBy(word => word.Key, StringComparer.Ordinal).Select(word => (word.Key.Select(c => c.ToString()).ToList(), word.Value))];
        for (int i = 0; i < _words.Count; i++)
        {
            Count(i, 1);
        }
    }

    /// <summary>The merges in order of rank.</summary>
    /// <param name="words">Words in byte-level letters, with their counts.</param>
    /// <param name="newSymbols">Stops after this many symbols that are not in <paramref name="known"/>, or when no pair occurs twice.</param>
    /// <param name="known">Symbols that are tokens already.</param>
    public static List<(string Left, string Right)> Learn(IEnumerable<KeyValuePair<string, long>> words, int newSymbols, IReadOnlySet<string> known)
    {
        BytePairMerges state = new(words);
        List<(string Left, string Right)> merges = [];
        HashSet<string> made = [];
        while (made.Count < newSymbols && state.Best() is { } pair)
        {
            merges.Add(pair);
            if (!known.Contains(pair.Left + pair.Right))
            {
                made.Add(pair.Left + pair.Right);
            }

            state.Merge(pair);
        }

        return merges;
    }

    private (string Left, string Right)? Best()
    {
        (string Left, string Right)? best = null;
        long most = 1;
        foreach (((string Left, string Right) pair, long count) in _counts)
        {
            if (count > most || (count == most && best is { } b && Order(pair, b) < 0))
            {
                (best, most) = (pair, count);
            }
        }

        return best;
    }

    private static int Order((string Left, string Right) a, (string Left, string Right) b)
    {
        int left = string.CompareOrdinal(a.Left, b.Left);
        return left != 0 ? left : string.CompareOrdinal(a.Right, b.Right);
    }

    private void Merge((string Left, string Right) pair)
    {
        foreach (int index in _places[pair].ToArray())
        {
            Count(index, -1);
            List<string> symbols = _words[index].Symbols;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                if (symbols[i] == pair.Left && symbols[i + 1] == pair.Right)
                {
                    symbols[i] += symbols[i + 1];
                    symbols.RemoveAt(i + 1);
                }
            }

            Count(index, 1);
        }
    }

    private void Count(int index, int sign)
    {
        (List<string> symbols, long count) = _words[index];
        for (int i = 0; i + 1 < symbols.Count; i++)
        {
            (string, string) pair = (symbols[i], symbols[i + 1]);
            long total = _counts.GetValueOrDefault(pair) + (sign * count);
            if (total == 0)
            {
                _counts.Remove(pair);
            }
            else
            {
                _counts[pair] = total;
            }

            if (!_places.TryGetValue(pair, out HashSet<int>? places))
            {
                _places[pair] = places = [];
            }

            _ = sign > 0 ? places.Add(index) : places.Remove(index);
        }
    }
}
