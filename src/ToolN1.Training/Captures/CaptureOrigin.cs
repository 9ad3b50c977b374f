namespace ToolN1.Training.Captures;

/// <summary>Where a captured answer comes from.</summary>
/// <param name="Endpoint">The API: <c>chat</c> or <c>response</c>.</param>
/// <param name="Tenant">Whose request it was, as a fingerprint of the key; null where the server has no keys.</param>
/// <param name="AnswerId">The answer's id.</param>
/// <param name="Model">The model as the request named it.</param>
/// <param name="WeightVersion">Identity of its weights.</param>
/// <param name="CreatedAt">When the request was accepted, in seconds since 1970.</param>
public sealed record CaptureOrigin(string Endpoint, string? Tenant, string AnswerId, string Model, string WeightVersion, long CreatedAt);
