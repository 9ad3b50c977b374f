using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>
/// Turns the items of a response's input into messages. What one answer of the model consisted of (reasoning, text, calls) are
/// items in a row there and one message here. For one request; not thread-safe.
/// </summary>
/// <param name="keepReasoning">Whether earlier reasoning goes to the model.</param>
internal sealed class ResponseInput(bool keepReasoning)
{
    private readonly List<ChatMessage> _messages = [];

    // For errors: the item of each message, and of each of its calls.
    private readonly List<(int Item, List<int> Calls)> _places = [];
    private ChatMessage? _answer;
    private List<int> _callItems = [];
    private int _answerItem;

    /// <summary>The conversation, results in the order of their calls.</summary>
    /// <exception cref="ApiException">400 naming the item.</exception>
    public IReadOnlyList<ChatMessage> Messages(JsonElement request)
    {
        if (request.String("instructions") is { Length: > 0 } instructions)
        {
            Add(new ChatMessage { Role = ChatRole.System, Content = instructions }, -1);
        }

        JsonElement input = request.GetProperty("input");
        if (input.ValueKind == JsonValueKind.String)
        {
            Add(new ChatMessage { Role = ChatRole.User, Content = input.GetString() }, -1);
            return _messages;
        }

        int index = 0;
        foreach (JsonElement item in input.EnumerateArray())
        {
            Take(item, index++);
        }

        EndAnswer();
        try
        {
            return Conversation.OrderResults(_messages);
        }
        catch (ConversationException exception)
        {
            (int place, List<int> calls) = _places[exception.MessageIndex];
            string param = $"input[{(exception.CallIndex is int call ? calls[call] : place)}].call_id";
            throw ApiException.Invalid(param, $"Invalid value for '{param}': {exception.Rule}.");
        }
    }

    private void Take(JsonElement item, int index)
    {
        switch (item.String("type") ?? "message")
        {
            case "reasoning":
                StartAnswer(index, _answer is { Content: null, ToolCalls.Count: 0 });
                _answer = _answer! with { Reasoning = keepReasoning ? _answer.Reasoning + string.Concat(item.Items("content").Select(part => part.String("text"))) : null };
                break;
            case "message" when item.String("role") == "assistant":
                StartAnswer(index, _answer is { Content: null, ToolCalls.Count: 0 });
                _answer = _answer! with { Content = Text(item.GetProperty("content")) };
                break;
            case "function_call":
                StartAnswer(index, _answer is not null);
                FieldPath path = FieldPath.Root.Field("input").Item(index).Field("arguments");
                ToolCall call = new(item.String("call_id")!, item.String("name")!, MessageBinder.Arguments(item.String("arguments")!, path));
                _answer = _answer! with { ToolCalls = [.. _answer.ToolCalls, call] };
                _callItems.Add(index);
                break;
            case "function_call_output":
                EndAnswer();
                Add(new ChatMessage { Role = ChatRole.Tool, ToolCallId = item.String("call_id"), Content = Text(item.GetProperty("output")) }, index);
                break;
            default:
                EndAnswer();
                ChatRole role = item.String("role") == "user" ? ChatRole.User : ChatRole.System;
                Add(new ChatMessage { Role = role, Content = Text(item.GetProperty("content")) }, index);
                break;
        }
    }

    private void StartAnswer(int index, bool continues)
    {
        if (!continues)
        {
            EndAnswer();
            _answer = new ChatMessage { Role = ChatRole.Assistant };
            _answerItem = index;
        }
    }

    private void EndAnswer()
    {
        // Reasoning alone is no answer: the model was cut while it thought.
        if (_answer is { Content: not null } or { ToolCalls.Count: > 0 })
        {
            _messages.Add(_answer);
            _places.Add((_answerItem, _callItems));
        }

        _answer = null;
        _callItems = [];
    }

    private void Add(ChatMessage message, int index)
    {
        _messages.Add(message);
        _places.Add((index, []));
    }

    private static string Text(JsonElement content) => content.ValueKind == JsonValueKind.String
        ? content.GetString()!
        : string.Concat(content.EnumerateArray().Select(part => part.String("text") ?? part.String("refusal")));
}
