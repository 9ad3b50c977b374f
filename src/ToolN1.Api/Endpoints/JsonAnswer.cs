using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ToolN1.Api.Endpoints;

/// <summary>Writes whole answers.</summary>
internal static class JsonAnswer
{
    /// <summary>200 with a JSON value.</summary>
    public static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
