using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ToolN1.Engine.Chat;
using AIFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using AIRole = Microsoft.Extensions.AI.ChatRole;

namespace ToolN1.Engine.Client;

/// <summary>Turns the events of an answer into updates of Microsoft.Extensions.AI. One per answer; not thread-safe.</summary>
internal sealed class ClientUpdates(string id, string model, DateTimeOffset created, bool showsReasoning)
{
    private readonly StringBuilder _arguments = new();
    private ChatEvent.ToolCallBegin? _call;

    /// <summary>The updates of an event. A call is one update, made when its arguments are whole.</summary>
    /// <exception cref="EngineOverloadedException">The engine stopped within the answer.</exception>
    public IEnumerable<ChatResponseUpdate> Next(ChatEvent piece)
    {
        if (piece is ChatEvent.ToolCallArgumentsDelta arguments)
        {
            _arguments.Append(arguments.Json);
            yield break;
        }

        if (_call is not null)
        {
            yield return Update(Call(_call, _arguments.ToString()));
            _call = null;
            _arguments.Clear();
        }

        switch (piece)
        {
            case ChatEvent.ReasoningDelta reasoning when showsReasoning:
                yield return Update(new TextReasoningContent(reasoning.Text));
                break;
            case ChatEvent.ContentDelta content:
                yield return Update(new TextContent(content.Text));
                break;
            case ChatEvent.ToolCallBegin begin:
                _call = begin;
                break;
            case ChatEvent.Finished finished:
                ChatResponseUpdate last = Update(new UsageContent(Usage(finished.Usage)));
                last.FinishReason = finished.Reason switch
                {
                    Chat.ChatFinishReason.Stop => AIFinishReason.Stop,
                    Chat.ChatFinishReason.ToolCalls => AIFinishReason.ToolCalls,
                    Chat.ChatFinishReason.Length => AIFinishReason.Length,
                    _ => throw new EngineOverloadedException("The engine stopped within the answer.", TimeSpan.Zero),
                };
                yield return last;
                break;
        }
    }

    private static FunctionCallContent Call(ChatEvent.ToolCallBegin begin, string arguments) => FunctionCallContent.CreateFromParsedArguments(
        arguments,
        begin.Id,
        begin.Name,
        static json => JsonSerializer.Deserialize(json, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>))) as IDictionary<string, object?>);

    private static UsageDetails Usage(ChatUsage usage)
    {
        int prompt = usage.PromptTokens + usage.SecondPromptTokens;
        return new UsageDetails
        {
            InputTokenCount = prompt,
            CachedInputTokenCount = usage.CachedPromptTokens + usage.CachedSecondPromptTokens,
            OutputTokenCount = usage.CompletionTokens,
            ReasoningTokenCount = usage.ReasoningTokens,
            TotalTokenCount = prompt + usage.CompletionTokens,
        };
    }

    private ChatResponseUpdate Update(AIContent content) => new(AIRole.Assistant, [content])
    {
        ResponseId = id,
        MessageId = id,
        ModelId = model,
        CreatedAt = created,
    };
}
