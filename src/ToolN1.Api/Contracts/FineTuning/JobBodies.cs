using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>A job.</summary>
[Description("A training job.")]
internal sealed record JobBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("Always `fine_tuning.job`.")]
    public string Object { get; init; } = "fine_tuning.job";

    [Description("When it was made, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("When it succeeded, failed or was cancelled; else null.")]
    public required long? FinishedAt { get; init; }

    [Description("When it should be done at its pace so far; null while that is not known.")]
    public required long? EstimatedFinish { get; init; }

    [Description("`queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`.")]
    public required string Status { get; init; }

    [Description("The model that it starts from, as the request named it.")]
    public required string Model { get; init; }

    [Description("The finished model, to send as `model`; null before.")]
    public required string? FineTunedModel { get; init; }

    [Description("Always `tool-n1`.")]
    public string OrganizationId { get; init; } = "tool-n1";

    [Description("Id of the file that it learns from.")]
    public required string TrainingFile { get; init; }

    [Description("Id of the file of held-out rows, or null.")]
    public required string? ValidationFile { get; init; }

    [Description("Always empty: figures are at `/admin/training/jobs/{id}/metrics`.")]
    public IReadOnlyList<string> ResultFiles { get; init; } = [];

    [Description("Tokens trained on; null before the first step.")]
    public required long? TrainedTokens { get; init; }

    [Description("Seeds all chance of the job.")]
    public required int Seed { get; init; }

    [Description("Why it failed, or null.")]
    public required JobErrorBody? Error { get; init; }

    [Description("How it trains.")]
    public required MethodBody Method { get; init; }

    [Description("The hyperparameters that all methods have, as numbers.")]
    public required CommonHyperparametersBody Hyperparameters { get; init; }

    [Description("Always empty: there are no integrations.")]
    public IReadOnlyList<string> Integrations { get; init; } = [];

    [Description("The caller's own pairs.")]
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [Description("Steps done. (ToolN1's extension.)")]
    public required int Step { get; init; }

    [Description("Steps in all; 0 before it ran. (ToolN1's extension.)")]
    public required int TotalSteps { get; init; }
}

/// <summary>Why a job failed.</summary>
[Description("Why a job failed.")]
internal sealed record JobErrorBody
{
    [Description("A code for programs, such as `non_finite` or `disk_full`.")]
    public required string Code { get; init; }

    [Description("An explanation for people.")]
    public required string Message { get; init; }

    [Description("The field of the request at fault, or null.")]
    public required string? Param { get; init; }
}

/// <summary>A method.</summary>
[Description("How a job trains.")]
internal sealed record MethodBody
{
    [Description("The method's name.")]
    public required string Type { get; init; }

    [Description("Options of the supervised method.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MethodOptionsBody? Supervised { get; init; }

    [Description("Options of the reinforcement method.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReinforcementOptionsBody? Reinforcement { get; init; }
}

/// <summary>Options of a method.</summary>
[Description("Options of a method.")]
internal sealed record MethodOptionsBody
{
    [Description("Its hyperparameters, as numbers.")]
    public required HyperparametersBody Hyperparameters { get; init; }
}

/// <summary>What all methods have.</summary>
[Description("Hyperparameters that all methods have; those that were `auto` with the number that they became.")]
internal sealed record CommonHyperparametersBody
{
    [Description("Passes over the rows; absent where the job has a number of steps instead.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? NEpochs { get; init; }

    [Description("Rows of a step.")]
    public required int BatchSize { get; init; }

    [Description("Factor on the learning rate.")]
    public required double LearningRateMultiplier { get; init; }
}

/// <summary>Hyperparameters.</summary>
[Description("Hyperparameters; those that were `auto` with the number that they became.")]
internal sealed record HyperparametersBody
{
    [Description("Passes over the rows.")]
    public required int NEpochs { get; init; }

    [Description("Rows of an optimizer step.")]
    public required int BatchSize { get; init; }

    [Description("Factor on the learning rate.")]
    public required double LearningRateMultiplier { get; init; }

    [Description("Steps between checkpoints. (ToolN1's extension.)")]
    public required int CheckpointEverySteps { get; init; }

    [Description("Share of the device that requests get while training wants it too. (ToolN1's extension.)")]
    public required double LiveShare { get; init; }
}

/// <summary>Jobs.</summary>
[Description("A page of jobs, newest first.")]
internal sealed record JobList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The jobs.")]
    public required IReadOnlyList<JobBody> Data { get; init; }

    [Description("Whether older ones follow; `after` takes the last one's id.")]
    public required bool HasMore { get; init; }
}

/// <summary>An event.</summary>
[Description("Something that happened to a job.")]
internal sealed record EventBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("Always `fine_tuning.job.event`.")]
    public string Object { get; init; } = "fine_tuning.job.event";

    [Description("When, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("`info`, `warn` or `error`.")]
    public required string Level { get; init; }

    [Description("What happened.")]
    public required string Message { get; init; }

    [Description("`message`, or `metrics` where `data` holds figures.")]
    public required string Type { get; init; }

    [Description("A step's figures, or null.")]
    public required IReadOnlyDictionary<string, double>? Data { get; init; }
}

/// <summary>Events.</summary>
[Description("A page of events, newest first.")]
internal sealed record EventList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The events.")]
    public required IReadOnlyList<EventBody> Data { get; init; }

    [Description("Whether older ones follow; `after` takes the last one's id.")]
    public required bool HasMore { get; init; }
}

/// <summary>A checkpoint.</summary>
[Description("A checkpoint of a job.")]
internal sealed record CheckpointBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("Always `fine_tuning.job.checkpoint`.")]
    public string Object { get; init; } = "fine_tuning.job.checkpoint";

    [Description("When it was written, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("Its model, to send as `model`.")]
    public required string FineTunedModelCheckpoint { get; init; }

    [Description("Steps that it holds.")]
    public required int StepNumber { get; init; }

    [Description("The job.")]
    public required string FineTuningJobId { get; init; }

    [Description("Whether it is kept whatever its age. (ToolN1's extension.)")]
    public required bool Pinned { get; init; }

    [Description("The step's figures: `step`, `train_loss`, `train_mean_token_accuracy` and ours.")]
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }
}

/// <summary>Checkpoints.</summary>
[Description("A page of checkpoints, newest first.")]
internal sealed record CheckpointList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The checkpoints.")]
    public required IReadOnlyList<CheckpointBody> Data { get; init; }

    [Description("Id of the first checkpoint of the page, or null.")]
    public required string? FirstId { get; init; }

    [Description("Id of the last checkpoint of the page, for `after`, or null.")]
    public required string? LastId { get; init; }

    [Description("Whether older ones follow.")]
    public required bool HasMore { get; init; }
}

/// <summary>Figures of steps.</summary>
[Description("Figures of a job's steps, in order.")]
internal sealed record MetricList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The steps.")]
    public required IReadOnlyList<StepMetricsBody> Data { get; init; }
}

/// <summary>Figures of a step.</summary>
[Description("Figures of one step.")]
internal sealed record StepMetricsBody
{
    [Description("The step, from 1; 0 has what was measured before the first.")]
    public required int Step { get; init; }

    [Description("Figures by name; one that was not finite is left out.")]
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }
}

/// <summary>Samples.</summary>
[Description("Answers of a job's model.")]
internal sealed record SampleList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The samples, newest step first.")]
    public required IReadOnlyList<SampleBody> Data { get; init; }
}

/// <summary>A sample.</summary>
[Description("An answer, and what it was worth.")]
internal sealed record SampleBody
{
    [Description("The step that it was sampled in, or that the model had done.")]
    public required int Step { get; init; }

    [Description("`rollout`: one that the step was trained on. `held_out`: the finished model's, to a held-out row.")]
    public required string Kind { get; init; }

    [Description("The last message of the prompt.")]
    public required string Request { get; init; }

    [Description("The right calls, or the reference fields that a grader reads.")]
    public required string Expected { get; init; }

    [Description("What the model wrote, tags included.")]
    public required string Completion { get; init; }

    [Description("What it was worth; of a held-out row 1 for a right answer, else 0. Null where it could not be scored.")]
    public required double? Reward { get; init; }

    [Description("Why it could not be scored, or null.")]
    public required string? Failure { get; init; }

    [Description("Of a rollout: the rewards of all answers to its prompt; else null.")]
    public required IReadOnlyList<double?>? GroupRewards { get; init; }
}
