using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Captures;

/// <summary>One choice of an answer while it is made: a fold of its events, and how it ended. Not yet redacted: lives in memory only.</summary>
/// <param name="origin">Where it comes from.</param>
/// <param name="request">What was asked.</param>
/// <param name="choice">Its number, from 0.</param>
public sealed class CapturedAnswer(CaptureOrigin origin, ChatRequest request, int choice)
{
    /// <summary>How an answer ended whose caller went away, or whose server stopped.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>How an answer ended that the server could not finish.</summary>
    public const string Failed = "failed";

    private readonly StringBuilder _reasoning = new();
    private readonly StringBuilder _content = new();
    private readonly List<(string Name, StringBuilder Arguments)> _calls = [];

    /// <summary>Where it comes from.</summary>
    public CaptureOrigin Origin => origin;

    /// <summary>What was asked.</summary>
    public ChatRequest Request => request;

    /// <summary>Its number, from 0.</summary>
    public int Choice => choice;

    /// <summary>How it ended; null while it goes on.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>The reasoning, or null where there is none.</summary>
    internal string? Reasoning => _reasoning.Length > 0 ? _reasoning.ToString() : null;

    /// <summary>The visible text, or null where there is none.</summary>
    internal string? Content => _content.Length > 0 ? _content.ToString() : null;

    /// <summary>The calls, arguments as the model wrote them.</summary>
    internal IEnumerable<(string Name, string Arguments)> Calls => _calls.Select(call => (call.Name, call.Arguments.ToString()));

    /// <summary>Characters of conversation, tools and answer.</summary>
    internal long Characters =>
        request.Messages.Sum(message => (long)(message.Content?.Length ?? 0) + (message.Reasoning?.Length ?? 0) + message.ToolCalls.Sum(call => (long)call.Name.Length + call.Arguments.Length))
            + request.Tools.Sum(tool => (long)tool.FunctionJson.Length)
            + _reasoning.Length + _content.Length + _calls.Sum(call => (long)call.Name.Length + call.Arguments.Length);

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
                _calls.Add((begin.Name, new StringBuilder()));
                break;
            case ChatEvent.ToolCallArgumentsDelta arguments:
                _calls[arguments.Index].Arguments.Append(arguments.Json);
                break;
            case ChatEvent.Finished finished:
                FinishReason = finished.Reason switch
                {
                    ChatFinishReason.Stop => "stop",
                    ChatFinishReason.ToolCalls => "tool_calls",
                    ChatFinishReason.Length => "length",
                    _ => Cancelled,
                };
                break;
            default:
                break;
        }
    }

    /// <summary>It ends without a last event.</summary>
    /// <param name="reason"><see cref="Cancelled"/> or <see cref="Failed"/>.</param>
    public void End(string reason) => FinishReason ??= reason;
}
