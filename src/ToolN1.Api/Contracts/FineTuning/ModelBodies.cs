using System.ComponentModel;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>A version.</summary>
[Description("A version of the served model.")]
internal sealed record ModelVersionBody
{
    [Description("Its name, to send as `model`.")]
    public required string Name { get; init; }

    [Description("Whether it answers requests that name the served model without a version.")]
    public required bool Live { get; init; }

    [Description("Whether it is in memory; others are read when they are first asked for.")]
    public required bool Loaded { get; init; }

    [Description("The job that made it; null for the version that the server was started with.")]
    public required string? JobId { get; init; }

    [Description("Steps that it had done; null likewise.")]
    public required int? Step { get; init; }

    [Description("SHA-256 of what it was trained on; null likewise.")]
    public required string? DataHash { get; init; }

    [Description("Identity of its weights.")]
    public required string WeightVersion { get; init; }

    [Description("When it was made, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("Its scores on held-out rows.")]
    public required IReadOnlyList<HeldOutScoreBody> Evaluations { get; init; }
}

/// <summary>A score.</summary>
[Description("Exact match on held-out rows.")]
internal sealed record HeldOutScoreBody
{
    [Description("SHA-256 of the rows, of how many of them were answered, and of the grader where one judged.")]
    public required string DataHash { get; init; }

    [Description("Rows whose answers were scored.")]
    public required int Rows { get; init; }

    [Description("Exact matches.")]
    public required int Correct { get; init; }

    [Description("Rows whose answers the grader could not score: it failed or ran out of time. They are neither right nor wrong.")]
    public required int Unscored { get; init; }
}

/// <summary>Versions.</summary>
[Description("The versions of the served model.")]
internal sealed record ModelVersionList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The versions, oldest first.")]
    public required IReadOnlyList<ModelVersionBody> Data { get; init; }
}

/// <summary>A change of the live version.</summary>
[Description("What is live now, and what was.")]
internal sealed record LiveChangeBody
{
    [Description("Live now.")]
    public required string Live { get; init; }

    [Description("Live before; requests in flight end on it.")]
    public required string Previous { get; init; }

    [Description("Held-out rows that the gate looked at, those where both versions' answers were scored; null where there were none.")]
    public required int? HeldOutRows { get; init; }

    [Description("Exact matches of what was live before.")]
    public required int? CorrectBefore { get; init; }

    [Description("Exact matches of what is live now.")]
    public required int? CorrectNow { get; init; }

    [Description("McNemar's exact test between the two.")]
    public required double? PValue { get; init; }

    [Description("Whether the gate stood against it.")]
    public required bool Forced { get; init; }
}

/// <summary>The audit log.</summary>
[Description("A page of what administrators did, newest first.")]
internal sealed record AuditList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The entries.")]
    public required IReadOnlyList<AuditBody> Data { get; init; }

    [Description("Whether older ones follow.")]
    public required bool HasMore { get; init; }
}

/// <summary>An entry.</summary>
[Description("One thing that was done.")]
internal sealed record AuditBody
{
    [Description("Counts from 1.")]
    public required long Sequence { get; init; }

    [Description("When, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("Who: `admin-` and the beginning of the key's SHA-256, or `server`.")]
    public required string Who { get; init; }

    [Description("What, such as `model.promote`.")]
    public required string Action { get; init; }

    [Description("To what: the id of a job, file or capture, or a model's name.")]
    public required string Subject { get; init; }

    [Description("Of a promotion or rollback; null for the rest.")]
    public required LiveDetailsBody? Details { get; init; }
}

/// <summary>A change of the live version, as the log keeps it.</summary>
[Description("A change of the live version.")]
internal sealed record LiveDetailsBody
{
    [Description("Live before.")]
    public required string From { get; init; }

    [Description("Live since.")]
    public required string To { get; init; }

    [Description("SHA-256 of what the new one was trained on; null where none is known.")]
    public string? DataHash { get; init; }

    [Description("SHA-256 of the held-out rows; null where the gate had none.")]
    public string? HeldOutHash { get; init; }

    [Description("Their number.")]
    public int? HeldOutRows { get; init; }

    [Description("Exact matches of the one before.")]
    public int? CorrectBefore { get; init; }

    [Description("Exact matches of the new one.")]
    public int? CorrectNow { get; init; }

    [Description("Whether the gate was passed by force.")]
    public bool Forced { get; init; }

    [Description("What stood against it, or why the server did it by itself; null where neither.")]
    public string? Reason { get; init; }
}
