namespace ToolN1.Engine.Tokenization;

/// <summary>GPT-2's one-to-one map of the 256 bytes to printable characters, in which byte-level vocabularies are written.</summary>
internal static class ByteLevelAlphabet
{
    /// <summary>The character of each byte.</summary>
    public static IReadOnlyList<char> Characters { get; } = MakeCharacters();

    private static readonly Dictionary<char, byte> Bytes = Characters
        .Select((character, value) => (character, value))
        .ToDictionary(pair => pair.character, pair => (byte)pair.value);

    /// <summary>The bytes that a vocabulary entry stands for, or null where it holds a character outside the alphabet.</summary>
    public static byte[]? Decode(string token)
    {
        byte[] result = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out result[i]))
            {
                return null;
            }
        }

        return result;
    }

    /// <summary>The characters of these bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        char[] result = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            result[i] = Characters[bytes[i]];
        }

        return new string(result);
    }

    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(printable ? value : next++);
        }

        return characters;
    }
}
