namespace ToolN1.Api.Errors;

/// <summary>The <c>type</c> values of the error envelope.</summary>
internal static class ErrorTypes
{
    /// <summary>The caller must change the request.</summary>
    public const string InvalidRequest = "invalid_request_error";

    /// <summary>The caller may not do this.</summary>
    public const string Authentication = "authentication_error";

    /// <summary>The server failed, or cannot take the request now.</summary>
    public const string Server = "server_error";
}
