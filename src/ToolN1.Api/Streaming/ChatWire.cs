using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Streaming;

/// <summary>Single pieces of a chat answer in OpenAI's shapes, for whole and streamed answers alike.</summary>
internal static class ChatWire
{
    /// <summary>The beginning of a call, arguments still empty.</summary>
    public static ToolCallBody Call(ChatEvent.ToolCallBegin begin, int? index) => new()
    {
        Index = index,
        Id = begin.Id,
        Type = "function",
        Function = new FunctionCallBody { Name = begin.Name, Arguments = "" },
        UnknownTool = begin.Known ? null : true,
    };

    /// <summary>OpenAI's name of a finish reason.</summary>
    /// <exception cref="ApiException">503: the engine ended the answer because it is stopping.</exception>
    public static string FinishReason(ChatFinishReason reason, AnswerFields fields) => reason switch
    {
        ChatFinishReason.Stop => "stop",
        ChatFinishReason.ToolCalls => fields.AsFunctionCall ? "function_call" : "tool_calls",
        ChatFinishReason.Length => "length",
        _ => throw Stopping(),
    };

    /// <summary>The server ended an answer that nobody cancelled.</summary>
    public static ApiException Stopping() =>
        new(StatusCodes.Status503ServiceUnavailable, ErrorTypes.Server, "The server is stopping and could not finish the answer.", code: "server_stopping")
        { RetryAfter = TimeSpan.FromSeconds(5) };

    /// <summary>A token's log-probability.</summary>
    public static TokenLogProbBody LogProb(ChatTokenLogProb token) => new()
    {
        Token = token.Text,
        Logprob = token.LogProb.LogProb,
        Bytes = [.. token.Bytes.Select(value => (int)value)],
        TopLogprobs = [.. token.Top.Select(top => new TopLogProbBody { Token = top.Text, Logprob = top.LogProb, Bytes = [.. top.Bytes.Select(value => (int)value)] })],
    };
}
