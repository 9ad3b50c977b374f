namespace ToolN1.Api.Errors;

/// <summary>Outermost but for the request id: every failure below leaves as the error envelope.</summary>
internal sealed class ErrorMiddleware(RequestDelegate next, FailureLog log)
{
    /// <summary>Runs the request and answers its failure, if any.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
            {
                // Routing answers unknown routes and wrong methods with a bare status (and, for the latter, Allow).
                await ErrorWriter.WriteAsync(context, ErrorWriter.FromStatus(context.Response.StatusCode));
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            log.ClientWentAway(context.TraceIdentifier);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await ErrorWriter.WriteAsync(context, log.Refuse(context.TraceIdentifier, exception));
        }
    }
}
