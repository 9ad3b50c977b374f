namespace ToolN1.Api.Streaming;

/// <summary>What is the same in a whole answer and in all chunks of it.</summary>
/// <param name="Id">The answer's id.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">The served model's id.</param>
/// <param name="Fingerprint">Changes with the weights.</param>
internal sealed record AnswerIdentity(string Id, long Created, string Model, string Fingerprint)
{
    /// <summary>A new answer's identity.</summary>
    /// <param name="prefix">Begins the id.</param>
    /// <param name="model">The model as the request named it.</param>
    /// <param name="weightVersion">Identity of its weights.</param>
    /// <param name="time">Now.</param>
    public static AnswerIdentity New(string prefix, string model, string weightVersion, TimeProvider time) => new(
        prefix + Guid.NewGuid().ToString("N"),
        time.GetUtcNow().ToUnixTimeSeconds(),
        model,
        "fp_" + weightVersion[..Math.Min(12, weightVersion.Length)]);
}
