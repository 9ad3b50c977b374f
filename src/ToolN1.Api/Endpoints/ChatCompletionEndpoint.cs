using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.Streaming;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /v1/chat/completions.</summary>
internal sealed class ChatCompletionEndpoint(
    IInferenceEngine engine, RequestOpening opening, ChatGenerator generator, CaptureTap tap, IOptions<ChatServingOptions> options, IOptions<ServerOptions> server, FailureLog log)
{
    /// <summary>Reads a request, runs it, answers it.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using OpenedRequest<ChatCall> request = await opening.OpenAsync(
            context, "chat", "chatcmpl-", ChatCompletionShape.Shape, (body, tenant) => ChatBinder.Bind(body, engine.Model, options.Value, server.Value.MaxLogProbs, tenant));
        (ChatCall call, ModelUse use, AnswerIdentity identity, RequestTimer timer) = request;
        RequestPaths paths = call.Fields.AsFunctionCall ? RequestPaths.Functions : RequestPaths.Chat;
        await using ChoiceSet<ChatEvent> choices = await generator.StartAsync(
            call.Request with { WeightVersion = use.WeightVersion }, call.Choices, identity.Id, paths, context.RequestAborted);
        IAsyncEnumerable<(int, ChatEvent)> events = tap.Watch(choices.ReadAsync(context.RequestAborted), call.Request, call.Choices, request.Origin, context.RequestAborted);
        if (call.Delivery.Stream)
        {
            await StreamedAnswer.WriteAsync(context, log, writer => StreamAsync(writer, events, call, identity, timer));
        }
        else
        {
            ChatCompletion answer = await WholeAsync(events, call, identity, timer);
            await JsonAnswer.WriteAsync(context, answer, ApiJsonContext.Relaxed.ChatCompletion);
        }
    }

    private static async Task<ChatCompletion> WholeAsync(IAsyncEnumerable<(int, ChatEvent)> events, ChatCall call, AnswerIdentity identity, RequestTimer timer)
    {
        ChatAnswerBuilder[] answers = [.. Enumerable.Range(0, call.Choices).Select(index => new ChatAnswerBuilder(index, call.Fields))];
        await foreach ((int choice, ChatEvent piece) in events)
        {
            timer.Piece();
            answers[choice].Add(piece);
        }

        ChatCompletion answer = new()
        {
            Id = identity.Id,
            Created = identity.Created,
            Model = identity.Model,
            SystemFingerprint = identity.Fingerprint,
            Choices = [.. answers.Select(choice => choice.Build())],
            Usage = Usage.Of([.. answers.Select(choice => choice.Usage)]),
        };
        timer.Finish(answer.Usage.PromptTokens, answer.Usage.CompletionTokens);
        return answer;
    }

    private static async Task StreamAsync(SseWriter writer, IAsyncEnumerable<(int, ChatEvent)> events, ChatCall call, AnswerIdentity identity, RequestTimer timer)
    {
        ChatChunkBuilder[] builders = [.. Enumerable.Range(0, call.Choices).Select(index => new ChatChunkBuilder(identity, index, call))];
        foreach (ChatChunkBuilder builder in builders)
        {
            await writer.WriteAsync(builder.Begin(), ApiJsonContext.Relaxed.ChatCompletionChunk);
        }

        ChatUsage[] usages = new ChatUsage[call.Choices];
        await foreach ((int choice, ChatEvent piece) in events)
        {
            timer.Piece();
            if (piece is ChatEvent.Finished finished)
            {
                usages[choice] = finished.Usage;
            }

            if (builders[choice].Next(piece) is ChatCompletionChunk chunk)
            {
                await writer.WriteAsync(chunk, ApiJsonContext.Relaxed.ChatCompletionChunk);
            }
        }

        Usage usage = Usage.Of(usages);
        timer.Finish(usage.PromptTokens, usage.CompletionTokens);
        if (call.Delivery.IncludeUsage)
        {
            await writer.WriteAsync(ChatChunkBuilder.UsageChunk(identity, usage), ApiJsonContext.Relaxed.ChatCompletionChunk);
        }
    }
}
