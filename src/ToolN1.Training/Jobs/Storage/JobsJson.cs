using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>JSON that training keeps in its tables.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SortedDictionary<string, double>))]
[JsonSerializable(typeof(IReadOnlyList<double?>))]
[JsonSerializable(typeof(PromotionDetails))]
internal sealed partial class JobsJson : JsonSerializerContext
{
    /// <summary>The context with text beyond ASCII written as it is.</summary>
    public static JobsJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

/// <summary>What the audit log keeps of a change of the live model.</summary>
/// <param name="From">Live before.</param>
/// <param name="To">Live now.</param>
/// <param name="DataHash">SHA-256 of what the new one was trained on; null where none is known.</param>
/// <param name="HeldOutHash">SHA-256 of the held-out rows; null where the gate had none.</param>
/// <param name="HeldOutRows">Their number.</param>
/// <param name="CorrectBefore">Exact matches of the one before.</param>
/// <param name="CorrectNow">Exact matches of the new one.</param>
/// <param name="Forced">Whether the gate was passed by force.</param>
/// <param name="Reason">Why, where nobody asked for it.</param>
internal sealed record PromotionDetails(
    string From, string To, string? DataHash, string? HeldOutHash, int? HeldOutRows, int? CorrectBefore, int? CorrectNow, bool Forced, string? Reason);
