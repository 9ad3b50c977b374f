using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static ToolN1.Engine.Tokenization.MarkupTokens;

namespace ToolN1.Engine.Chat;

/// <summary>
/// Splits a model's text into reasoning, content and calls, as it comes: one character-driven state machine behind the
/// streaming and the whole answer, so that any chunking of a text gives the same result. One per answer; not thread-safe.
/// </summary>
/// <remarks>
/// <para>Thinking: a think tag counts only at the very start of the answer (white space aside); it ends at the first
/// closing tag. Every other tag inside is prose. Without an opening tag everything is content.</para>
/// <para>Calls: a block runs from a tool_call tag to the closing tag after a complete JSON value; inside a JSON string the
/// closing tag is text. The value is an object or a list of objects, each with a <c>name</c>; <c>arguments</c> leave as
/// written, <c>{}</c> where absent or null. The block is the unit: its calls are reported when it is closed (or when its
/// value is complete and the model ended its turn), all of them or none, because a streamed call cannot be taken back;
/// long arguments then leave in several pieces.
/// A block that is not such JSON is content, without its tags. A block that the token limit cut is neither: see
/// <see cref="UnfinishedBlock"/>.</para>
/// <para>Content never holds one of the four tags: stray ones are dropped, also where dropping one would form another.
/// White space before a tag, and after one that ends thinking or a block, is dropped; content on both sides of a block is
/// joined by a line feed.</para>
/// <para>A parser that reads no calls (none may be made) takes call tags for stray ones.</para>
/// <para>Content that a grammar holds to JSON is left as it is from its first character on: no JSON value begins like a tag,
/// and the tags that a string inside may hold are its text.</para>
/// </remarks>
public sealed class ChatOutputParser
{
    /// <summary>Most characters of a piece of arguments: clients that show them as they come need not take a long call at once.</summary>
    private const int MaxPieceLength = 256;

    private static readonly string[] Tags = [ThinkOpen, ThinkClose, CallOpen, CallClose];
    private static readonly string[] ThinkEnd = [ThinkClose];
    private static readonly string[] CallEnd = [CallClose];

    private readonly bool _endsTurnAtFirstBlock;
    private readonly bool _readsCalls;
    private readonly bool _contentIsJson;
    private readonly HashSet<string> _toolNames;
    private readonly List<ChatEvent> _events = [];
    private readonly StringBuilder _reasoning = new();
    private readonly StringBuilder _content = new();
    private readonly StringBuilder _space = new();
    private readonly StringBuilder _block = new();
    private string _contentTail = "";
    private string _partialTag = "";
    private JsonScanner? _json;
    private State _state = State.Start;
    private bool _contentBegun;
    private bool _sawTag;
    private bool _completed;

    internal ChatOutputParser(bool endsTurnAtFirstBlock, IEnumerable<ChatTool>? tools, bool contentIsJson = false)
    {
        _endsTurnAtFirstBlock = endsTurnAtFirstBlock;
        _readsCalls = tools is not null;
        _contentIsJson = contentIsJson;
        _toolNames = [.. (tools ?? []).Select(tool => tool.Name)];
    }

    private enum State
    {
        /// <summary>Nothing but white space so far.</summary>
        Start,

        /// <summary>Inside think tags.</summary>
        Reasoning,

        /// <summary>Visible text.</summary>
        Content,

        /// <summary>Inside tool_call tags.</summary>
        Block,

        /// <summary>The turn is over; what still comes is not part of it.</summary>
        Ended,
    }

    /// <summary>The format's turn ended with a complete block: generation can stop.</summary>
    public bool TurnEnded => _state == State.Ended;

    /// <summary>Which branch the answer took.</summary>
    public ThinkingOutcome Thinking { get; private set; }

    /// <summary>Calls reported so far.</summary>
    public int CallCount { get; private set; }

