using System.Text;
using Microsoft.ML.Tokenizers;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// Byte-level BPE of a Hugging Face tokenizer.json: text to ids and back. Immutable and thread-safe.
/// Content and control are kept apart: <see cref="Encode"/> never produces an added token, whatever the text says.
/// A lone surrogate in a text counts as U+FFFD, as it would in UTF-8.
/// </summary>
/// <remarks>The merging is Microsoft.ML.Tokenizers' <see cref="BpeTokenizer"/>; see docs/chat-formats.md for what is refused.</remarks>
public sealed class Tokenizer
{
    // From this length on a piece goes to the merger that does not slow down with the square of the length.
    private const int LongPiece = 256;

    private readonly TokenizerFile _file;
    private readonly BpeTokenizer _bpe;
    private readonly LongPieceMerger _longPieces;
    private readonly AddedTokenSplitter _rawAddedTokens;
    private readonly AddedTokenSplitter _normalizedAddedTokens;
    private readonly Dictionary<string, int> _addedIds;
    private readonly Dictionary<int, string> _addedTexts;
    private readonly HashSet<int> _specialIds;
    private readonly byte[]?[] _bytes;

    internal Tokenizer(TokenizerFile file)
    {
        _file = file;
        _bpe = BpeTokenizer.Create(new BpeOptions(file.Vocabulary)
        {
            Merges = file.Merges.Select(merge => merge.Left + " " + merge.Right),
            ByteLevel = true,
            PreTokenizer = file.PreTokenizer,
        });
        _longPieces = new LongPieceMerger(file.Vocabulary, file.Merges);
        _rawAddedTokens = new AddedTokenSplitter(file.AddedTokens.Where(token => !token.Normalized).Select(token => (token.Content, token.Id)));
        _normalizedAddedTokens = new AddedTokenSplitter(file.AddedTokens.Where(token => token.Normalized).Select(token => (Normalize(token.Content), token.Id)));
        _addedIds = file.AddedTokens.ToDictionary(token => token.Content, token => token.Id);
        _addedTexts = file.AddedTokens.ToDictionary(token => token.Id, token => token.Content);
        _specialIds = [.. file.AddedTokens.Where(token => token.Special).Select(token => token.Id)];
        VocabularySize = Math.Max(file.Vocabulary.Values.Max(), file.AddedTokens.Select(token => token.Id).DefaultIfEmpty(-1).Max()) + 1;
        _bytes = new byte[VocabularySize][];
        foreach ((string token, int id) in file.Vocabulary)
        {
            _bytes[id] = ByteLevelAlphabet.Decode(token) ?? Encoding.UTF8.GetBytes(token);
        }

        foreach (AddedToken token in file.AddedTokens)
        {
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        }
    }

    /// <summary>Highest id + 1, added tokens included. A model's logits may be wider.</summary>
    public int VocabularySize { get; }

