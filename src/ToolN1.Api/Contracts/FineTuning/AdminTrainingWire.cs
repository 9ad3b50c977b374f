using System.Text.Json;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>Jobs and plans in the shapes of /admin/training.</summary>
internal static class AdminTrainingWire
{
    public static AdminJobBody Job(JobRecord job, IReadOnlyList<EditRecord> edits) => new()
    {
        Job = TrainingWire.Job(job),
        StartModel = job.StartModel,
        DataHash = job.DataHash,
        Wish = job.Wish,
        Edits = [.. edits.Select(edit => new JobEditBody
        {
            FromStep = edit.FromStep,
            Values = JsonSerializer.Deserialize(edit.Values, ApiJsonContext.Relaxed.IReadOnlyDictionaryStringJsonElement)!,
            CreatedAt = edit.CreatedAt,
        })],
    };

    public static TrainingPlanBody Plan(JobDraft draft) => new()
    {
        Model = draft.StartModel,
        Method = TrainingWire.Method(draft.Method, draft.Settings),
        Fits = draft.Plan?.Fits,
        TotalBytes = draft.Plan?.Plan.Total,
        LimitBytes = draft.Plan?.Limit,
        Items = [.. draft.Plan?.Plan.Items.Select(item => new PlanItemBody { Kind = item.Kind, What = item.What, Bytes = item.Bytes }) ?? []],
        Remedies = [.. draft.Plan?.Remedies.Select(remedy => new PlanRemedyBody { Change = remedy.Change, TotalBytes = remedy.TotalBytes }) ?? []],
    };
}
