using System.Text;
using ToolN1.Api.Contracts;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Streaming;

/// <summary>Folds the events of one choice into a whole answer: the same events that a streamed answer is made of.</summary>
internal sealed class ChatAnswerBuilder(int index, bool withLogProbs)
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
    public ChatChoice Build() => new()
    {
        Index = index,
        Message = new AssistantAnswer
        {
            Content = _calls.Count > 0 && _content.Length == 0 ? null : _content.ToString(),
            ReasoningContent = _reasoning.Length > 0 ? _reasoning.ToString() : null,
            ToolCalls = _calls.Count > 0
                ? [.. _calls.Select(call => ChatWire.Call(call.Begin, index: null) with
                {
                    Function = new FunctionCallBody { Name = call.Begin.Name, Arguments = call.Arguments.ToString() },
                })]
                : null,
        },
        Logprobs = withLogProbs ? new ChatLogProbs { Content = _logProbs } : null,
        FinishReason = ChatWire.FinishReason(Finished.Reason),
    };
}
