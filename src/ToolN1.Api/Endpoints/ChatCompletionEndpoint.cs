using System.Text.Json;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.Shapes;
using ToolN1.Api.Streaming;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /v1/chat/completions.</summary>
internal sealed class ChatCompletionEndpoint(ServedModel model, ChatPipeline pipeline, TimeProvider time, RequestMetrics metrics, FailureLog log)
{
    /// <summary>Reads a request, runs it, answers it.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        ChatCall call;
        using (JsonDocument body = await RequestBody.ReadAsync(context, ChatCompletionShape.Shape))
        {
            call = ChatBinder.Bind(body.RootElement, model.Info);
        }

        PreparedChat chat = await pipeline.PrepareAsync(call.Request, context.RequestAborted);
        AnswerIdentity identity = AnswerIdentity.New("chatcmpl-", model.Info, time);
        RequestTimer timer = metrics.Start("chat");
        await using ChoiceSet<ChatEvent> choices = ChoiceSet<ChatEvent>.Start(
            call.Choices,
            (choice, cancellation) => pipeline.Generate(
                chat with
                {
                    Request = call.Request with
                    {
                        RequestId = $"{identity.Id}-{choice}",
                        Sampling = SamplingBinder.ForChoice(call.Request.Sampling, choice),
                    },
                },
                cancellation),
            context.RequestAborted);
        if (call.Delivery.Stream)
        {
            await StreamedAnswer.WriteAsync(context, log, writer => StreamAsync(writer, choices, call, identity, timer, context.RequestAborted));
        }
        else
        {
            ChatCompletion answer = await WholeAsync(choices, call, identity, timer, context.RequestAborted);
            await JsonAnswer.WriteAsync(context, answer, ApiJsonContext.Relaxed.ChatCompletion);
        }
    }

    private static async Task<ChatCompletion> WholeAsync(
        ChoiceSet<ChatEvent> choices, ChatCall call, AnswerIdentity identity, RequestTimer timer, CancellationToken cancellation)
    {
        ChatAnswerBuilder[] answers = [.. Enumerable.Range(0, call.Choices).Select(index => new ChatAnswerBuilder(index, call.WithLogProbs))];
        await foreach ((int choice, ChatEvent piece) in choices.ReadAsync(cancellation))
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

    private static async Task StreamAsync(
        SseWriter writer, ChoiceSet<ChatEvent> choices, ChatCall call, AnswerIdentity identity, RequestTimer timer, CancellationToken cancellation)
    {
        ChatChunkBuilder[] builders = [.. Enumerable.Range(0, call.Choices).Select(index => new ChatChunkBuilder(identity, index, call))];
        foreach (ChatChunkBuilder builder in builders)
        {
            await writer.WriteAsync(builder.Begin(), ApiJsonContext.Relaxed.ChatCompletionChunk);
        }

        ChatUsage[] usages = new ChatUsage[call.Choices];
        await foreach ((int choice, ChatEvent piece) in choices.ReadAsync(cancellation))
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
