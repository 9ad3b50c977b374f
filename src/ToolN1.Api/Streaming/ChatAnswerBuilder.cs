using System.Text;
using ToolN1.Api.Contracts;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Streaming;

/// <summary>Folds the events of one choice into a whole answer: the same events that a streamed answer is made of.</summary>
internal sealed class ChatAnswerBuilder(int index, AnswerFields fields)
{
    private readonly StringBuilder _content = new();
    private readonly StringBuilder _reasoning = new();
    private readonly List<(ChatEvent.ToolCallBegin Begin, StringBuilder Arguments)> _calls = [];
    private readonly List<TokenLogProbBody> _logProbs = [];
    private ChatEvent.Finished? _finished;

    /// <summary>The counts of the finished choice.</summary>
    public ChatUsage Usage => Finished.Usage;

    private ChatEvent.Finished Finished => _finished ?? throw new InvalidOperationException("The choice has not finished.");

    /// <summary>Takes the next event.</summary>
    public void Add(ChatEvent piece)
    {
        switch (piece)
        {
            case ChatEvent.ReasoningDelta reasoning:
                _reasoning.Append(reasoning.Text);
                break;
            case ChatEvent.ContentDelta content:
                _content.Append(content.Text);
                break;
            case ChatEvent.ToolCallBegin begin:
                _calls.Add((begin, new StringBuilder()));
                break;
            case ChatEvent.ToolCallArgumentsDelta arguments:
                _calls[arguments.Index].Arguments.Append(arguments.Json);
                break;
            case ChatEvent.LogProbs logProbs:
                _logProbs.AddRange(logProbs.Tokens.Select(ChatWire.LogProb));
                break;
            case ChatEvent.Finished finished:
                _finished = finished;
                break;
            default:
                throw new InvalidOperationException($"Unknown event {piece.GetType().Name}.");
        }
    }

    /// <summary>The whole answer.</summary>
    public ChatChoice Build()
    {
        string? reasoning = _reasoning.Length > 0 ? _reasoning.ToString() : null;
        return new ChatChoice
        {
            Index = index,
            Message = new AssistantAnswer
            {
                Content = _calls.Count > 0 && _content.Length == 0 ? null : _content.ToString(),
                ReasoningContent = fields.Reasoning == ReasoningFields.None ? null : reasoning,
                Reasoning = fields.Reasoning == ReasoningFields.Both ? reasoning : null,
                ToolCalls = _calls.Count > 0 && !fields.AsFunctionCall
                    ? [.. _calls.Select(call => ChatWire.Call(call.Begin, index: null) with { Function = Function(call.Begin, call.Arguments) })]
                    : null,
                FunctionCall = _calls.Count > 0 && fields.AsFunctionCall ? Function(_calls[0].Begin, _calls[0].Arguments) : null,
            },
            Logprobs = fields.WithLogProbs ? new ChatLogProbs { Content = _logProbs } : null,
            FinishReason = ChatWire.FinishReason(Finished.Reason, fields),
        };
    }

    private static FunctionCallBody Function(ChatEvent.ToolCallBegin begin, StringBuilder arguments) =>
        new() { Name = begin.Name, Arguments = arguments.ToString() };
}
