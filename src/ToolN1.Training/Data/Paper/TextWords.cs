namespace ToolN1.Training.Data.Paper;

/// <summary>Texts as words to compare: letters and digits in lower case, everything else only separates.</summary>
internal static class TextWords
{
    /// <summary>The words in order.</summary>
    public static List<string> Split(string text)
    {
        List<string> words = [];
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inside = i < text.Length && char.IsLetterOrDigit(text[i]);
            if (inside && start < 0)
            {
                start = i;
            }
            else if (!inside && start >= 0)
            {
                words.Add(text[start..i].ToLowerInvariant());
                start = -1;
            }
        }

        return words;
    }

    /// <summary>A number of words in a row, as one text.</summary>
    public static string Join(List<string> words, int at, int count) => string.Join(' ', words.GetRange(at, count));
}
