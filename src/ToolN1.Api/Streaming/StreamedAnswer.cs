using ToolN1.Api.Errors;

namespace ToolN1.Api.Streaming;

/// <summary>The frame of every streamed answer: headers, events, and an end that says whether it is whole.</summary>
internal static class StreamedAnswer
{
    /// <summary>Starts the response and lets <paramref name="write"/> fill it; closes with <c>[DONE]</c>, or with the error as an event.</summary>
    public static Task WriteAsync(HttpContext context, FailureLog log, Func<SseWriter, Task> write) => WriteAsync(
        context,
        log,
        async writer =>
        {
            await write(writer);
            await writer.DoneAsync();
        },
        (writer, refusal) => writer.ErrorAsync(refusal));

    /// <summary>Starts the response and lets <paramref name="write"/> fill it to its end.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">Where failures are told.</param>
    /// <param name="write">Writes all events.</param>
    /// <param name="fail">Writes the last event of an answer that failed after its start.</param>
    public static async Task WriteAsync(HttpContext context, FailureLog log, Func<SseWriter, Task> write, Func<SseWriter, ApiException, Task> fail)
    {
        SseWriter writer = new(context);
        await writer.StartAsync();
        try
        {
            await write(writer);
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            await fail(writer, log.Refuse(context.TraceIdentifier, exception));
        }
    }
}
