using ToolN1.Engine.Sampling;

namespace ToolN1.Engine.Chat;

/// <summary>One piece of an answer. The streaming and the whole answer are both made of these, in this order of arrival.</summary>
public abstract record ChatEvent
{
    private ChatEvent()
    {
    }

    /// <summary>More of the model's reasoning (the text inside the think tags).</summary>
    public sealed record ReasoningDelta(string Text) : ChatEvent;

    /// <summary>More of the visible answer. Never holds a tag or a control token.</summary>
    public sealed record ContentDelta(string Text) : ChatEvent;

    /// <summary>A call begins: its position in the answer, its id and its full name.</summary>
    /// <param name="Index">Position among the answer's calls, from 0.</param>
    /// <param name="Id">Unique call id.</param>
    /// <param name="Name">The called tool.</param>
    /// <param name="Known">False when no offered tool has this name: reported, flagged, never dropped.</param>
    public sealed record ToolCallBegin(int Index, string Id, string Name, bool Known) : ChatEvent;

    /// <summary>More of a call's arguments: raw JSON text of the model; the pieces concatenate to the whole.</summary>
    public sealed record ToolCallArgumentsDelta(int Index, string Json) : ChatEvent;

    /// <summary>Log-probabilities of tokens that were generated, in order, when asked for.</summary>
    public sealed record LogProbs(IReadOnlyList<ChatTokenLogProb> Tokens) : ChatEvent;

    /// <summary>The last event of every answer.</summary>
    /// <param name="Reason">Stop, tool calls, length or cancelled.</param>
    /// <param name="Usage">Exact token counts.</param>
    public sealed record Finished(ChatFinishReason Reason, ChatUsage Usage) : ChatEvent;
}

/// <summary>Why a chat answer ended.</summary>
public enum ChatFinishReason
{
    /// <summary>The model ended its turn, or a stop text was met.</summary>
    Stop,

    /// <summary>The answer holds at least one complete call.</summary>
    ToolCalls,

    /// <summary>The token limit was reached first; an unfinished call is not reported as a call.</summary>
    Length,

    /// <summary>The caller went away.</summary>
    Cancelled,
}

/// <summary>Token counts of one answer.</summary>
/// <param name="PromptTokens">All prompt tokens, cached ones included.</param>
/// <param name="CachedPromptTokens">Those served from the prefix cache.</param>
/// <param name="CompletionTokens">All generated tokens, the ending one included.</param>
/// <param name="ReasoningTokens">Generated tokens up to and including the end of thinking; 0 without thinking.</param>
public sealed record ChatUsage(int PromptTokens, int CachedPromptTokens, int CompletionTokens, int ReasoningTokens)
{
    /// <summary>Tokens of the second prompt, where the model was asked again for words (<see cref="ChatRequest.AnswersInWords"/>); else 0.</summary>
    public int SecondPromptTokens { get; init; }

    /// <summary>Those of the second prompt that were served from the prefix cache.</summary>
    public int CachedSecondPromptTokens { get; init; }
}

/// <summary>A token with its text and bytes beside its log-probability.</summary>
/// <param name="LogProb">Ids and numbers.</param>
/// <param name="Text">The token decoded alone (replacement characters where it is part of a character).</param>
/// <param name="Bytes">Its UTF-8 bytes.</param>
/// <param name="Top">The alternatives, likeliest first.</param>
public sealed record ChatTokenLogProb(
    TokenLogProb LogProb,
    string Text,
    IReadOnlyList<byte> Bytes,
    IReadOnlyList<(string Text, IReadOnlyList<byte> Bytes, float LogProb)> Top);
