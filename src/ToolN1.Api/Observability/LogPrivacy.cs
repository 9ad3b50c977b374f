namespace ToolN1.Api.Observability;

/// <summary>
/// Silences those of the framework's loggers that write what a caller sent: a request's path and query (where somebody may
/// have put a key or a prompt), or a malformed request with its headers. No setting brings them back, for no provider: the
/// metrics count requests by route, and the server's own lines name them by id.
/// </summary>
internal static class LogPrivacy
{
    private static readonly string[] Categories =
    [
        // "Request starting", "Request finished", and the scope that puts the path on every line of a request.
        "Microsoft.AspNetCore.Hosting.Diagnostics",
        // Candidates for a path, and paths without one.
        "Microsoft.AspNetCore.Routing",
        "Microsoft.AspNetCore.Routing.Matching.DfaMatcher",
        "Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware",
        // Of the documentation page's files.
        "Microsoft.AspNetCore.StaticFiles",
        "Microsoft.AspNetCore.StaticFiles.StaticFileMiddleware",
        // A malformed request is quoted, an Authorization header included.
        "Microsoft.AspNetCore.Server.Kestrel.BadRequests",
    ];

    /// <summary>Adds the filters behind whatever is configured.</summary>
    public static void AddLogPrivacy(this WebApplicationBuilder builder) => builder.Services.PostConfigure<LoggerFilterOptions>(options =>
    {
        // Of the rules for a category the last wins, but one for a single provider beats all that are for every provider.
        string?[] providers = [null, .. options.Rules.Select(rule => rule.ProviderName).OfType<string>().Distinct()];
        foreach (string? provider in providers)
        {
            foreach (string category in Categories)
            {
                options.Rules.Add(new LoggerFilterRule(provider, category, LogLevel.None, filter: null));
            }
        }
    });
}
