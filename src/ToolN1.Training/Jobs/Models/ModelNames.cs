using System.Globalization;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Jobs.Models;

/// <summary>Names of a served model's versions: <c>tool-n1-nano@job-3-step-40</c>, and <c>tool-n1-nano@base</c> for the one that the server was started with.</summary>
internal static partial class ModelNames
{
    /// <summary>The version that the server was started with.</summary>
    public static string First(string baseName) => baseName + "@base";

    /// <summary>A job's version.</summary>
    public static string Of(string baseName, long job, int step, string? suffix) => $"{baseName}@{Key(job, step)}{(suffix is null ? "" : "-" + suffix)}";

    /// <summary>The part of the name that is unique within a data directory.</summary>
    public static string Key(long job, int step) => string.Create(CultureInfo.InvariantCulture, $"job-{job}-step-{step}");

    /// <summary>Takes a job's version apart; null for any other name.</summary>
    public static (long Job, int Step)? Parse(string baseName, string name) =>
        name.StartsWith(baseName + "@", StringComparison.Ordinal) && Version().Match(name[(baseName.Length + 1)..]) is { Success: true } match
            && long.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out long job) && int.TryParse(match.Groups[2].Value, CultureInfo.InvariantCulture, out int step)
                ? (job, step)
                : null;

    [GeneratedRegex(@"\Ajob-([0-9]+)-step-([0-9]+)(-|\z)")]
    private static partial Regex Version();
}
