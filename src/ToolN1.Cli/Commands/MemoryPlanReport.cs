using System.Text.Json.Serialization;
using ToolN1.Training.Grpo;

namespace ToolN1.Cli.Commands;

/// <summary>A memory plan as JSON.</summary>
internal sealed record MemoryPlanReport(long TotalBytes, long LimitBytes, bool Fits, IReadOnlyList<GrpoMemoryItem> Items, IReadOnlyList<GrpoMemoryRemedy> Remedies);

/// <summary>JSON of it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(MemoryPlanReport))]
internal sealed partial class MemoryPlanJson : JsonSerializerContext;
