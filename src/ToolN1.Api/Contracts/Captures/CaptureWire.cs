using System.Text.Json;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;
using ToolN1.Training.Captures;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Contracts.Captures;

/// <summary>Captures in the API's shapes.</summary>
internal static class CaptureWire
{
    // An answer nests 64 levels; four of them are around what stands deepest.
    private static readonly JsonDocumentOptions Shown = new() { MaxDepth = 60 };

    public static CaptureSummaryBody Summary(CaptureRecord capture) => new()
    {
        Id = capture.Id,
        CreatedAt = capture.CreatedAt,
        Status = capture.Status,
        Endpoint = capture.Endpoint,
        Tenant = capture.Tenant,
        AnswerId = capture.AnswerId,
        Choice = capture.Choice,
        Model = capture.Model,
        WeightVersion = capture.WeightVersion,
        FinishReason = capture.FinishReason,
        Request = capture.Request,
        CalledTools = CalledTools(capture),
        Redactions = Redactions(capture),
        ReviewedAt = capture.ReviewedAt,
        ReviewedBy = capture.ReviewedBy,
        ExportedFile = capture.ExportedFile,
    };

    public static CaptureBody Capture(CaptureRecord capture)
    {
        CaptureDocument document = CaptureReview.DocumentOf(capture);
        CaptureCorrection? correction = CaptureReview.CorrectionOf(capture);
        return new CaptureBody
        {
            Id = capture.Id,
            CreatedAt = capture.CreatedAt,
            Status = capture.Status,
            Endpoint = capture.Endpoint,
            Tenant = capture.Tenant,
            AnswerId = capture.AnswerId,
            Choice = capture.Choice,
            Model = capture.Model,
            WeightVersion = capture.WeightVersion,
            FinishReason = capture.FinishReason,
            Request = capture.Request,
            CalledTools = CalledTools(capture),
            Redactions = Redactions(capture),
            ReviewedAt = capture.ReviewedAt,
            ReviewedBy = capture.ReviewedBy,
            ExportedFile = capture.ExportedFile,
            Messages = [.. document.Messages.Select(Message)],
            Tools = [.. document.Tools.Select(Json)],
            Reasoning = document.Reasoning,
            Content = document.Content,
            Calls = [.. document.Calls.Select(Call)],
            Correction = correction is null ? null : new CorrectionBody { Calls = [.. correction.Calls.Select(Call)], Reply = correction.Reply, Reasoning = correction.Reasoning },
        };
    }

    /// <summary>A checked request's correction.</summary>
    public static CaptureCorrection Correction(JsonElement request) => new()
    {
        Calls = [.. request.Items("calls").Select(call => new CapturedCall(null, call.String("name")!, PythonJson.Write(call.GetProperty("arguments"))))],
        Reply = request.String("reply"),
        Reasoning = request.String("reasoning"),
    };

    private static string[] CalledTools(CaptureRecord capture) => capture.CalledTools.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static IReadOnlyDictionary<string, int> Redactions(CaptureRecord capture) =>
        JsonSerializer.Deserialize(capture.Redactions, ApiJsonContext.Relaxed.IReadOnlyDictionaryStringInt32)!;

    private static CapturedMessageBody Message(CapturedMessage message) => new()
    {
        Role = message.Role,
        Name = message.Name,
        Content = message.Content,
        ToolCalls = message.Calls.Count == 0
            ? null
            : [.. message.Calls.Select(call => new ToolCallBody { Id = call.Id, Type = "function", Function = new FunctionCallBody { Name = call.Name, Arguments = call.Arguments } })],
        ToolCallId = message.ToolCallId,
    };

    private static CapturedCallBody Call(CapturedCall call) => new() { Name = call.Name, Arguments = Json(call.Arguments) };

    private static EchoedJson Json(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Shown);
            JsonText.Check(document.RootElement, FieldPath.Root, allowDuplicates: true);
            return new EchoedJson(document.RootElement.Clone());
        }
        catch (Exception error) when (error is JsonException or ApiException)
        {
            // No JSON (a model wrote it, or it was redacted), or JSON that no answer can hold: shown as the text that it is.
            return new EchoedJson(JsonSerializer.SerializeToElement(text, ApiJsonContext.Relaxed.String));
        }
    }
}
