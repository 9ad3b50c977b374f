using System.Text;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>Pronounceable words that mean nothing, split between training and held-out sets by their hash.</summary>
internal static class RandomWords
{
    private static readonly string[] Onsets = ["b", "br", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pl", "qu", "r", "s", "sk", "st", "t", "tr", "v", "w", "z", "ch", "sh", "th"];
    private static readonly string[] Vowels = ["a", "e", "i", "o", "u", "ai", "ee", "ou", "ia"];
    private static readonly string[] Codas = ["", "", "", "n", "r", "l", "s", "x", "m", "t", "rd", "nd", "lt", "ck"];

    /// <summary>A lower-case word of this split.</summary>
    public static string Word(SeededRandom random, DataSplit split)
    {
        while (true)
        {
            StringBuilder text = new();
            int syllables = random.Pick([1, 2, 2, 2, 2, 3]);
            for (int i = 0; i < syllables; i++)
            {
                text.Append(random.Pick(Onsets)).Append(random.Pick(Vowels)).Append(i == syllables - 1 || random.Chance(0.2) ? random.Pick(Codas) : string.Empty);
            }

            string word = text.ToString();
            if (word.Length >= 3 && SplitOf(word) == split)
            {
                return word;
            }
        }
    }

    /// <summary>The same with a capital.</summary>
    public static string Name(SeededRandom random, DataSplit split)
    {
        string word = Word(random, split);
        return char.ToUpperInvariant(word[0]) + word[1..];
    }

    /// <summary>The side on which a text is: one in five is held out.</summary>
    public static DataSplit SplitOf(string text) => SeededRandom.Hash(text.ToUpperInvariant()) % 5 == 0 ? DataSplit.HeldOut : DataSplit.Train;
}
