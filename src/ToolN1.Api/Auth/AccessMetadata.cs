namespace ToolN1.Api.Auth;

/// <summary>Marks an endpoint with who may call it.</summary>
/// <param name="Access">Who.</param>
internal sealed record AccessMetadata(Access Access);
