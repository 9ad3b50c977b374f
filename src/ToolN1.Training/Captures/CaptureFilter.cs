using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Captures;

/// <summary>Which captures; null takes all.</summary>
/// <param name="Status">One of <see cref="CaptureStatus"/>.</param>
/// <param name="Tool">A tool that the answer, or its correction, calls.</param>
/// <param name="Tenant">Whose requests.</param>
public sealed record CaptureFilter(string? Status, string? Tool, string? Tenant)
{
    /// <summary>Those of a query.</summary>
    internal IQueryable<CaptureRecord> Apply(IQueryable<CaptureRecord> captures)
    {
        string line = $"\n{Tool}\n";
        return captures.Where(capture => (Status == null || capture.Status == Status)
            && (Tool == null || capture.CalledTools.Contains(line))
            && (Tenant == null || capture.Tenant == Tenant));
    }
}

/// <summary>How captures are exported.</summary>
/// <param name="FileName">The file's name.</param>
/// <param name="OnlyNew">Leaves out what was exported before.</param>
/// <param name="RequireReasoning">Leaves out calls without reasoning, which supervised training needs.</param>
public sealed record CaptureExport(string FileName, bool OnlyNew, bool RequireReasoning);
