using System.Text;
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
    private Answer? _answer;

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
        if (_messages.Count == 0)
        {
            throw ApiException.Invalid("input", "Invalid value for 'input': it holds no message; reasoning alone is none.");
        }

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
                StartAnswer(index, _answer is { Content: null, Calls.Count: 0 });
                foreach (JsonElement part in item.Items("content"))
                {
                    _answer!.Reasoning.Append(part.String("text"));
                }

                break;
            case "message" when item.String("role") == "assistant":
                StartAnswer(index, _answer is { Content: null, Calls.Count: 0 });
                _answer!.Content = Text(item.GetProperty("content"));
                break;
            case "function_call":
                StartAnswer(index, _answer is not null);
                FieldPath path = FieldPath.Root.Field("input").Item(index).Field("arguments");
                _answer!.Calls.Add(new ToolCall(item.String("call_id")!, item.String("name")!, MessageBinder.Arguments(item.String("arguments")!, path)));
                _answer.CallItems.Add(index);
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
            _answer = new Answer(index);
        }
    }

    private void EndAnswer()
    {
        // Reasoning alone is no answer: the model was cut while it thought.
        if (_answer is { Content: not null } or { Calls.Count: > 0 })
        {
            _messages.Add(new ChatMessage
            {
                Role = ChatRole.Assistant,
                Content = _answer.Content,
                Reasoning = keepReasoning && _answer.Reasoning.Length > 0 ? _answer.Reasoning.ToString() : null,
                ToolCalls = _answer.Calls,
            });
            _places.Add((_answer.Item, _answer.CallItems));
        }

        _answer = null;
    }

    private void Add(ChatMessage message, int index)
    {
        _messages.Add(message);
        _places.Add((index, []));
    }

    private static string Text(JsonElement content) => content.ValueKind == JsonValueKind.String
        ? content.GetString()!
        : string.Concat(content.EnumerateArray().Select(part => part.String("text") ?? part.String("refusal")));

    /// <summary>An answer of the model whose items are being gathered.</summary>
    /// <param name="item">Its first item.</param>
    private sealed class Answer(int item)
    {
        public int Item { get; } = item;

        public StringBuilder Reasoning { get; } = new();

        public string? Content { get; set; }

        public List<ToolCall> Calls { get; } = [];

        public List<int> CallItems { get; } = [];
    }
}
