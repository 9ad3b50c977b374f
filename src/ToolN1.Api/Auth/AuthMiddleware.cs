using ToolN1.Api.Errors;

namespace ToolN1.Api.Auth;

/// <summary>Lets requests through to what their key opens; without configured keys, requests of this machine only.</summary>
internal sealed class AuthMiddleware(RequestDelegate next, KeyRing keys)
{
    /// <summary>Checks a request; runs after routing has chosen its endpoint.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // An unknown route is a 404 for everybody; a known one without metadata fails closed.
        Access access = context.GetEndpoint() is not Endpoint endpoint
            ? Access.Public
            : endpoint.Metadata.GetMetadata<AccessMetadata>()?.Access ?? Access.ApiKey;
        if (!keys.HasKeys)
        {
            RequireLoopback(context);
            return access == Access.AdminKey
                ? throw Forbidden("admin_key_required", "Admin routes need an admin key; set ToolN1:Auth:AdminKeys.")
                : next(context);
        }

        if (access != Access.Public)
        {
            context.Features.Set(keys.TenantOf(RequireKey(context, access)));
        }

        return next(context);
    }

    private static void RequireLoopback(HttpContext context)
    {
        if (!LoopbackGuard.IsLoopback(context.Connection.RemoteIpAddress))
        {
            throw Forbidden("loopback_only", "Without keys this server answers its own machine only; set ToolN1:Auth:ApiKeys.");
        }

        if (!LoopbackGuard.IsLoopbackHost(context.Request.Host.Host))
        {
            throw Forbidden("host_not_allowed", "Without keys this server answers to the names of its own machine only, such as localhost; set ToolN1:Auth:ApiKeys.");
        }
    }

    private string RequireKey(HttpContext context, Access access)
    {
        string key = BearerKey.Of(context.Request);
        if (keys.Opens(key, access))
        {
            if (access == Access.AdminKey)
            {
                Caller.Set(context, KeyRing.NameOf(key));
            }

            return key;
        }

        if (keys.Knows(key))
        {
            throw Forbidden("admin_key_required", "This route needs an admin key.");
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new ApiException(
            StatusCodes.Status401Unauthorized,
            ErrorTypes.Authentication,
            key.Length == 0 ? "No API key given. Send it as 'Authorization: Bearer KEY'." : "Incorrect API key.",
            code: "invalid_api_key");
    }

    private static ApiException Forbidden(string code, string message) =>
        new(StatusCodes.Status403Forbidden, ErrorTypes.Authentication, message, code: code);
}
