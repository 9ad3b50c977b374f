using System.ComponentModel;
using System.Text.Json;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>A job as administrators see it.</summary>
[Description("A training job, with what OpenAI's shape has no place for.")]
internal sealed record AdminJobBody
{
    [Description("Always `training.job`.")]
    public string Object { get; init; } = "training.job";

    [Description("The job as `/v1/fine_tuning/jobs/{id}` has it.")]
    public required JobBody Job { get; init; }

    [Description("The version that training starts from.")]
    public required string StartModel { get; init; }

    [Description("SHA-256 of the training file.")]
    public required string DataHash { get; init; }

    [Description("What a running job was asked to do at its next checkpoint: `run`, `pause` or `cancel`.")]
    public required string Wish { get; init; }

    [Description("Changes of its values, oldest first.")]
    public required IReadOnlyList<JobEditBody> Edits { get; init; }
}

/// <summary>A change.</summary>
[Description("A change of a job's values.")]
internal sealed record JobEditBody
{
    [Description("The step that it holds from; null while the job has not come to it.")]
    public required int? FromStep { get; init; }

    [Description("The values.")]
    public required IReadOnlyDictionary<string, JsonElement> Values { get; init; }

    [Description("When it was asked for, in seconds since 1970.")]
    public required long CreatedAt { get; init; }
}

/// <summary>Jobs.</summary>
[Description("A page of training jobs, newest first.")]
internal sealed record AdminJobList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The jobs.")]
    public required IReadOnlyList<AdminJobBody> Data { get; init; }

    [Description("Whether older ones follow; `after` takes the last one's id.")]
    public required bool HasMore { get; init; }
}

/// <summary>A plan.</summary>
[Description("What a job would be, and what memory it would need.")]
internal sealed record TrainingPlanBody
{
    [Description("Always `training.plan`.")]
    public string Object { get; init; } = "training.plan";

    [Description("The model that it would start from.")]
    public required string Model { get; init; }

    [Description("The method with every value that it would train with.")]
    public required MethodBody Method { get; init; }

    [Description("Whether it fits; a job that does not is refused. Null where it is not known how much memory there is: on a GPU whose driver does not tell, without `memory_gib`.")]
    public required bool? Fits { get; init; }

    [Description("All bytes at the peak, the server's own included: of the machine's memory, or of the GPU's where the server runs on one. Null for a method that has no plan.")]
    public required long? TotalBytes { get; init; }

    [Description("Bytes there are; null where that is not known.")]
    public required long? LimitBytes { get; init; }

    [Description("The bytes by kind; they add up to the total.")]
    public required IReadOnlyList<PlanItemBody> Items { get; init; }

    [Description("Where it does not fit: changes that make it smaller, each on top of those before it.")]
    public required IReadOnlyList<PlanRemedyBody> Remedies { get; init; }
}

/// <summary>A kind of memory.</summary>
[Description("A kind of memory.")]
internal sealed record PlanItemBody
{
    [Description("The kind.")]
    public required string Kind { get; init; }

    [Description("What it is made of.")]
    public required string What { get; init; }

    [Description("How much.")]
    public required long Bytes { get; init; }
}

/// <summary>A change that makes a job smaller.</summary>
[Description("A change that makes a job smaller.")]
internal sealed record PlanRemedyBody
{
    [Description("Hyperparameter and value.")]
    public required string Change { get; init; }

    [Description("All bytes with this change and those before it.")]
    public required long TotalBytes { get; init; }
}
