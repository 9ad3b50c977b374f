using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Constraints.Masks;

/// <summary>
/// A vocabulary as masks need it: plain tokens by their bytes, added tokens apart. Control tokens are never allowed by a
/// grammar. Immutable but for its cache; thread-safe.
/// </summary>
public sealed class VocabularyIndex
{
    private readonly Dictionary<int, byte[]> _added = [];
    private readonly ContentMasks _content;
    private readonly ContentMasks _canonicalContent;

    /// <summary>Builds the index; takes about half a second for 150,000 tokens.</summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="cacheBytes">Memory that cached masks may take.</param>
    /// <exception cref="ConstraintException">Some byte of UTF-8 has no token of its own, so that not every text can be written.</exception>
    public VocabularyIndex(Tokenizer tokenizer, long cacheBytes = 96L << 20)
    {
        Tokenizer = tokenizer;
        Words = (tokenizer.VocabularySize + 63) / 64;
        Cache = new LeafMaskCache(cacheBytes);
        List<(ReadOnlyMemory<byte> Bytes, int Token)> entries = [];
        HashSet<byte> single = [];
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            ReadOnlyMemory<byte> bytes = tokenizer.TokenBytes(id);
            if (bytes.Length == 0 || bytes.Length > 255 || MarkupTokens.IsControl(tokenizer, id))
            {
                continue;
            }

            if (tokenizer.IsAdded(id))
            {
                _added.Add(id, bytes.ToArray());
                continue;
            }

            entries.Add((bytes, id));
            if (bytes.Length == 1)
            {
                single.Add(bytes.Span[0]);
            }
        }

        for (int value = 0; value <= 0xF4; value++)
        {
            if (value is not (0xC0 or 0xC1) && !single.Contains((byte)value))
            {
                throw new ConstraintException("", $"the vocabulary has no token for the byte 0x{value:X2}, so constraints cannot be served with it");
            }
        }

        Trie = new TokenTrie(entries);
        Quoted = new TokenTrie([.. entries.Where(entry => entry.Bytes.Span.Contains((byte)'"'))]);
        Unquoted = new TokenTrie([.. entries.Where(entry => !entry.Bytes.Span.Contains((byte)'"'))]);
        _content = new ContentMasks(Unquoted, Words, JsonStringTable.All);
        _canonicalContent = new ContentMasks(Unquoted, Words, JsonStringTable.Canonical);
    }

    /// <summary>The vocabulary.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>64-bit words of a mask.</summary>
    public int Words { get; }

    /// <summary>Memory that cached masks take, about.</summary>
    public long CachedBytes => Cache.Bytes;

    /// <summary>All plain tokens.</summary>
    internal TokenTrie Trie { get; }

    /// <summary>Those with a quote: the only ones that can end a JSON string.</summary>
    internal TokenTrie Quoted { get; }

    /// <summary>Those without.</summary>
    internal TokenTrie Unquoted { get; }

    internal LeafMaskCache Cache { get; }

    internal IReadOnlyDictionary<int, byte[]> Added => _added;

    /// <summary>The tokens that may stand within a string.</summary>
    /// <param name="isCanonical">Only necessary escapes are allowed.</param>
    internal ContentMasks Content(bool isCanonical) => isCanonical ? _canonicalContent : _content;
}
