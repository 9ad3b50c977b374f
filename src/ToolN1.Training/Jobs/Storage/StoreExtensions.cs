using System.Text.Json;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>Rows that are numbered when they are added (only within <see cref="TrainingStore"/>'s writing, which is one at a time), and what rows can hold.</summary>
internal static class StoreExtensions
{
    /// <summary>A text that anybody may have written, as every database keeps it: PostgreSQL's texts hold no NUL.</summary>
    public static string Storable(this string text) => text.Replace('\0', '\uFFFD');

    /// <summary>Adds an event to a job's.</summary>
    /// <param name="context">Being written.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="now">Seconds since 1970.</param>
    /// <param name="level"><c>info</c>, <c>warn</c> or <c>error</c>.</param>
    /// <param name="message">What happened.</param>
    /// <param name="data">Figures, or null.</param>
    public static void AddEvent(this TrainingContext context, string jobId, long now, string level, string message, SortedDictionary<string, double>? data = null)
    {
        long last = Math.Max(
            context.Events.Where(item => item.JobId == jobId).Max(item => (long?)item.Sequence) ?? 0,
            context.Events.Local.Where(item => item.JobId == jobId).Select(item => item.Sequence).DefaultIfEmpty().Max());
        context.Events.Add(new EventRecord
        {
            JobId = jobId,
            Sequence = last + 1,
            CreatedAt = now,
            Level = level,
            Message = message,
            Data = data is null ? null : JsonSerializer.Serialize(data, JobsJson.Default.SortedDictionaryStringDouble),
        });
    }

    /// <summary>Adds a line to the audit log.</summary>
    public static void AddAudit(this TrainingContext context, long now, string who, string action, string subject, string details = "{}")
    {
        long last = Math.Max(
            context.Audit.Max(item => (long?)item.Sequence) ?? 0,
            context.Audit.Local.Select(item => item.Sequence).DefaultIfEmpty().Max());
        context.Audit.Add(new AuditRecord { Sequence = last + 1, CreatedAt = now, Who = who, Action = action, Subject = subject, Details = details });
    }
}
