using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.Streaming;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /v1/responses.</summary>
internal sealed class ResponseEndpoint(
    IInferenceEngine engine, RequestOpening opening, ChatGenerator generator, CaptureTap tap, IOptions<ChatServingOptions> options, FailureLog log)
{
    /// <summary>Reads a request, runs it, answers it.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using OpenedRequest<ResponseCall> request = await opening.OpenAsync(
            context, "response", "resp_", ResponseShape.Shape, (body, tenant) => ResponseBinder.Bind(body, engine.Model, options.Value, tenant));
        (ResponseCall call, ModelUse use, AnswerIdentity identity, RequestTimer timer) = request;
        await using ChoiceSet<ChatEvent> choices = await generator.StartAsync(
            call.Request with { WeightVersion = use.WeightVersion }, 1, identity.Id, RequestPaths.Responses, context.RequestAborted, call.LenientTools);
        IAsyncEnumerable<(int, ChatEvent)> events = tap.Watch(choices.ReadAsync(context.RequestAborted), call.Request, 1, request.Origin, context.RequestAborted);
        ResponseBuilder builder = new(identity, call);
        if (call.Stream)
        {
            await StreamedAnswer.WriteAsync(
                context,
                log,
                writer => StreamAsync(writer, events, builder, timer),
                (writer, refusal) => WriteAsync(writer, [builder.Failed(refusal)]));
        }
        else
        {
            await foreach ((_, ChatEvent piece) in events)
            {
                timer.Piece();
                builder.Next(piece);
            }

            Finish(timer, builder);
            await JsonAnswer.WriteAsync(context, builder.Response, ApiJsonContext.Relaxed.Response);
        }
    }

    private static async Task StreamAsync(SseWriter writer, IAsyncEnumerable<(int, ChatEvent)> events, ResponseBuilder builder, RequestTimer timer)
    {
        await WriteAsync(writer, builder.Begin());
        await foreach ((_, ChatEvent piece) in events)
        {
            timer.Piece();
            await WriteAsync(writer, builder.Next(piece));
        }

        Finish(timer, builder);
    }

    private static async Task WriteAsync(SseWriter writer, IEnumerable<ResponseEvent> events)
    {
        foreach (ResponseEvent item in events)
        {
            await writer.WriteAsync(item, ApiJsonContext.Relaxed.ResponseEvent, item.Type);
        }
    }

    private static void Finish(RequestTimer timer, ResponseBuilder builder)
    {
        ResponseUsage usage = builder.Response.Usage!;
        timer.Finish(usage.InputTokens, usage.OutputTokens);
    }
}
