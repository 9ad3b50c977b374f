using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Streaming;

/// <summary>
/// Writes server-sent events. Each is flushed before the next is made, so a slow reader holds back its own request only
/// and nothing piles up here.
/// </summary>
internal sealed class SseWriter(HttpContext context)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = Contracts.ApiJsonContext.Relaxed.Options.Encoder };

    /// <summary>Sends the headers; from here on errors are events.</summary>
    public async Task StartAsync()
    {
        HttpResponse response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await response.StartAsync(context.RequestAborted);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>One event with a JSON value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="name">The event's name, of letters, dots and underscores; null for an event without one.</param>
    /// <param name="id">Where a stream that broke off goes on, of letters, digits and hyphens; null for an event without one.</param>
    public async Task WriteAsync<T>(T value, JsonTypeInfo<T> type, string? name = null, string? id = null)
    {
        if (id is not null)
        {
            Encoding.ASCII.GetBytes($"id: {id}\n", context.Response.BodyWriter);
        }

        if (name is not null)
        {
            Encoding.ASCII.GetBytes($"event: {name}\n", context.Response.BodyWriter);
        }

        context.Response.BodyWriter.Write("data: "u8);
        using (Utf8JsonWriter writer = new(context.Response.BodyWriter, WriterOptions))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        context.Response.BodyWriter.Write("\n\n"u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>A line that clients pass by; it keeps a silent connection open.</summary>
    public async Task CommentAsync(string text)
    {
        Encoding.ASCII.GetBytes($": {text}\n\n", context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>The end of a complete stream.</summary>
    public async Task DoneAsync()
    {
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>An error after the start: the envelope as an event. No <c>[DONE]</c> follows, the answer is not whole.</summary>
    public Task ErrorAsync(ApiException refusal) =>
        WriteAsync(new ErrorEnvelope { Error = refusal.Body }, Contracts.ApiJsonContext.Relaxed.ErrorEnvelope);
}
