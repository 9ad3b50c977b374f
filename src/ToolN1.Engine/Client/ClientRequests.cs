using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using AIRole = Microsoft.Extensions.AI.ChatRole;

namespace ToolN1.Engine.Client;

/// <summary>Maps messages and options of Microsoft.Extensions.AI to the engine's terms.</summary>
internal static class ClientRequests
{
    private const string Strict = "strict";

    // As for top_p 0 over HTTP: the smallest set with any probability at all is the likeliest token.
    private const float SmallestTopP = 1e-9f;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Maps a request.</summary>
    /// <exception cref="NotSupportedException">Something that the served model cannot take; the message names it.</exception>
    /// <exception cref="ArgumentException">Another model's id.</exception>
    /// <exception cref="ConversationException">Results and calls do not match.</exception>
    public static ChatRequest Map(
        IChatClient client, ModelInfo model, string id, IEnumerable<AIMessage> messages, ChatOptions? options, ChatServingOptions serving)
    {
        options ??= new ChatOptions();
        Refuse(options);
        if (options.ModelId is not null && options.ModelId != model.Name)
        {
            throw new ArgumentException($"The model '{options.ModelId}' does not exist; '{model.Name}' is served.", nameof(options));
        }

        return new ChatRequest
        {
            RequestId = id,
            Messages = Messages(messages, options.Instructions, serving.KeepReasoning),
            Tools = [.. (options.Tools ?? []).Select(Tool)],
            ToolChoice = options.ToolMode switch
            {
                null or AutoChatToolMode => new ToolChoice.Auto(),
                NoneChatToolMode => new ToolChoice.None(),
                RequiredChatToolMode { RequiredFunctionName: string name } => new ToolChoice.Function(name),
                RequiredChatToolMode => new ToolChoice.Required(),
                _ => throw new NotSupportedException($"ChatOptions.ToolMode: {options.ToolMode.GetType().Name} is not supported."),
            },
            ParallelToolCalls = options.AllowMultipleToolCalls ?? true,
            ResponseFormat = options.ResponseFormat switch
            {
                null or ChatResponseFormatText => new ResponseFormat.Text(),
                ChatResponseFormatJson { Schema: JsonElement schema } => new ResponseFormat.JsonSchema(schema.GetRawText(), IsStrict(options.AdditionalProperties)),
                ChatResponseFormatJson => new ResponseFormat.JsonObject(),
                _ => throw new NotSupportedException($"ChatOptions.ResponseFormat: {options.ResponseFormat.GetType().Name} is not supported."),
            },
            ThinkingTokens = options.Reasoning?.Effort is ReasoningEffort effort ? serving.ThinkingTokens(Effort(effort)) : null,
            AnswersInWords = serving.AnswerInWords,
            MaxNewTokens = options.MaxOutputTokens,
            Stop = options.StopSequences is null ? [] : [.. options.StopSequences],
            Sampling = Sampling(client, options),
        };
    }

    private static void Refuse(ChatOptions options)
    {
        string? refused = options.ConversationId is not null ? "ConversationId: answers are not stored, send the whole conversation"
            : options.ContinuationToken is not null ? "ContinuationToken: answers are not stored"
            : options.AllowBackgroundResponses == true ? "AllowBackgroundResponses: answers are not stored"
            : options.Reasoning?.Output is ReasoningOutput.Summary ? "Reasoning.Output: there are no summaries, only the reasoning itself"
            : options.AdditionalProperties?.Keys.FirstOrDefault(key => key != Strict) is string key ? $"AdditionalProperties: '{key}' is not known"
            : null;
        if (refused is not null)
        {
            throw new NotSupportedException($"ChatOptions.{refused}.");
        }
    }

    private static SamplingParameters Sampling(IChatClient client, ChatOptions options)
    {
        SamplingParameters start = options.RawRepresentationFactory?.Invoke(client) switch
        {
            null => new SamplingParameters(),
            SamplingParameters given => given,
            object other => throw new NotSupportedException(
                $"ChatOptions.RawRepresentationFactory made a {other.GetType().Name}; only {nameof(SamplingParameters)} is known."),
        };
        return start with
        {
            Temperature = options.Temperature ?? start.Temperature,
            TopP = options.TopP is float topP ? Math.Max(topP, SmallestTopP) : start.TopP,
            TopK = options.TopK ?? start.TopK,
            FrequencyPenalty = options.FrequencyPenalty ?? start.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty ?? start.PresencePenalty,
            Seed = options.Seed ?? start.Seed,
        };
    }

