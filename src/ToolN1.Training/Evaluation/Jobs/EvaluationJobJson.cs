using System.Text.Json.Serialization;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>JSON of evaluations' files.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationJob))]
[JsonSerializable(typeof(EvaluationEvent))]
internal sealed partial class EvaluationJobJson : JsonSerializerContext;
