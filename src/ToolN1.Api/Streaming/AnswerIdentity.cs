using ToolN1.Engine;

namespace ToolN1.Api.Streaming;

/// <summary>What is the same in a whole answer and in all chunks of it.</summary>
/// <param name="Id">The answer's id.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">The served model's id.</param>
/// <param name="Fingerprint">Changes with the weights.</param>
internal sealed record AnswerIdentity(string Id, long Created, string Model, string Fingerprint)
{
    /// <summary>A new answer's identity.</summary>
    public static AnswerIdentity New(string prefix, ModelInfo model, TimeProvider time) => new(
        prefix + Guid.NewGuid().ToString("N"),
        time.GetUtcNow().ToUnixTimeSeconds(),
        model.Name,
        "fp_" + model.WeightVersion[..Math.Min(12, model.WeightVersion.Length)]);
}
