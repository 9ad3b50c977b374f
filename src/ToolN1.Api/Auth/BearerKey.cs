namespace ToolN1.Api.Auth;

/// <summary>The key that a request presents: <c>Authorization: Bearer KEY</c>.</summary>
internal static class BearerKey
{
    private const string Scheme = "Bearer ";

    /// <summary>The key, checked by nobody yet; empty where there is none.</summary>
    public static string Of(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
    }
}
