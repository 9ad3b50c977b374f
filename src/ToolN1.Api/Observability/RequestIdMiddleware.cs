using System.Buffers;

namespace ToolN1.Api.Observability;

/// <summary>Gives every answer an <c>x-request-id</c>: the caller's own where it is sane, else a fresh one.</summary>
internal sealed class RequestIdMiddleware(RequestDelegate next)
{
    /// <summary>The header's name.</summary>
    public const string Header = "x-request-id";

    private const int MaxLength = 128;

    // What may go to a log line and a header as it is.
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    /// <summary>Names the request and passes it on.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        string given = context.Request.Headers[Header].ToString();
        bool sane = given.Length is > 0 and <= MaxLength && !given.AsSpan().ContainsAnyExcept(Allowed);
        context.TraceIdentifier = sane ? given : "req_" + Guid.NewGuid().ToString("N");
        context.Response.Headers[Header] = context.TraceIdentifier;
        return next(context);
    }
}
