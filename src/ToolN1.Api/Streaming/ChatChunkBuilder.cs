using ToolN1.Api.Contracts;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Streaming;

/// <summary>Turns the events of one choice into chunks.</summary>
internal sealed class ChatChunkBuilder(AnswerIdentity identity, int index, ChatCall call)
{
    private readonly AnswerFields _fields = call.Fields;
    private readonly List<TokenLogProbBody> _logProbs = [];
    private bool _saidSomething;

    /// <summary>A chunk without choices but the exact counts, the last of a stream that asked for it.</summary>
    public static ChatCompletionChunk UsageChunk(AnswerIdentity identity, Usage usage) =>
        Chunk(identity, [], new ChunkUsage(true, usage));

    /// <summary>The choice's first chunk.</summary>
    public ChatCompletionChunk Begin() => Chunk(new ChunkDelta { Role = "assistant" });

    /// <summary>The chunk of an event, or null for one that travels with the next.</summary>
    public ChatCompletionChunk? Next(ChatEvent piece)
    {
        switch (piece)
        {
            case ChatEvent.LogProbs logProbs:
                _logProbs.AddRange(logProbs.Tokens.Select(ChatWire.LogProb));
                return null;
            case ChatEvent.ReasoningDelta reasoning:
                return _fields.Reasoning == ReasoningFields.None
                    ? null
                    : Chunk(new ChunkDelta { ReasoningContent = reasoning.Text, Reasoning = _fields.Reasoning == ReasoningFields.Both ? reasoning.Text : null });
            case ChatEvent.ContentDelta content:
                _saidSomething = true;
                return Chunk(new ChunkDelta { Content = content.Text });
            case ChatEvent.ToolCallBegin begin:
                _saidSomething = true;
                ToolCallBody body = ChatWire.Call(begin, begin.Index);
                return Chunk(_fields.AsFunctionCall ? new ChunkDelta { FunctionCall = body.Function } : new ChunkDelta { ToolCalls = [body] });
            case ChatEvent.ToolCallArgumentsDelta arguments:
                FunctionCallBody more = new() { Arguments = arguments.Json };
                return Chunk(_fields.AsFunctionCall
                    ? new ChunkDelta { FunctionCall = more }
                    : new ChunkDelta { ToolCalls = [new ToolCallBody { Index = arguments.Index, Function = more }] });
            case ChatEvent.Finished finished:
                // A whole answer without text and calls has the content "": so has a streamed one.
                return Chunk(_saidSomething ? new ChunkDelta() : new ChunkDelta { Content = "" }, ChatWire.FinishReason(finished.Reason, _fields));
            default:
                throw new InvalidOperationException($"Unknown event {piece.GetType().Name}.");
        }
    }

    private static ChatCompletionChunk Chunk(AnswerIdentity identity, IReadOnlyList<ChunkChoice> choices, ChunkUsage usage) => new()
    {
        Id = identity.Id,
        Created = identity.Created,
        Model = identity.Model,
        SystemFingerprint = identity.Fingerprint,
        Choices = choices,
        Usage = usage,
    };

    private ChatCompletionChunk Chunk(ChunkDelta delta, string? finishReason = null)
    {
        ChatLogProbs? logProbs = _logProbs.Count > 0 ? new ChatLogProbs { Content = [.. _logProbs] } : null;
        _logProbs.Clear();
        ChunkChoice choice = new() { Index = index, Delta = delta, Logprobs = logProbs, FinishReason = finishReason };
        return Chunk(identity, [choice], call.Delivery.IncludeUsage ? ChunkUsage.Null : default);
    }
}
