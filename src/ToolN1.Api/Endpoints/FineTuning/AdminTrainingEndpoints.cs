using System.Text.Json;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Api.Streaming;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>/admin/training: what OpenAI's shapes have no place for.</summary>
internal sealed class AdminTrainingEndpoints(TrainingJobs jobs, ModelCatalog catalog, EventStream events)
{
    /// <summary>The header that names the last event that a client has seen.</summary>
    public const string LastEventId = "Last-Event-ID";

    /// <summary>GET plan.</summary>
    public async Task PlanAsync(HttpContext context)
    {
        QueryString query = new(context);
        double? memory = query.Number("memory_gib", 0, 1e6);
        string method = query.Choice("method", PlanQuery.Methods[0], PlanQuery.Methods);
        int? rowTokens = query.Text("row_tokens") is null ? null : query.Integer("row_tokens", 2, int.MaxValue, otherwise: 0);
        if (rowTokens is not null && method != "supervised")
        {
            throw ApiException.Invalid("row_tokens", $"'row_tokens' is not a parameter of the method '{method}': give 'max_prompt_tokens' and 'max_response_tokens'.", "unknown_parameter");
        }

        JobDraft draft = await jobs.PlanAsync(
            query.Text("model") ?? catalog.BaseName, method, PlanQuery.Bind(query, method), memory is double gib ? (long)(gib * (1L << 30)) : null, rowTokens);
        await JsonAnswer.WriteAsync(context, AdminTrainingWire.Plan(draft), ApiJsonContext.Relaxed.TrainingPlanBody);
    }

    /// <summary>POST jobs.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, AdminTrainingShapes.CreateJob);
        JobRequest request = JobRequests.Bind(body.RootElement);
        if (body.RootElement.Boolean("dry_run") == true)
        {
            JobDraft draft = await JobRequests.NamingFieldsAsync(body.RootElement, () => jobs.DraftAsync(request));
            await JsonAnswer.WriteAsync(context, AdminTrainingWire.Plan(draft), ApiJsonContext.Relaxed.TrainingPlanBody);
            return;
        }

        JobRecord job = await JobRequests.NamingFieldsAsync(body.RootElement, () => jobs.CreateAsync(request, Caller.Of(context)));
        await WriteAsync(context, job);
    }

    /// <summary>GET jobs: a page.</summary>
    public async Task ListAsync(HttpContext context)
    {
        QueryString query = new(context);
        Page<JobRecord> page = await jobs.ListAsync(query.Text("after"), query.Integer("limit", 1, 100, 20));
        List<AdminJobBody> data = [];
        foreach (JobRecord job in page.Items)
        {
            data.Add(AdminTrainingWire.Job(job, await jobs.EditsAsync(job.Id)));
        }

        await JsonAnswer.WriteAsync(context, new AdminJobList { Data = data, HasMore = page.HasMore }, ApiJsonContext.Relaxed.AdminJobList);
    }

    /// <summary>GET jobs/{id}.</summary>
    public async Task GetAsync(HttpContext context) => await WriteAsync(context, await jobs.GetAsync(Id(context)));

    /// <summary>PATCH jobs/{id}: changes values from the next step on.</summary>
    public async Task EditAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, AdminTrainingShapes.EditJob);
        if (!body.RootElement.EnumerateObject().Any(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            throw ApiException.Invalid(null, $"Name at least one of {string.Join(", ", AdminTrainingShapes.EditJob.Fields.Select(field => $"'{field.Name}'"))}.", "missing_required_parameter");
        }

        await WriteAsync(context, await jobs.EditAsync(Id(context), body.RootElement, Caller.Of(context)));
    }

    /// <summary>GET jobs/{id}/events: all so far, then each as it comes; goes on after <c>Last-Event-ID</c>.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        JobRecord job = await jobs.GetAsync(Id(context));
        long last = LastEvent(context, job.Id);
        await events.WriteAsync(context, stop => jobs.WatchAsync(job.Id, last, stop), (writer, item) =>
        {
            EventBody body = TrainingWire.Event(item);
            return writer.WriteAsync(body, ApiJsonContext.Relaxed.EventBody, name: body.Type, id: body.Id);
        });
    }

    /// <summary>POST and DELETE jobs/{id}/checkpoints/{step}/pin.</summary>
    public async Task PinAsync(HttpContext context)
    {
        string id = Id(context);
        CheckpointRecord checkpoint = await jobs.PinAsync(id, Step(context), !HttpMethods.IsDelete(context.Request.Method), Caller.Of(context));
        JobRecord job = await jobs.GetAsync(id);
        await JsonAnswer.WriteAsync(context, TrainingWire.Checkpoint(checkpoint, catalog.NameOf(job, checkpoint.Step), jobs.IsPinned(checkpoint)), ApiJsonContext.Relaxed.CheckpointBody);
    }

    /// <summary>GET jobs/{id}/checkpoints/{step}/export: the model's files as a tar archive.</summary>
    public async Task ExportAsync(HttpContext context)
    {
        QueryString query = new(context);
        bool wantsAdapter = query.Choice("format", "model", "model", "adapter") == "adapter";
        JobRecord job = await jobs.GetAsync(Id(context));
        int step = Step(context);
        string name = catalog.NameOf(job, step);
        if (await catalog.CreatedAsync(name) is null)
        {
            throw TrainingRefusedException.NotFound("checkpoint", step.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        await TarAnswer.WriteAsync(context, name, await catalog.ExportAsync(name, wantsAdapter, Caller.Of(context), context.RequestAborted));
    }

    private static string Id(HttpContext context) => context.GetRouteValue("id") as string ?? "";

    private static int Step(HttpContext context) =>
        context.GetRouteValue("step") is string text && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int step)
            ? step
            : throw TrainingRefusedException.NotFound("checkpoint", context.GetRouteValue("step") as string ?? "");

    private static long LastEvent(HttpContext context, string job) =>
        context.Request.Headers[LastEventId] is [string id] && id.Length > 0
            ? TrainingWire.EventNumber(id, job) ?? throw ApiException.Invalid(LastEventId, $"Invalid value for '{LastEventId}': it must be the id of an event of this job.")
            : 0;

    private async Task WriteAsync(HttpContext context, JobRecord job) =>
        await JsonAnswer.WriteAsync(context, AdminTrainingWire.Job(job, await jobs.EditsAsync(job.Id)), ApiJsonContext.Relaxed.AdminJobBody);
}
