using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>Maps the checked messages of a conversation to the engine's terms.</summary>
internal static class MessageBinder
{
    /// <summary>The conversation, results in the order of their calls.</summary>
    /// <param name="request">A request that <see cref="MessageShapes.Messages"/> has checked.</param>
    /// <param name="keepReasoning">Whether earlier reasoning goes to the model.</param>
    /// <param name="mayEndInCalls">Whether the last calls may still wait for results.</param>
    /// <exception cref="ApiException">400 naming the message.</exception>
    public static IReadOnlyList<ChatMessage> Bind(JsonElement request, bool keepReasoning, bool mayEndInCalls = false)
    {
        List<ChatMessage> messages = [];
        ToolCall? functionCall = null;
        foreach (JsonElement item in request.Items("messages"))
        {
            FieldPath path = FieldPath.Root.Field("messages").Item(messages.Count);
            ChatMessage message = item.String("role") switch
            {
                "system" or "developer" => Said(ChatRole.System, item),
                "user" => Said(ChatRole.User, item),
                "assistant" => Assistant(item, path, messages.Count, keepReasoning),
                "tool" => Said(ChatRole.Tool, item) with { Name = null, ToolCallId = item.String("tool_call_id") },
                _ => FunctionResult(item, path, functionCall),
            };
            functionCall = item.Has("function_call", out _) ? message.ToolCalls[0] : null;
            messages.Add(message);
        }

        return Order(messages, mayEndInCalls);
    }

    private static IReadOnlyList<ChatMessage> Order(List<ChatMessage> messages, bool mayEndInCalls)
    {
        try
        {
            return Conversation.OrderResults(messages, mayEndInCalls);
        }
        catch (ConversationException exception)
        {
            bool olderForm = exception.CallIndex is int call && messages[exception.MessageIndex].ToolCalls[call].Id == FunctionCallId(exception.MessageIndex);
            string param = olderForm ? $"messages[{exception.MessageIndex}].function_call" : exception.Field;
            string rule = olderForm ? "no function message answers it before the next message" : exception.Rule;
            throw ApiException.Invalid(param, $"Invalid value for '{param}': {rule}.");
        }
    }

    /// <summary>A past call's arguments; a JSON object's text.</summary>
    /// <exception cref="ApiException">400 naming the field.</exception>
    public static string Arguments(string text, FieldPath path)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "{}";
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                JsonText.Check(document.RootElement, path, allowDuplicates: true);
                return text;
            }
        }
        catch (JsonException)
        {
            // Answered below: the position within the text would say little.
        }

        throw ApiException.Invalid(path.ToParam(), $"Invalid value for '{path}': it must be the text of a JSON object.");
    }

    private static ChatMessage Said(ChatRole role, JsonElement item) =>
        new() { Role = role, Name = item.String("name"), Content = Content(item) };

    private static ChatMessage Assistant(JsonElement item, FieldPath path, int index, bool keepReasoning)
    {
        List<ToolCall> calls = [];
        foreach (JsonElement call in item.Items("tool_calls"))
        {
            calls.Add(Call(call.String("id")!, call.GetProperty("function"), path.Field("tool_calls").Item(calls.Count).Field("function")));
        }

        if (item.Has("function_call", out JsonElement function))
        {
            FieldPath place = path.Field("function_call");
            calls.Add(calls.Count == 0
                ? Call(FunctionCallId(index), function, place)
                : throw ApiException.Invalid(place.ToParam(), $"'{place}' cannot be given together with 'tool_calls'."));
        }

        string? content = item.Has("content", out _) ? Content(item) : null;
        if (item.String("refusal") is string refusal)
        {
            content = string.IsNullOrEmpty(content) ? refusal : content + "\n" + refusal;
        }

        return content is null && calls.Count == 0
            ? throw ApiException.Invalid(path.Field("content").ToParam(), $"'{path}' needs 'content' or 'tool_calls'.", "missing_required_parameter")
            : new ChatMessage
            {
                Role = ChatRole.Assistant,
                Name = item.String("name"),
                Content = content,
                Reasoning = keepReasoning ? item.String("reasoning_content") ?? item.String("reasoning") : null,
                ToolCalls = calls,
            };
    }

    private static ToolCall Call(string id, JsonElement function, FieldPath path) =>
        new(id, function.String("name")!, Arguments(function.String("arguments")!, path.Field("arguments")));

    /// <summary>The older form has no ids: one is made from the place. A client's own id of this kind in another place does no harm.</summary>
    private static string FunctionCallId(int index) => $"function_call_{index}";

    private static ChatMessage FunctionResult(JsonElement item, FieldPath path, ToolCall? functionCall)
    {
        string name = item.String("name")!;
        if (functionCall?.Name != name)
        {
            FieldPath place = path.Field("name");
            throw ApiException.Invalid(place.ToParam(), $"Invalid value for '{place}': the message before has no 'function_call' of '{name}'.");
        }

        return new ChatMessage { Role = ChatRole.Tool, Content = item.String("content") ?? "", ToolCallId = functionCall.Id };
    }

    private static string Content(JsonElement message)
    {
        JsonElement content = message.GetProperty("content");
        return content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : string.Concat(content.EnumerateArray().Select(part => part.String("text") ?? part.String("refusal")));
    }
}
