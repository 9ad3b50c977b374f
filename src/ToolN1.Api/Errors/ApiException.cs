namespace ToolN1.Api.Errors;

/// <summary>A refusal that becomes an HTTP status and OpenAI's error envelope.</summary>
/// <param name="status">HTTP status code.</param>
/// <param name="type">OpenAI's error family, such as <c>invalid_request_error</c>.</param>
/// <param name="message">For the caller's eyes; never holds prompt text.</param>
/// <param name="param">The field at fault as a path (<c>messages[2].content</c>), or null.</param>
/// <param name="code">OpenAI's machine-readable code, or null.</param>
internal sealed class ApiException(int status, string type, string message, string? param = null, string? code = null)
    : Exception(message)
{
    // An error may name what the caller wrote (an unknown field, a model), but it does not send a megabyte of it back.
    private const int LongestMessage = 1000;
    private const int LongestParam = 300;

    /// <summary>HTTP status code.</summary>
    public int Status { get; } = status;

    /// <summary>Sent as Retry-After, where set.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the caller is told.</summary>
    public ErrorBody Body { get; } = new()
    {
        Message = Clip(message, LongestMessage),
        Type = type,
        Param = param is null ? null : Clip(param, LongestParam),
        Code = code,
    };

    /// <summary>400: a field is wrong; <paramref name="param"/> names it.</summary>
    public static ApiException Invalid(string? param, string message, string? code = "invalid_value") =>
        new(StatusCodes.Status400BadRequest, ErrorTypes.InvalidRequest, message, param, code);

    /// <summary>400: a field or value that OpenAI knows and this server does not do.</summary>
    public static ApiException Unsupported(string param, string message) =>
        new(StatusCodes.Status400BadRequest, ErrorTypes.InvalidRequest, message, param, "unsupported_parameter");

    /// <summary>404: no such model.</summary>
    public static ApiException ModelNotFound(string model) =>
        new(StatusCodes.Status404NotFound, ErrorTypes.InvalidRequest, $"The model '{model}' does not exist.", "model", "model_not_found");

    /// <summary>400: prompt and answer do not fit the model's length.</summary>
    public static ApiException ContextLengthExceeded(int promptTokens, int requestedTokens, int maxModelLength, string param) =>
        new(
            StatusCodes.Status400BadRequest,
            ErrorTypes.InvalidRequest,
            $"This model's maximum context length is {maxModelLength} tokens. However, you requested {(long)promptTokens + requestedTokens} tokens "
                + $"({promptTokens} in the prompt, {requestedTokens} for the completion). Shorten the prompt or ask for fewer tokens.",
            param,
            "context_length_exceeded");

    private static string Clip(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "…";
}