    /// <summary>Reads the tokenizer.json of a checkpoint's folder.</summary>
    /// <exception cref="FileNotFoundException">The folder holds no tokenizer.json.</exception>
    /// <exception cref="TokenizerFormatException">The file is malformed, or uses a component that is not implemented exactly; the message names it.</exception>
    public static Tokenizer Load(string folder)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        return File.Exists(path)
            ? Parse(File.ReadAllBytes(path), path)
            : throw new FileNotFoundException($"There is no tokenizer.json in {folder}.", path);
    }

    /// <summary>Reads a tokenizer.json from memory.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="source">Named in errors.</param>
    /// <exception cref="TokenizerFormatException">As for <see cref="Load"/>.</exception>
    public static Tokenizer Parse(ReadOnlyMemory<byte> json, string source) => new(TokenizerFile.Parse(json, source));

    /// <summary>Ids of plain text. No added token is ever among them.</summary>
    public int[] Encode(string text)
    {
        List<int> ids = [];
        EncodeNormalized(Normalize(text), ids);
        return [.. ids];
    }

    /// <summary>Ids of a text in which added tokens are recognised: trusted template text, training targets.</summary>
    public int[] EncodeWithAddedTokens(string text)
    {
        List<int> ids = [];
        foreach ((string run, int? added) in SplitAddedTokens(text))
        {
            if (added is int id)
            {
                ids.Add(id);
            }
            else
            {
                EncodeNormalized(run, ids);
            }
        }

        return [.. ids];
    }

    /// <summary>
    /// Ids of a raw prompt as Hugging Face's <c>tokenizer(text)</c> makes them: added tokens are recognised, and what the
    /// file's post-processor puts before and after a text (Llama 3: the begin-of-text token) is added.
    /// </summary>
    public int[] EncodePrompt(string text) => [.. _file.PrefixIds, .. EncodeWithAddedTokens(text), .. _file.SuffixIds];

    /// <summary>The id of an added token, or null.</summary>
    public int? FindAddedToken(string content) => _addedIds.TryGetValue(content, out int id) ? id : null;

    /// <summary>
    /// The UTF-8 bytes that an id stands for, possibly a part of a character; for an added token those of its text; none
    /// for an id that has no token (a model's logits may be wider than its vocabulary).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative id.</exception>
    public ReadOnlyMemory<byte> TokenBytes(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        return id < _bytes.Length ? _bytes[id] : default;
    }

    /// <summary>Whether an id is an added token that is marked special.</summary>
    public bool IsSpecial(int id) => _specialIds.Contains(id);

    /// <summary>Whether an id is an added token, special or not.</summary>
    public bool IsAdded(int id) => _addedTexts.ContainsKey(id);

    /// <summary>The text of ids; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecial">Leaves special tokens out.</param>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = false)
    {
        using MemoryStream bytes = new(ids.Count * 4);
        foreach (int id in ids)
        {
            if (!skipSpecial || !IsSpecial(id))
            {
                bytes.Write(TokenBytes(id).Span);
            }
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>The text of an added token; null for any other id.</summary>
    internal string? AddedTokenText(int id) => _addedTexts.GetValueOrDefault(id);

    /// <summary>A text as runs of plain text and added tokens, in order.</summary>
    internal IEnumerable<(string Run, int? AddedId)> SplitAddedTokens(string text)
    {
        // Hugging Face's order: tokens that are not normalized are found in the text as given, the others after it was normalized.
        foreach ((string outer, int? outerId) in _rawAddedTokens.Split(WellFormed(text)))
        {
            if (outerId is not null)
            {
                yield return (outer, outerId);
                continue;
            }

            foreach ((string, int?) inner in _normalizedAddedTokens.Split(Normalize(outer)))
            {
                yield return inner;
            }
        }
    }

    private string Normalize(string text) => _file.NormalizesToFormC ? CanonicalComposition.Normalize(WellFormed(text)) : WellFormed(text);

    private static string WellFormed(string text)
    {
        ReadOnlySpan<char> rest = text;
        int surrogate = rest.IndexOfAnyInRange('\uD800', '\uDFFF');
        if (surrogate < 0)
        {
            return text;
        }

        for (int i = surrogate; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[++i])))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            }
        }

        return text;
    }

    private void EncodeNormalized(string text, List<int> ids)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (text.Length < LongPiece && !_file.IgnoresMerges)
        {
            ids.AddRange(_bpe.EncodeToIds(text, considerPreTokenization: true, considerNormalization: false));
            return;
        }

        foreach ((int offset, int length) in _file.PreTokenizer.PreTokenize(text))
        {
            ReadOnlySpan<char> piece = text.AsSpan(offset, length);
            if (length == 1 && char.IsAscii(piece[0]))
            {
                ids.Add(_longPieces.IdOf((byte)piece[0]));
            }
            else if (_file.IgnoresMerges && _file.WholePieces.TryGetValue(ByteLevelAlphabet.Encode(Encoding.UTF8.GetBytes(text, offset, length)), out int id))
            {
                ids.Add(id);
            }
            else if (length < LongPiece)
            {
                ids.AddRange(_bpe.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
            }
            else
            {
                _longPieces.Encode(Encoding.UTF8.GetBytes(text, offset, length), ids);
            }
        }
    }
}
