using System.Text;

namespace ToolN1.Engine.Chat;

/// <summary>A whole answer: the events of a stream folded. The non-streaming answer is made of this and of nothing else.</summary>
/// <param name="Reasoning">The text inside the think tags; null when there is none.</param>
/// <param name="Content">The visible text; null when there is none.</param>
/// <param name="ToolCalls">The calls, in order.</param>
/// <param name="UnknownTools">Indices of calls whose tool was not on offer.</param>
/// <param name="LogProbs">One for each token that made text, when asked for; else empty.</param>
/// <param name="FinishReason">Why the answer ended.</param>
/// <param name="Usage">Exact token counts.</param>
public sealed record ChatCompletionResult(
    string? Reasoning,
    string? Content,
    IReadOnlyList<ToolCall> ToolCalls,
    IReadOnlyList<int> UnknownTools,
    IReadOnlyList<ChatTokenLogProb> LogProbs,
    ChatFinishReason FinishReason,
    ChatUsage Usage)
{
    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="InvalidOperationException">The stream has no <see cref="ChatEvent.Finished"/>.</exception>
    public static async Task<ChatCompletionResult> FoldAsync(IAsyncEnumerable<ChatEvent> events, CancellationToken cancellationToken = default)
    {
        List<ChatEvent> all = [];
        await foreach (ChatEvent chatEvent in events.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            all.Add(chatEvent);
        }

        return Fold(all);
    }

    /// <summary>Folds a complete list of events.</summary>
    /// <exception cref="InvalidOperationException">The list has no <see cref="ChatEvent.Finished"/>.</exception>
    public static ChatCompletionResult Fold(IEnumerable<ChatEvent> events)
    {
        StringBuilder reasoning = new(), content = new();
        List<(ChatEvent.ToolCallBegin Begin, StringBuilder Arguments)> calls = [];
        List<ChatTokenLogProb> logProbs = [];
        ChatEvent.Finished? finished = null;
        foreach (ChatEvent chatEvent in events)
        {
            switch (chatEvent)
            {
                case ChatEvent.ReasoningDelta delta:
                    reasoning.Append(delta.Text);
                    break;
                case ChatEvent.ContentDelta delta:
                    content.Append(delta.Text);
                    break;
                case ChatEvent.ToolCallBegin begin:
                    calls.Add((begin, new StringBuilder()));
                    break;
                case ChatEvent.ToolCallArgumentsDelta delta:
                    calls[delta.Index].Arguments.Append(delta.Json);
                    break;
                case ChatEvent.LogProbs tokens:
                    logProbs.AddRange(tokens.Tokens);
                    break;
                case ChatEvent.Finished last:
                    finished = last;
                    break;
            }
        }

        return new ChatCompletionResult(
            reasoning.Length == 0 ? null : reasoning.ToString(),
            content.Length == 0 ? null : content.ToString(),
            [.. calls.Select(call => new ToolCall(call.Begin.Id, call.Begin.Name, call.Arguments.ToString()))],
            [.. calls.Where(call => !call.Begin.Known).Select(call => call.Begin.Index)],
            logProbs,
            finished?.Reason ?? throw new InvalidOperationException("The events end without a finish."),
            finished.Usage);
    }
}
