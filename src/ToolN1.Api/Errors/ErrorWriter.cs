using System.Globalization;
using System.Text.Json;
using ToolN1.Api.Contracts;
using ToolN1.Engine;
using ToolN1.Engine.Model;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Errors;

/// <summary>Turns failures into OpenAI's error envelope.</summary>
internal static class ErrorWriter
{
    /// <summary>What callers are asked to wait for a database that is out of reach.</summary>
    private static readonly TimeSpan DatabaseRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>The refusal that an exception stands for, or null for one that nobody expected.</summary>
    public static ApiException? AsRefusal(Exception exception) => exception switch
    {
        ApiException api => api,
        EngineOverloadedException overloaded => new ApiException(
            StatusCodes.Status503ServiceUnavailable,
            ErrorTypes.Server,
            "The server takes no more requests at the moment. Try again later.",
            code: "engine_overloaded")
        { RetryAfter = overloaded.RetryAfter },
        TrainingRefusedException refused => new ApiException(
            refused.IsNotFound ? StatusCodes.Status404NotFound : refused.IsConflict ? StatusCodes.Status409Conflict : StatusCodes.Status400BadRequest,
            ErrorTypes.InvalidRequest,
            refused.Message,
            refused.Field,
            refused.Code),
        CheckpointException => new ApiException(
            StatusCodes.Status500InternalServerError,
            ErrorTypes.Server,
            "The model's files in the data directory are missing or damaged.",
            "model",
            "model_unusable"),
        BadHttpRequestException bad => FromStatus(bad.StatusCode),
        _ when Outage.IsFullDisk(exception) => new ApiException(
            StatusCodes.Status507InsufficientStorage,
            ErrorTypes.Server,
            "The server's disk is full, and nothing of this request was kept. Make room on it, then try again.",
            code: "disk_full"),
        _ when Outage.Is(exception) => new ApiException(
            StatusCodes.Status503ServiceUnavailable,
            ErrorTypes.Server,
            "The server's database is out of reach at the moment. Try again later.",
            code: "database_unavailable")
        { RetryAfter = DatabaseRetryAfter },
        _ => null,
    };

    /// <summary>The envelope of a bare status code (unknown route, wrong method, body too large).</summary>
    public static ApiException FromStatus(int status)
    {
        (string message, string code) = status switch
        {
            StatusCodes.Status404NotFound => ("There is no such route. See /openapi/v1.json for those there are.", "not_found"),
            StatusCodes.Status405MethodNotAllowed => ("This route does not take this method; the Allow header names those it takes.", "method_not_allowed"),
            StatusCodes.Status408RequestTimeout => ("The request's body arrived too slowly.", "request_timeout"),
            StatusCodes.Status413PayloadTooLarge => ("The request's body is larger than this server accepts.", "body_too_large"),
            StatusCodes.Status415UnsupportedMediaType => ("Send the body as Content-Type: application/json.", "unsupported_media_type"),
            >= 500 => ("The server had an error while processing the request.", "internal_error"),
            _ => ("The request could not be read.", "bad_request"),
        };
        return new ApiException(status, status >= 500 ? ErrorTypes.Server : ErrorTypes.InvalidRequest, message, code: code);
    }

    /// <summary>The answer to a failure that nobody expected: no details.</summary>
    public static ApiException Unexpected() => FromStatus(StatusCodes.Status500InternalServerError);

    /// <summary>The envelope as UTF-8 JSON.</summary>
    public static byte[] Serialize(ApiException refusal) =>
        JsonSerializer.SerializeToUtf8Bytes(new ErrorEnvelope { Error = refusal.Body }, ApiJsonContext.Relaxed.ErrorEnvelope);

    /// <summary>Writes status, headers and envelope; the response must not have started.</summary>
    public static async Task WriteAsync(HttpContext context, ApiException refusal)
    {
        HttpResponse response = context.Response;
        response.StatusCode = refusal.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (refusal.RetryAfter is TimeSpan wait)
        {
            long seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        byte[] body = Serialize(refusal);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }
}
