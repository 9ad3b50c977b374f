using System.Text.Json;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.Captures;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Shapes;
using ToolN1.Training.Captures;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Endpoints;

/// <summary>/admin/captures: captured traffic, its review, and its way into a training file.</summary>
internal sealed class CaptureEndpoints(CaptureReview review)
{
    /// <summary>GET: a page.</summary>
    public async Task ListAsync(HttpContext context)
    {
        QueryString query = new(context);
        string status = query.Choice("status", "", CaptureStatus.All);
        Page<CaptureRecord> page = await review.ListAsync(
            new CaptureFilter(status.Length == 0 ? null : status, query.Text("tool"), query.Text("tenant")), query.Text("after"), query.Integer("limit", 1, 100, 20));
        CaptureSummaryBody[] data = [.. page.Items.Select(CaptureWire.Summary)];
        await JsonAnswer.WriteAsync(
            context,
            new CaptureList { Data = data, HasMore = page.HasMore, FirstId = data.FirstOrDefault()?.Id, LastId = data.LastOrDefault()?.Id },
            ApiJsonContext.Relaxed.CaptureList);
    }

    /// <summary>GET {id}.</summary>
    public async Task GetAsync(HttpContext context) => await WriteAsync(context, await review.GetAsync(Id(context)));

    /// <summary>POST {id}/confirm.</summary>
    public async Task ConfirmAsync(HttpContext context) => await WriteAsync(context, await review.ConfirmAsync(Id(context), Caller.Of(context)));

    /// <summary>POST {id}/correct.</summary>
    public async Task CorrectAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, CaptureShapes.Correct);
        await WriteAsync(context, await review.CorrectAsync(Id(context), CaptureWire.Correction(body.RootElement), Caller.Of(context)));
    }

    /// <summary>POST {id}/reject.</summary>
    public async Task RejectAsync(HttpContext context) => await WriteAsync(context, await review.RejectAsync(Id(context), Caller.Of(context)));

    /// <summary>DELETE {id}.</summary>
    public async Task DeleteAsync(HttpContext context)
    {
        string id = Id(context);
        await review.DeleteAsync(id, Caller.Of(context));
        await JsonAnswer.WriteAsync(context, new DeletedBody { Id = id, Object = "capture" }, ApiJsonContext.Relaxed.DeletedBody);
    }

    /// <summary>POST export.</summary>
    public async Task ExportAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, CaptureShapes.Export);
        JsonElement request = body.RootElement;
        FileRecord file = await review.ExportAsync(
            new CaptureFilter(null, request.String("tool"), request.String("tenant")),
            new CaptureExport(request.String("filename") ?? CaptureShapes.DefaultFileName, request.Boolean("only_new") ?? false, request.Boolean("require_reasoning") ?? false),
            Caller.Of(context),
            context.RequestAborted);
        await JsonAnswer.WriteAsync(context, TrainingWire.File(file), ApiJsonContext.Relaxed.FileBody);
    }

    private static Task WriteAsync(HttpContext context, CaptureRecord capture) => JsonAnswer.WriteAsync(context, CaptureWire.Capture(capture), ApiJsonContext.Relaxed.CaptureBody);

    private static string Id(HttpContext context) => context.GetRouteValue("id") as string ?? "";
}
