using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Chat;

/// <summary>
/// The state of one answer between token ids and events: control tokens are dropped by id, the rest is decoded, parsed,
/// and its visible text cut at stop texts. Not thread-safe.
/// </summary>
internal sealed class ChatAnswer(Tokenizer tokenizer, ChatOutputParser parser, IReadOnlyList<string> stops, int promptTokens)
{
    private readonly IncrementalDetokenizer _detokenizer = new(tokenizer);
    private readonly StopTextMatcher _stops = new(stops);
    private int _cachedTokens;
    private int _completionTokens;
    private int _reasoningTokens;
    private bool _thoughtThrough;
    private bool _wroteText;

    /// <summary>The last event was given out.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>The model ended its turn by itself and has neither called a tool nor written anything to read.</summary>
    public bool SaidNothing { get; private set; }

    /// <summary>The text of a call that a limit cut, tag included; no event shows it.</summary>
    public string? UnfinishedBlock => parser.UnfinishedBlock;

    /// <summary>What an engine update adds.</summary>
    public IReadOnlyList<ChatEvent> Append(GenerationUpdate update)
    {
        List<ChatEvent> events = [];
        List<ChatTokenLogProb> logProbs = [];
        _cachedTokens = Math.Max(_cachedTokens, update.CachedPromptTokens);
        bool ended = false;
        for (int i = 0; i < update.TokenIds.Count && !ended; i++)
        {
            int id = update.TokenIds[i];
            _completionTokens++;
            bool endsSequence = update.StopTokenId == id && i == update.TokenIds.Count - 1;
            if (!endsSequence)
            {
                Take(id, update.LogProbs?[i], events, logProbs);
            }

            ended = parser.TurnEnded || _stops.Stopped;
        }

        if (logProbs.Count > 0)
        {
            events.Insert(0, new ChatEvent.LogProbs(logProbs));
        }

        if (ended)
        {
            Finish(FinishReason.Stop, events);
        }
        else if (update.FinishReason is { } reason)
        {
            Finish(reason, events);
        }

        return events;
    }

    /// <summary>The engine's updates ended without a reason, because somebody cancelled.</summary>
    public IReadOnlyList<ChatEvent> Cancel()
    {
        List<ChatEvent> events = [];
        Finish(FinishReason.Cancelled, events);
        return events;
    }

    private void Take(int id, TokenLogProb? logProb, List<ChatEvent> events, List<ChatTokenLogProb> logProbs)
    {
        if (!MarkupTokens.IsControl(tokenizer, id))
        {
            if (logProb is not null)
            {
                logProbs.Add(Describe(logProb));
            }

            AddVisible(parser.Append(_detokenizer.Append(id)), events);
        }

        // An opening think tag comes first or never, so every token up to the closing one is thinking.
        if (!_thoughtThrough && parser.Thinking != ThinkingOutcome.None)
        {
            _reasoningTokens = _completionTokens;
            _thoughtThrough = parser.Thinking == ThinkingOutcome.Closed;
        }
    }

    private void Finish(FinishReason reason, List<ChatEvent> events)
    {
        if (!_stops.Stopped)
        {
            if (!parser.TurnEnded)
            {
                AddVisible(parser.Append(_detokenizer.Flush()), events);
            }

            AddVisible(parser.Complete(truncated: reason != FinishReason.Stop), events);
        }

        if (!_stops.Stopped && _stops.Flush() is { Length: > 0 } held)
        {
            AddText(held, events);
        }

        IsFinished = true;
        SaidNothing = reason == FinishReason.Stop && !_stops.Stopped && parser.CallCount == 0 && !_wroteText;
        events.Add(new ChatEvent.Finished(Reason(reason), new ChatUsage(promptTokens, _cachedTokens, _completionTokens, _reasoningTokens)));
    }

    private ChatFinishReason Reason(FinishReason reason) => reason switch
    {
        FinishReason.Cancelled => ChatFinishReason.Cancelled,
        _ when parser.CallCount > 0 && parser.UnfinishedBlock is null => ChatFinishReason.ToolCalls,
        FinishReason.Length => ChatFinishReason.Length,
        _ => ChatFinishReason.Stop,
    };

    private void AddVisible(IEnumerable<ChatEvent> parsed, List<ChatEvent> events)
    {
        foreach (ChatEvent chatEvent in parsed)
        {
            if (_stops.Stopped)
            {
                return;
            }

            // A stop text does not reach across a call.
            string text = chatEvent is ChatEvent.ContentDelta content ? _stops.Append(content.Text) : _stops.Flush();
            if (text.Length > 0)
            {
                AddText(text, events);
            }

            if (chatEvent is not ChatEvent.ContentDelta)
            {
                events.Add(chatEvent);
            }
        }
    }

    private void AddText(string text, List<ChatEvent> events)
    {
        _wroteText |= !string.IsNullOrWhiteSpace(text);
        events.Add(new ChatEvent.ContentDelta(text));
    }

    private ChatTokenLogProb Describe(TokenLogProb logProb) => new(
        logProb,
        tokenizer.Decode([logProb.TokenId]),
        tokenizer.TokenBytes(logProb.TokenId).ToArray(),
        [.. logProb.Top.Select(top => (tokenizer.Decode([top.TokenId]), (IReadOnlyList<byte>)tokenizer.TokenBytes(top.TokenId).ToArray(), top.LogProb))]);
}
