namespace ToolN1.Api.Auth;

/// <summary>Whose request it is: callers with different keys share no cached prompts.</summary>
/// <param name="CacheSalt">Tells tenants apart in the prefix cache; nothing of the key can be read from it.</param>
/// <param name="Name">What captures call the tenant: the beginning of the key's hash.</param>
internal sealed record Tenant(string CacheSalt, string Name)
{
    /// <summary>The tenant's salt, or null where the server has no keys.</summary>
    public static string? Of(HttpContext context) => context.Features.Get<Tenant>()?.CacheSalt;

    /// <summary>The tenant's name, or null where the server has no keys.</summary>
    public static string? NameOf(HttpContext context) => context.Features.Get<Tenant>()?.Name;
}
