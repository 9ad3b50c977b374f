namespace ToolN1.Training.Jobs.Storage;

/// <summary>A training job: what was asked, how far it is, how it ended. Times are seconds since 1970.</summary>
public sealed class JobRecord
{
    /// <summary>Its id, <c>ftjob-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Counts jobs from 1; part of the names of the models that it makes.</summary>
    public required long Number { get; init; }

    /// <summary>One of <see cref="JobStatus"/>.</summary>
    public required string Status { get; set; }

    /// <summary>What a running job was asked to do, one of <see cref="JobWish"/>.</summary>
    public required string Wish { get; set; }

    /// <summary>The model as the request named it.</summary>
    public required string Model { get; init; }

    /// <summary>The model that it resolved to when the job was made: training starts from it.</summary>
    public required string StartModel { get; init; }

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>The method's own settings, resolved, as JSON: numbers where the request said <c>auto</c>.</summary>
    public required string Settings { get; init; }

    /// <summary>Id of the training file.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>SHA-256 of the training file.</summary>
    public required string DataHash { get; init; }

    /// <summary>Id of the held-out file, or null.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Seeds all chance of the job.</summary>
    public required int Seed { get; init; }

    /// <summary>Ends the names of the models that it makes; null for none.</summary>
    public string? Suffix { get; init; }

    /// <summary>The caller's own pairs, as a JSON object.</summary>
    public required string Metadata { get; init; }

    /// <summary>Steps done, as of the last report.</summary>
    public int Step { get; set; }

    /// <summary>Steps in all.</summary>
    public int TotalSteps { get; set; }

    /// <summary>Tokens trained on.</summary>
    public long? TrainedTokens { get; set; }

    /// <summary>The finished model's name.</summary>
    public string? FineTunedModel { get; set; }

    /// <summary>When it was made.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>When it first ran.</summary>
    public long? StartedAt { get; set; }

    /// <summary>When it should be done, at its pace so far.</summary>
    public long? EstimatedFinish { get; set; }

    /// <summary>When it succeeded, failed or was cancelled.</summary>
    public long? FinishedAt { get; set; }

    /// <summary>Why it failed, for programs.</summary>
    public string? ErrorCode { get; set; }

    /// <summary>Why it failed, for people.</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>The request's field at fault, if one is.</summary>
    public string? ErrorParam { get; set; }
}

/// <summary>The states of a job, as the API names them.</summary>
public static class JobStatus
{
    /// <summary>Waits for its turn.</summary>
    public const string Queued = "queued";

    /// <summary>Trains.</summary>
    public const string Running = "running";

    /// <summary>Was stopped at a checkpoint and can go on.</summary>
    public const string Paused = "paused";

    /// <summary>Made its model.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>Ended with an error.</summary>
    public const string Failed = "failed";

    /// <summary>Was ended on request.</summary>
    public const string Cancelled = "cancelled";
}

/// <summary>What a running job was asked to do.</summary>
public static class JobWish
{
    /// <summary>Go on.</summary>
    public const string Run = "run";

    /// <summary>Stop at a checkpoint, to go on later.</summary>
    public const string Pause = "pause";

    /// <summary>Stop at a checkpoint, for good.</summary>
    public const string Cancel = "cancel";
}
