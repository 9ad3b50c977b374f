using ToolN1.Engine.Chat;

namespace ToolN1.Engine.Tests.Chat;

/// <summary>What a parser made of a text, in a form that compares.</summary>
internal sealed record ParsedText(string? Reasoning, string? Content, string CallsText, string? Unfinished, ThinkingOutcome Thinking, bool TurnEnded)
{
    public static ParsedText Of(string format, string text, IReadOnlyList<ChatTool> tools, bool truncated = false) => Of(format, [text], tools, truncated);

    public static ParsedText Of(string format, IEnumerable<string> chunks, IReadOnlyList<ChatTool>? tools, bool truncated, bool contentIsJson = false)
    {
        IChatFormat chat = format == "hermes" ? new HermesFormat(TurnMarkup.ChatMl) : new ToolN1Format(TurnMarkup.ChatMl);
        ChatOutputParser parser = chat.CreateParser(tools, contentIsJson);
        List<ChatEvent> events = [.. chunks.SelectMany(parser.Append)];
        events.AddRange(parser.Complete(truncated));
        ChatCompletionResult result = ChatCompletionResult.Fold(events.Append(new ChatEvent.Finished(ChatFinishReason.Stop, new ChatUsage(0, 0, 0, 0))));
        return new ParsedText(
            result.Reasoning,
            result.Content,
            string.Join('|', result.ToolCalls.Select(call => call.Name + " " + call.Arguments)),
            parser.UnfinishedBlock,
            parser.Thinking,
            parser.TurnEnded);
    }
}
