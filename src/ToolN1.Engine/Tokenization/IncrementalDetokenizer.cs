using System.Text;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// Turns ids into text as they come. A character whose bytes are spread over several ids leaves whole; bytes that are
/// not UTF-8 become U+FFFD, exactly as when the whole is decoded at once. One per answer; not thread-safe.
/// </summary>
public sealed class IncrementalDetokenizer(Tokenizer tokenizer)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that is certain after this id; may be empty.</summary>
    public string Append(int id) => Convert(tokenizer.TokenBytes(id).Span, flush: false);

    /// <summary>The end: U+FFFD for an unfinished character, else empty.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        // Bytes of a character begun by earlier ids may come out too, hence the room for four more.
        char[] characters = new char[bytes.Length + 4];
        int length = _decoder.GetChars(bytes, characters, flush);
        return length == 0 ? "" : new string(characters, 0, length);
    }
}
