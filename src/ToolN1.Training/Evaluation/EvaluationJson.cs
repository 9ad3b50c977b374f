using System.Text.Json.Serialization;

namespace ToolN1.Training.Evaluation;

/// <summary>JSON of evaluation results.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationCase))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
