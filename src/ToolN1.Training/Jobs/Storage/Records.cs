namespace ToolN1.Training.Jobs.Storage;

/// <summary>An uploaded file.</summary>
public sealed class FileRecord
{
    /// <summary>Its id, <c>file-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Counts files from 1, for their order.</summary>
    public required long Number { get; init; }

    /// <summary>The name that it was uploaded under.</summary>
    public required string Name { get; init; }

    /// <summary>Its size.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of its bytes, in hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Training rows in it.</summary>
    public required int Rows { get; init; }

    /// <summary>First line whose row has neither reasoning nor an answer in words to teach, from 1; null when all have one.</summary>
    public int? LineWithoutReasoning { get; init; }

    /// <summary>When it was uploaded, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>Something that happened to a job.</summary>
public sealed class EventRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Counts a job's events from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>When, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary><c>info</c>, <c>warn</c> or <c>error</c>.</summary>
    public required string Level { get; init; }

    /// <summary>What happened.</summary>
    public required string Message { get; init; }

    /// <summary>Figures as a JSON object; null makes the event a message.</summary>
    public string? Data { get; init; }
}

/// <summary>One figure of one step.</summary>
public sealed class MetricRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The step, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Name of the figure.</summary>
    public required string Name { get; init; }

    /// <summary>Its value.</summary>
    public required double Value { get; set; }
}

/// <summary>A change of a job's values while it runs, or before it does.</summary>
public sealed class EditRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Counts a job's changes from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>The step that it holds from; null while the job has not come to it.</summary>
    public int? FromStep { get; set; }

    /// <summary>The values as a JSON object.</summary>
    public required string Values { get; init; }

    /// <summary>When it was asked for, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>Where a sampled answer comes from.</summary>
public static class SampleKind
{
    /// <summary>The finished model's, to a held-out row.</summary>
    public const string HeldOut = "held_out";

    /// <summary>One that a step was trained on.</summary>
    public const string Rollout = "rollout";
}

/// <summary>An answer that a job's model gave, and what it was worth.</summary>
public sealed class SampleRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Steps that the model had done.</summary>
    public required int Step { get; init; }

    /// <summary>Place among the step's samples, from 0.</summary>
    public required int Place { get; init; }

    /// <summary>One of <see cref="SampleKind"/>.</summary>
    public string Kind { get; init; } = SampleKind.HeldOut;

    /// <summary>The last message of the prompt.</summary>
    public required string Request { get; init; }

    /// <summary>The right calls.</summary>
    public required string Expected { get; init; }

    /// <summary>What the model wrote.</summary>
    public required string Completion { get; init; }

    /// <summary>Its reward; 0 where it could not be scored.</summary>
    public required double Reward { get; init; }

    /// <summary>Why it could not be scored; null where it was.</summary>
    public string? Failure { get; init; }

    /// <summary>Of a rollout: the rewards of its group as a JSON list; else null.</summary>
    public string? GroupRewards { get; init; }
}

/// <summary>A checkpoint of a job.</summary>
public sealed class CheckpointRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Steps that it holds.</summary>
    public required int Step { get; init; }

    /// <summary>Its folder, relative to the data directory.</summary>
    public required string Folder { get; init; }

    /// <summary>The step's figures as a JSON object.</summary>
    public required string Metrics { get; init; }

    /// <summary>When it was written, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>A model that a job made, ready to be served.</summary>
public sealed class ModelRecord
{
    /// <summary>Its name in requests: <c>tool-n1-nano@job-3-step-40</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Served name of the model that it is a version of.</summary>
    public required string BaseModel { get; init; }

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Steps that it had done.</summary>
    public required int Step { get; init; }

    /// <summary>Its Hugging Face folder, relative to the data directory.</summary>
    public required string Folder { get; init; }

    /// <summary>Identity of its weights.</summary>
    public required string WeightVersion { get; init; }

    /// <summary>SHA-256 of what it was trained on.</summary>
    public required string DataHash { get; init; }

    /// <summary>When it was made, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>How one version of the weights did on a held-out file.</summary>
public sealed class EvaluationRecord
{
    /// <summary>Identity of the weights.</summary>
    public required string WeightVersion { get; init; }

    /// <summary>See <see cref="Models.HeldOutScore.DataHash"/>.</summary>
    public required string DataHash { get; init; }

    /// <summary>A character a row, in order; see <see cref="Models.HeldOutScore.Verdicts"/>. Rows that could not be scored may be later.</summary>
    public required string Verdicts { get; set; }

    /// <summary>When it was measured, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>A model that was made live. The last one that was not taken back is live.</summary>
public sealed class PromotionRecord
{
    /// <summary>Counts promotions from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Served name of the model that it is a version of.</summary>
    public required string BaseModel { get; init; }

    /// <summary>Whether a rollback took it back.</summary>
    public bool IsRolledBack { get; set; }

    /// <summary>When, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
}

/// <summary>What an administrator did.</summary>
public sealed class AuditRecord
{
    /// <summary>Counts from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>When, in seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>Who: a fingerprint of the key, or the server itself.</summary>
    public required string Who { get; init; }

    /// <summary>What was done, such as <c>model.promote</c>.</summary>
    public required string Action { get; init; }

    /// <summary>To what: a model, a job or a file.</summary>
    public required string Subject { get; init; }

    /// <summary>More, as a JSON object.</summary>
    public required string Details { get; init; }
}
