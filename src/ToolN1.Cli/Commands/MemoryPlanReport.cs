using System.Text.Json.Serialization;
using ToolN1.Training.Planning;

namespace ToolN1.Cli.Commands;

/// <summary>A memory plan as JSON.</summary>
internal sealed record MemoryPlanReport(long TotalBytes, long LimitBytes, bool Fits, IReadOnlyList<MemoryItem> Items, IReadOnlyList<MemoryRemedy> Remedies);

/// <summary>JSON of it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(MemoryPlanReport))]
internal sealed partial class MemoryPlanJson : JsonSerializerContext;
