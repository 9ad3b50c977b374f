using System.Text;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Data.Tokenizers;

/// <summary>
/// Trains a byte-level BPE for tool calls. Three things make copying a value from a request into a call easy for a small
/// model: no token joins letters with a space or punctuation that could belong to a value (so " Oslo" and "Oslo" are the
/// same tokens, the space apart); digits go in pairs from the left; and the JSON around values and the fixed lines of the prompt are
/// whole tokens that begin and end at a value's edge. Frequent words that never begin a JSON string are also tokens
/// together with the space before them.
/// </summary>
public sealed class ToolCallTokenizerTrainer
{
    /// <summary>Tokens that plain text never becomes; the first three are special.</summary>
    public static IReadOnlyList<string> AddedTokens { get; } = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"];

    /// <summary>How many of <see cref="AddedTokens"/> are special: never shown.</summary>
    public const int SpecialTokens = 3;

    private const int MostSpacedWords = 400;

    private static readonly Regex Word = new(@"(?<before>[ ""_]?)(?<word>\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+(?!\p{Ll}))", RegexOptions.CultureInvariant | RegexOptions.Compiled);

    private readonly Dictionary<string, long> _words = [];
    private readonly Dictionary<string, long> _spaced = [];
    private readonly Dictionary<string, long> _initial = [];
    private readonly List<string> _lines = [];

    /// <summary>Counts a text's words.</summary>
    public void Add(string text)
    {
        string form = text.Normalize(NormalizationForm.FormC);
        foreach (Match match in Word.Matches(form))
        {
            string word = match.Groups["word"].Value;
            bool whole = match.Index + match.Length == form.Length || !char.IsLetter(form[match.Index + match.Length]);
            Count(_words, word);
            if (whole && char.IsLower(word[0]))
            {
                Count(match.Groups["before"].Value == " " ? _spaced : _initial, word);
            }
        }
    }

    /// <summary>Adds a text that is the same in every prompt: each of its lines, cut at added tokens, becomes one token.</summary>
    public void AddFixed(string text)
    {
        string cut = AddedTokens.Aggregate(text, (rest, token) => rest.Replace(token, "\n", StringComparison.Ordinal));
        _lines.AddRange(cut.Split('\n').Where(line => line.Length >= 6 && line.All(char.IsAscii)));
    }

    /// <summary>Learns the tokenizer.</summary>
    /// <param name="vocabularySize">Tokens in all, added ones included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than the bytes, joints and added tokens need.</exception>
    public ToolCallTokenizerFile Train(int vocabularySize)
    {
        string[] literals = [.. _lines.Concat(ToolCallText.Joints).Distinct().OrderByDescending(text => text.Length).ThenBy(text => text, StringComparer.Ordinal)];
        long words = _words.Values.Sum();
        string[] spaced = [.. _spaced.Where(word => word.Value >= Math.Max(2, words / 20_000) && _initial.GetValueOrDefault(word.Key) * 8 <= word.Value)
            .OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal).Take(MostSpacedWords).Select(word => word.Key)];
        List<string> vocabulary = [.. ByteLetters.Letters.Select(letter => letter.ToString())];
        HashSet<string> known = [.. vocabulary];
        foreach (string text in literals.Concat(spaced.Select(word => " " + word)).Concat(Enumerable.Range(0, 100).Select(number => number.ToString("00"))))
        {
            string token = ByteLetters.Of(text);
            if (known.Add(token))
            {
                vocabulary.Add(token);
            }
        }

        int room = vocabularySize - vocabulary.Count - AddedTokens.Count;
        ArgumentOutOfRangeException.ThrowIfNegative(room, nameof(vocabularySize));
        List<(string Left, string Right)> merges = BytePairMerges.Learn(
            _words.Where(word => word.Key.Length > 1).Select(word => KeyValuePair.Create(ByteLetters.Of(word.Key), word.Value)), room, known);
        foreach ((string left, string right) in merges)
        {
            if (known.Add(left + right))
            {
                vocabulary.Add(left + right);
            }
        }

        return new ToolCallTokenizerFile(Pattern(literals, spaced), vocabulary, merges);
    }

    private static string Pattern(string[] literals, string[] spaced)
    {
        string words = spaced.Length == 0 ? string.Empty : $"| (?:{string.Join('|', spaced.Order(StringComparer.Ordinal).Select(Escape))})(?![\\p{{L}}\\p{{M}}])";
        return string.Join('|', literals.Select(Escape)) + words + @"|\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+(?!\p{Ll})|[\p{L}\p{M}]|\p{N}{1,2}|\s|[^\s\p{L}\p{M}\p{N}]";
    }

    // Written so that Oniguruma (Hugging Face) and .NET read it alike.
    private static string Escape(string text)
    {
        StringBuilder escaped = new();
        foreach (char c in text)
        {
            _ = c == '\n' ? escaped.Append("\\n") : char.IsAsciiLetterOrDigit(c) || c == ' ' || c > '~' ? escaped.Append(c) : escaped.Append('\\').Append(c);
        }

        return escaped.ToString();
    }

    private static void Count(Dictionary<string, long> counts, string word) => counts[word] = counts.GetValueOrDefault(word) + 1;
}
