namespace ToolN1.Api.Auth;

/// <summary>Who sent an admin request, as the audit log names them: never the key itself.</summary>
internal static class Caller
{
    /// <summary>Notes the caller, once the key was found to be right.</summary>
    public static void Set(HttpContext context, string name) => context.Items[typeof(Caller)] = name;

    /// <summary>The caller of an admin route.</summary>
    public static string Of(HttpContext context) =>
        context.Items[typeof(Caller)] as string ?? throw new InvalidOperationException("The route is not an admin route.");
}