    private static string Effort(ReasoningEffort effort) => effort switch
    {
        ReasoningEffort.None => "none",
        ReasoningEffort.Low => "low",
        ReasoningEffort.Medium => "medium",
        ReasoningEffort.High => "high",
        _ => throw new NotSupportedException($"ChatOptions.Reasoning.Effort: {effort} is not supported."),
    };

    private static ChatTool Tool(AITool tool)
    {
        if (tool is not AIFunctionDeclaration function)
        {
            throw new NotSupportedException($"ChatOptions.Tools: '{tool.Name}' is a {tool.GetType().Name}; only functions are supported.");
        }

        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json, WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("name", function.Name);
            if (function.Description.Length > 0)
            {
                writer.WriteString("description", function.Description);
            }

            writer.WritePropertyName("parameters");
            function.JsonSchema.WriteTo(writer);
            writer.WriteEndObject();
        }

        return new ChatTool(function.Name, Encoding.UTF8.GetString(json.WrittenSpan), IsStrict(function.AdditionalProperties));
    }

    private static bool IsStrict(IReadOnlyDictionary<string, object?>? properties) =>
        properties?.TryGetValue(Strict, out object? value) == true && value is true;

    private static IReadOnlyList<Chat.ChatMessage> Messages(IEnumerable<AIMessage> messages, string? instructions, bool keepReasoning)
    {
        List<Chat.ChatMessage> mapped = [];
        if (!string.IsNullOrEmpty(instructions))
        {
            mapped.Add(new Chat.ChatMessage { Role = Chat.ChatRole.System, Content = instructions });
        }

        foreach (AIMessage message in messages)
        {
            if (message.Role == AIRole.Tool)
            {
                mapped.AddRange(message.Contents.Select(Result));
            }
            else
            {
                mapped.Add(Said(message, keepReasoning));
            }
        }

        return Conversation.OrderResults(mapped);
    }

    private static Chat.ChatMessage Said(AIMessage message, bool keepReasoning)
    {
        bool isAssistant = message.Role == AIRole.Assistant;
        StringBuilder text = new();
        StringBuilder reasoning = new();
        List<ToolCall> calls = [];
        foreach (AIContent content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Append(part.Text);
                    break;
                case TextReasoningContent part when isAssistant:
                    reasoning.Append(part.Text);
                    break;
                case FunctionCallContent call when isAssistant:
                    calls.Add(new ToolCall(call.CallId, call.Name, Arguments(call)));
                    break;
                case UsageContent:
                    break;
                default:
                    throw new NotSupportedException($"A message of role '{message.Role}' with {content.GetType().Name} is not supported.");
            }
        }

        return new Chat.ChatMessage
        {
            Role = isAssistant ? Chat.ChatRole.Assistant
                : message.Role == AIRole.User ? Chat.ChatRole.User
                : message.Role == AIRole.System || message.Role.Value == "developer" ? Chat.ChatRole.System
                : throw new NotSupportedException($"The role '{message.Role}' is not supported."),
            Name = message.AuthorName,
            Content = text.Length == 0 && calls.Count > 0 ? null : text.ToString(),
            Reasoning = keepReasoning && reasoning.Length > 0 ? reasoning.ToString() : null,
            ToolCalls = calls,
        };
    }

    private static Chat.ChatMessage Result(AIContent content) => content is FunctionResultContent result
        ? new Chat.ChatMessage
        {
            Role = Chat.ChatRole.Tool,
            ToolCallId = result.CallId,
            Content = result.Result as string
                ?? (result.Result is null ? "" : JsonSerializer.Serialize(result.Result, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object)))),
        }
        : throw new NotSupportedException($"A message of role 'tool' with {content.GetType().Name} is not supported.");

    private static string Arguments(FunctionCallContent call) => call.Arguments is null
        ? "{}"
        : JsonSerializer.Serialize(call.Arguments, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>)));
}
