using System.Text.Json;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>/v1/fine_tuning/jobs, and what OpenAI's shapes have no place for under /admin/training/jobs.</summary>
internal sealed class FineTuningEndpoints(TrainingJobs jobs, ModelCatalog catalog)
{
    /// <summary>POST: queues a job.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, FineTuningShapes.CreateJob);
        JobRequest request = JobRequests.Bind(body.RootElement);
        await WriteAsync(context, await JobRequests.NamingFieldsAsync(body.RootElement, () => jobs.CreateAsync(request, Caller.Of(context))));
    }

    /// <summary>GET: a page.</summary>
    public async Task ListAsync(HttpContext context)
    {
        QueryString query = new(context);
        Page<JobRecord> page = await jobs.ListAsync(query.Text("after"), query.Integer("limit", 1, 100, 20));
        await JsonAnswer.WriteAsync(context, new JobList { Data = [.. page.Items.Select(TrainingWire.Job)], HasMore = page.HasMore }, ApiJsonContext.Relaxed.JobList);
    }

    /// <summary>GET {id}.</summary>
    public async Task GetAsync(HttpContext context) => await WriteAsync(context, await jobs.GetAsync(Id(context)));

    /// <summary>POST {id}/cancel.</summary>
    public async Task CancelAsync(HttpContext context) => await WriteAsync(context, await jobs.CancelAsync(Id(context), Caller.Of(context)));

    /// <summary>POST {id}/pause.</summary>
    public async Task PauseAsync(HttpContext context) => await WriteAsync(context, await jobs.PauseAsync(Id(context), Caller.Of(context)));

    /// <summary>POST {id}/resume.</summary>
    public async Task ResumeAsync(HttpContext context) => await WriteAsync(context, await jobs.ResumeAsync(Id(context), Caller.Of(context)));

    /// <summary>GET {id}/events: a page.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        QueryString query = new(context);
        JobRecord job = await jobs.GetAsync(Id(context));
        Page<EventRecord> page = await jobs.EventsAsync(job.Id, After(query, id => TrainingWire.EventNumber(id, job.Id)), query.Integer("limit", 1, 1000, 20));
        await JsonAnswer.WriteAsync(context, new EventList { Data = [.. page.Items.Select(TrainingWire.Event)], HasMore = page.HasMore }, ApiJsonContext.Relaxed.EventList);
    }

    /// <summary>GET {id}/checkpoints: a page.</summary>
    public async Task CheckpointsAsync(HttpContext context)
    {
        QueryString query = new(context);
        JobRecord job = await jobs.GetAsync(Id(context));
        Page<CheckpointRecord> page = await jobs.CheckpointsAsync(job.Id, After(query, id => TrainingWire.CheckpointNumber(id, job.Id)), query.Integer("limit", 1, 100, 10));
        CheckpointBody[] data = [.. page.Items.Select(checkpoint => TrainingWire.Checkpoint(checkpoint, catalog.NameOf(job, checkpoint.Step), jobs.IsPinned(checkpoint)))];
        await JsonAnswer.WriteAsync(
            context,
            new CheckpointList { Data = data, HasMore = page.HasMore, FirstId = data.FirstOrDefault()?.Id, LastId = data.LastOrDefault()?.Id },
            ApiJsonContext.Relaxed.CheckpointList);
    }

    /// <summary>GET /admin/training/jobs/{id}/metrics.</summary>
    public async Task MetricsAsync(HttpContext context)
    {
        QueryString query = new(context);
        IReadOnlyList<MetricRecord> metrics = await jobs.MetricsAsync(Id(context), query.Integer("after_step", -1, int.MaxValue, -1), query.Integer("limit", 1, 10_000, 1000));
        await JsonAnswer.WriteAsync(
            context,
            new MetricList
            {
                Data = [.. metrics.GroupBy(metric => metric.Step).Select(step => new StepMetricsBody
                {
                    Step = step.Key,
                    Metrics = step.ToDictionary(metric => metric.Name, metric => metric.Value),
                })],
            },
            ApiJsonContext.Relaxed.MetricList);
    }

    /// <summary>GET /admin/training/jobs/{id}/samples.</summary>
    public async Task SamplesAsync(HttpContext context)
    {
        QueryString query = new(context);
        string? kind = query.Text("kind") is null ? null : query.Choice("kind", "", SampleKind.Rollout, SampleKind.HeldOut);
        int? step = query.Text("step") is null ? null : query.Integer("step", 0, int.MaxValue, 0);
        IReadOnlyList<SampleRecord> samples = await jobs.SamplesAsync(Id(context), kind, step, query.Integer("limit", 1, 1000, 100));
        await JsonAnswer.WriteAsync(context, new SampleList { Data = [.. samples.Select(TrainingWire.Sample)] }, ApiJsonContext.Relaxed.SampleList);
    }

    private static Task WriteAsync(HttpContext context, JobRecord job) => JsonAnswer.WriteAsync(context, TrainingWire.Job(job), ApiJsonContext.Relaxed.JobBody);

    private static int? After(QueryString query, Func<string, int?> numberOf) =>
        query.Text("after") is not string id ? null
        : numberOf(id) is int number ? number
        : throw ApiException.Invalid("after", "Invalid value for 'after': it must be the id of the last item of the page before.");

    private static string Id(HttpContext context) => context.GetRouteValue("id") as string ?? "";
}
