using ToolN1.Api.Errors;

namespace ToolN1.Api.Streaming;

/// <summary>The frame of every streamed answer: headers, events, and <c>[DONE]</c> or an error event.</summary>
internal static class StreamedAnswer
{
    /// <summary>Starts the response and lets <paramref name="write"/> fill it.</summary>
    public static async Task WriteAsync(HttpContext context, FailureLog log, Func<SseWriter, Task> write)
    {
        SseWriter writer = new(context);
        await writer.StartAsync();
        try
        {
            await write(writer);
            await writer.DoneAsync();
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            await writer.ErrorAsync(log.Refuse(context.TraceIdentifier, exception));
        }
    }
}
