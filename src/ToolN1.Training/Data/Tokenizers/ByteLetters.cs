using System.Text;

namespace ToolN1.Training.Data.Tokenizers;

/// <summary>GPT-2's printable letters for bytes, in which a byte-level tokenizer.json writes its tokens.</summary>
internal static class ByteLetters
{
    /// <summary>The letter of every byte.</summary>
    public static IReadOnlyList<char> Letters { get; } = Make();

    /// <summary>A text's UTF-8 bytes in letters.</summary>
    public static string Of(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(b => Letters[b]));

    private static char[] Make()
    {
        char[] letters = new char[256];
        int extra = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            letters[value] = printable ? (char)value : (char)extra++;
        }

        return letters;
    }
}
