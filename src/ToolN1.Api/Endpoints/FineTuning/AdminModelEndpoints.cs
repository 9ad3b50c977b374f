using System.Text.Json;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Shapes;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>/admin/models and /admin/audit: which version is live, and who made it so.</summary>
internal sealed class AdminModelEndpoints(ModelCatalog catalog, Promotions promotions)
{
    /// <summary>GET /admin/models.</summary>
    public async Task ListAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(
            context, new ModelVersionList { Data = [.. (await catalog.ListAsync()).Select(TrainingWire.Model)] }, ApiJsonContext.Relaxed.ModelVersionList);

    /// <summary>POST /admin/models/load.</summary>
    public async Task LoadAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, FineTuningShapes.Load);
        ModelSummary model = await catalog.LoadAsync(body.RootElement.String("model")!, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, TrainingWire.Model(model), ApiJsonContext.Relaxed.ModelVersionBody);
    }

    /// <summary>POST /admin/models/promote.</summary>
    public async Task PromoteAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, FineTuningShapes.Promote);
        JsonElement request = body.RootElement;
        LiveChange change = await promotions.PromoteAsync(
            request.String("model")!,
            request.Boolean("require_improvement") ?? false,
            request.Boolean("force") ?? false,
            Caller.Of(context),
            context.RequestAborted);
        await JsonAnswer.WriteAsync(context, TrainingWire.Change(change), ApiJsonContext.Relaxed.LiveChangeBody);
    }

    /// <summary>POST /admin/models/rollback.</summary>
    public async Task RollbackAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(
            context, TrainingWire.Change(await promotions.RollbackAsync(Caller.Of(context), context.RequestAborted)), ApiJsonContext.Relaxed.LiveChangeBody);

    /// <summary>GET /admin/audit.</summary>
    public async Task AuditAsync(HttpContext context)
    {
        QueryString query = new(context);
        long? after = query.Text("after") is null ? null : query.Integer("after", 1, int.MaxValue, 1);
        Page<AuditRecord> page = await promotions.AuditAsync(after, query.Integer("limit", 1, 1000, 100));
        await JsonAnswer.WriteAsync(context, new AuditList { Data = [.. page.Items.Select(TrainingWire.Audit)], HasMore = page.HasMore }, ApiJsonContext.Relaxed.AuditList);
    }
}
