namespace ToolN1.Api.Auth;

/// <summary>Whose request it is: callers with different keys share no cached prompts.</summary>
/// <param name="CacheSalt">Tells tenants apart in the prefix cache; nothing of the key can be read from it.</param>
internal sealed record Tenant(string CacheSalt)
{
    /// <summary>The tenant's salt, or null where the server has no keys.</summary>
    public static string? Of(HttpContext context) => context.Features.Get<Tenant>()?.CacheSalt;
}
