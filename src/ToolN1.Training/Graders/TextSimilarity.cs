using System.Text;

namespace ToolN1.Training.Graders;

/// <summary>
/// The metrics of OpenAI's text similarity that have one definition and need no model; each is named after the library whose
/// definition it follows, since OpenAI's own is not published.
/// </summary>
internal static class TextSimilarity
{
    /// <summary>Longest text compared, in UTF-16 units.</summary>
    public const int MaxLength = 50_000;

    private const int MaxOrder = 4;

    /// <summary>The metrics.</summary>
    public static IReadOnlyList<string> Metrics { get; } = ["fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"];

    /// <summary>Metrics that OpenAI has and this server has not, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Refused { get; } = new Dictionary<string, string>
    {
        ["cosine"] = "It compares embeddings of a model that is not here.",
        ["meteor"] = "It needs WordNet's synonyms.",
    };

    /// <summary>Similarity in 0..1.</summary>
    /// <param name="metric">One of <see cref="Metrics"/>.</param>
    /// <param name="input">The graded text.</param>
    /// <param name="reference">What it should be.</param>
    public static double Measure(string metric, string input, string reference) => metric switch
    {
        "fuzzy_match" => Ratio(input, reference),
        "bleu" => Bleu(Words(input), Words(reference)),
        "gleu" => Gleu(Words(input), Words(reference)),
        "rouge_l" => RougeL(RougeWords(input), RougeWords(reference)),
        _ => RougeN(RougeWords(input), RougeWords(reference), metric[^1] - '0'),
    };

    /// <summary>rapidfuzz's <c>fuzz.ratio</c> / 100: twice the common subsequence of characters by both lengths; 1 for two empty texts.</summary>
    private static double Ratio(string a, string b)
    {
        int[] left = [.. a.EnumerateRunes().Select(rune => rune.Value)];
        int[] right = [.. b.EnumerateRunes().Select(rune => rune.Value)];
        int both = left.Length + right.Length;
        return both == 0 ? 1 : 2.0 * LongestCommonSubsequence.Length(left, right) / both;
    }

    /// <summary>NLTK's <c>sentence_bleu</c> to order 4 with smoothing method 4 (Chen and Cherry 2014), on words between white space.</summary>
    private static double Bleu(List<string> candidate, List<string> reference)
    {
        double logs = 0;
        int zeros = 0;
        for (int order = 1; order <= MaxOrder; order++)
        {
            (int same, int own, _) = Overlap(candidate, reference, order);
            own = Math.Max(1, own);
            double precision = (double)same / own;
            if (same == 0)
            {
                // Without a common word there is nothing to smooth; a single word has no longer runs.
                if (order == 1)
                {
                    return 0;
                }

                if (candidate.Count > 1)
                {
                    precision = Math.Log(candidate.Count) / (Math.Pow(2, ++zeros) * 5) / own;
                }
            }

            logs += precision > 0 ? Math.Log(precision) / MaxOrder : 0;
        }

        double brevity = candidate.Count > reference.Count ? 1 : Math.Exp(1 - ((double)reference.Count / candidate.Count));
        return brevity * Math.Exp(logs);
    }

    /// <summary>NLTK's <c>sentence_gleu</c>: common runs of one to four words by the larger number of runs.</summary>
    private static double Gleu(List<string> candidate, List<string> reference)
    {
        int same = 0, own = 0, others = 0;
        for (int order = 1; order <= MaxOrder; order++)
        {
            (int common, int first, int second) = Overlap(candidate, reference, order);
            same += common;
            own += first;
            others += second;
        }

        return Math.Max(own, others) == 0 ? 0 : (double)same / Math.Max(own, others);
    }

    /// <summary>F1 of common runs, as Google's <c>rouge_score</c> without stemming.</summary>
    private static double RougeN(List<string> candidate, List<string> reference, int order)
    {
        (int same, int own, int others) = Overlap(candidate, reference, order);
        return F1(same, own, others);
    }

    /// <summary>F1 of the longest common subsequence of words, as Google's <c>rouge_score</c> without stemming.</summary>
    private static double RougeL(List<string> candidate, List<string> reference)
    {
        Dictionary<string, int> symbols = new(StringComparer.Ordinal);
        int[] Symbols(List<string> words) => [.. words.Select(word => symbols.TryGetValue(word, out int known) ? known : symbols[word] = symbols.Count)];
        return F1(LongestCommonSubsequence.Length(Symbols(candidate), Symbols(reference)), candidate.Count, reference.Count);
    }

    private static double F1(int same, int own, int others)
    {
        double precision = same / (double)Math.Max(1, own);
        double recall = same / (double)Math.Max(1, others);
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    }

    /// <summary>Runs of a length that both have, each counted as often as in both; and how many each has.</summary>
    private static (int Same, int Own, int Others) Overlap(List<string> a, List<string> b, int order)
    {
        Dictionary<string, int> others = Runs(b, order);
        int same = Runs(a, order).Sum(run => Math.Min(run.Value, others.GetValueOrDefault(run.Key)));
        return (same, Math.Max(0, a.Count - order + 1), Math.Max(0, b.Count - order + 1));
    }

    private static Dictionary<string, int> Runs(List<string> words, int order)
    {
        Dictionary<string, int> runs = new(StringComparer.Ordinal);
        for (int at = 0; at + order <= words.Count; at++)
        {
            string run = string.Join(' ', words.GetRange(at, order));
            runs[run] = runs.GetValueOrDefault(run) + 1;
        }

        return runs;
    }

    /// <summary>Words between white space, as Python's <c>split()</c>.</summary>
    private static List<string> Words(string text) => Split(text, c => !char.IsWhiteSpace(c) && c is not (>= '\u001c' and <= '\u001f'));

    private static List<string> RougeWords(string text) => Split(text.ToLowerInvariant(), c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));

    private static List<string> Split(string text, Func<char, bool> isInside)
    {
        List<string> words = [];
        StringBuilder word = new();
        foreach (char c in text)
        {
            if (isInside(c))
            {
                word.Append(c);
            }
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        if (word.Length > 0)
        {
            words.Add(word.ToString());
        }

        return words;
    }
}