    /// <summary>After <see cref="Complete"/> at the token limit: the text of the call block that was cut, for the log.</summary>
    public string? UnfinishedBlock { get; private set; }

    /// <summary>Takes more text.</summary>
    /// <returns>What is certain now; only a possible beginning of a tag, white space that may precede one, and an open block are held back.</returns>
    public IReadOnlyList<ChatEvent> Append(string text)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        foreach (char character in text)
        {
            Take(character);
        }

        return Drain();
    }

    /// <summary>The end of the text; nothing can be appended afterwards.</summary>
    /// <param name="truncated">The token limit was reached: an open block is cut, not ended.</param>
    public IReadOnlyList<ChatEvent> Complete(bool truncated)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        _completed = true;
        string partial = _partialTag;
        _partialTag = "";
        switch (_state)
        {
            case State.Reasoning:
                _reasoning.Append(partial);
                break;
            case State.Start or State.Content:
                foreach (char character in partial)
                {
                    AddContent(character);
                }

                // After a tag, white space alone says nothing; elsewhere the text is kept to the letter.
                if (_contentBegun || !_sawTag)
                {
                    ReleaseSpace();
                }

                break;
            case State.Block when truncated:
                UnfinishedBlock = _block.Append(partial).ToString();
                break;
            case State.Block:
                // Behind a complete value, a part of the closing tag is no text.
                _block.Append(_json is { IsComplete: true } ? "" : partial);
                EndBlock();
                break;
        }

        return Drain();
    }

    private void Take(char character)
    {
        switch (_state)
        {
            case State.Content when _contentIsJson && _contentBegun:
                _content.Append(character);
                break;
            case State.Start or State.Content:
                Match(Tags, character, AddContent, ContentTag);
                break;
            case State.Reasoning:
                Match(ThinkEnd, character, plain => _reasoning.Append(plain), _ =>
                {
                    Thinking = ThinkingOutcome.Closed;
                    _state = State.Content;
                });
                break;
            case State.Block when _json is not null && !_json.IsComplete && _partialTag.Length == 0 && _json.Feed(character):
                _block.Append(character);
                break;
            case State.Block:
                // Complete, or not JSON from this character on: the closing tag is what is left to find.
                _json = _json is { IsComplete: true } ? _json : null;
                Match(CallEnd, character, plain => _block.Append(plain), _ => EndBlock());
                break;
        }
    }

    /// <summary>Feeds a character to the search for tags. Each tag has its only '&lt;' in front, which keeps this simple.</summary>
    private void Match(string[] tags, char character, Action<char> addPlain, Action<string> onTag)
    {
        if (_partialTag.Length == 0 && character != '<')
        {
            addPlain(character);
            return;
        }

        string candidate = _partialTag + character;
        if (Array.Exists(tags, tag => tag.StartsWith(candidate, StringComparison.Ordinal)))
        {
            _partialTag = candidate;
            if (tags.Contains(candidate))
            {
                _partialTag = "";
                onTag(candidate);
            }

            return;
        }

        _partialTag = "";
        foreach (char plain in candidate.AsSpan(0, candidate.Length - 1))
        {
            addPlain(plain);
        }

        if (character == '<')
        {
            _partialTag = "<";
        }
        else
        {
            addPlain(character);
        }
    }

    private void ContentTag(string tag)
    {
        _sawTag = true;
        _space.Clear();
        if (tag == ThinkOpen && _state == State.Start && Thinking == ThinkingOutcome.None)
        {
            Thinking = ThinkingOutcome.Unclosed;
            _state = State.Reasoning;
        }
        else if (tag == CallOpen && _readsCalls)
        {
            FlushContent();
            _state = State.Block;
            _json = new JsonScanner();
            _block.Clear();
        }
        else
        {
            // A stray tag: dropped. From here on a think tag is not at the start any more.
            _state = State.Content;
        }
    }

    private void AddContent(char character)
    {
        if (char.IsWhiteSpace(character))
        {
            _space.Append(character);
            return;
        }

        if (_state == State.Content && !_contentBegun)
        {
            // The first text after thinking, a block or a stray tag.
            _space.Clear();
            if (_contentTail.Length > 0)
            {
                Emit('\n');
            }
        }

        ReleaseSpace();
        Emit(character);
        _state = State.Content;
        _contentBegun = true;
    }

    private void ReleaseSpace()
    {
        foreach (char character in _space.ToString())
        {
            Emit(character);
        }

        _space.Clear();
    }

    /// <summary>Adds a character to the content unless it would complete a tag there, across one that was dropped.</summary>
    private void Emit(char character)
    {
        string tail = _contentTail + character;
        if (Array.Exists(Tags, tag => tail.EndsWith(tag, StringComparison.Ordinal)))
        {
            return;
        }

        _contentTail = tail.Length > CallClose.Length ? tail[1..] : tail;
        _content.Append(character);
    }

    private void EndBlock()
    {
        _state = State.Content;
        _contentBegun = false;
        string text = _block.ToString();
        _block.Clear();
        bool wellFormed = _json is { IsComplete: true };
        _json = null;
        if (wellFormed && TryReadCalls(text, out List<(string Name, string Arguments)> calls))
        {
            foreach ((string name, string arguments) in calls)
            {
                _events.Add(new ChatEvent.ToolCallBegin(CallCount, "call_" + RandomNumberGenerator.GetHexString(24, lowercase: true), name, _toolNames.Contains(name)));
                foreach (string piece in Pieces(arguments))
                {
                    _events.Add(new ChatEvent.ToolCallArgumentsDelta(CallCount, piece));
                }

                CallCount++;
            }

            _state = _endsTurnAtFirstBlock ? State.Ended : State.Content;
            return;
        }

        foreach (char character in text.Trim())
        {
            Match(Tags, character, AddContent, _ => _space.Clear());
        }

        foreach (char character in _partialTag)
        {
            AddContent(character);
        }

        _partialTag = "";
        _contentBegun = false;
    }

    /// <summary>Cuts arguments where they are long, never inside a character; together the pieces are the text.</summary>
    private static IEnumerable<string> Pieces(string arguments)
    {
        int start = 0;
        while (arguments.Length - start > MaxPieceLength)
        {
            int length = char.IsHighSurrogate(arguments[start + MaxPieceLength - 1]) ? MaxPieceLength - 1 : MaxPieceLength;
            yield return arguments.Substring(start, length);
            start += length;
        }

        yield return arguments[start..];
    }

    private static bool TryReadCalls(string text, out List<(string Name, string Arguments)> calls)
    {
        calls = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = JsonScanner.MaxDepth });
            JsonElement root = document.RootElement;
            foreach (JsonElement call in root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : new[] { root })
            {
                if (call.ValueKind != JsonValueKind.Object
                    || !call.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: > 0 } named)
                {
                    return false;
                }

                bool has = call.TryGetProperty("arguments", out JsonElement arguments) && arguments.ValueKind != JsonValueKind.Null;
                calls.Add((named, has ? arguments.GetRawText() : "{}"));
            }

            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The scanner accepts what the reader does, but for names with half a surrogate pair.
            return false;
        }
    }

    private void FlushContent()
    {
        if (_content.Length > 0)
        {
            _events.Add(new ChatEvent.ContentDelta(_content.ToString()));
            _content.Clear();
        }
    }

    private ChatEvent[] Drain()
    {
        // Reasoning precedes everything else; content is flushed before each block, so what is left follows the calls.
        if (_reasoning.Length > 0)
        {
            _events.Insert(0, new ChatEvent.ReasoningDelta(_reasoning.ToString()));
            _reasoning.Clear();
        }

        FlushContent();
        ChatEvent[] events = [.. _events];
        _events.Clear();
        return events;
    }
}
