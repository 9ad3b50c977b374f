namespace ToolN1.Api.Auth;

/// <summary>Who may call an endpoint. An endpoint without it needs an API key where keys are set: forgetting it fails closed.</summary>
internal enum Access
{
    /// <summary>Anybody who reaches the server: probes and documentation.</summary>
    Public,

    /// <summary>Holders of an API key or an admin key.</summary>
    ApiKey,

    /// <summary>Holders of an admin key.</summary>
    AdminKey,
}
