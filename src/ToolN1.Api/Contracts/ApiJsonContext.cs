using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ToolN1.Api.Contracts.Captures;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Contracts;

/// <summary>Source-generated writers of every answer; snake_case, all nulls written but where a property says otherwise.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatCompletionChunk))]
[JsonSerializable(typeof(Response))]
[JsonSerializable(typeof(ResponseEvent))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(TokenizeResponse))]
[JsonSerializable(typeof(DetokenizeResponse))]
[JsonSerializable(typeof(HealthBody))]
[JsonSerializable(typeof(GraderRunBody))]
[JsonSerializable(typeof(GraderValidateBody))]
[JsonSerializable(typeof(EvaluationBody))]
[JsonSerializable(typeof(EvaluationList))]
[JsonSerializable(typeof(EvaluationEventBody))]
[JsonSerializable(typeof(FileBody))]
[JsonSerializable(typeof(FileList))]
[JsonSerializable(typeof(DeletedBody))]
[JsonSerializable(typeof(JobBody))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(CheckpointList))]
[JsonSerializable(typeof(MetricList))]
[JsonSerializable(typeof(SampleList))]
[JsonSerializable(typeof(HyperparametersBody))]
[JsonSerializable(typeof(ReinforcementHyperparametersBody))]
[JsonSerializable(typeof(EventBody))]
[JsonSerializable(typeof(CheckpointBody))]
[JsonSerializable(typeof(AdminJobBody))]
[JsonSerializable(typeof(AdminJobList))]
[JsonSerializable(typeof(TrainingPlanBody))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(IReadOnlyList<double?>))]
[JsonSerializable(typeof(ModelVersionList))]
[JsonSerializable(typeof(ModelVersionBody))]
[JsonSerializable(typeof(EngineBody))]
[JsonSerializable(typeof(LiveChangeBody))]
[JsonSerializable(typeof(AuditList))]
[JsonSerializable(typeof(CaptureList))]
[JsonSerializable(typeof(CaptureBody))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, int>))]
internal sealed partial class ApiJsonContext : JsonSerializerContext
{
    /// <summary>The context with text beyond ASCII written as it is: answers are never put into HTML.</summary>
    public static ApiJsonContext Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
