using System.ComponentModel;
using ToolN1.Training.Evaluation.Jobs;

namespace ToolN1.Api.Contracts;

/// <summary>An evaluation.</summary>
[Description("An evaluation of the served model.")]
internal sealed record EvaluationBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("Always `evaluation`.")]
    public string Object { get; init; } = "evaluation";

    [Description("`queued`, `running`, `succeeded`, `failed` or `cancelled`.")]
    public required string Status { get; init; }

    [Description("When it was asked for, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("When its first question was asked; null before.")]
    public required long? StartedAt { get; init; }

    [Description("When it ended, by whatever reason; null before.")]
    public required long? FinishedAt { get; init; }

    [Description("The served model's id.")]
    public required string Model { get; init; }

    [Description("The weights it asks: those that were live when it was asked for.")]
    public required string WeightVersion { get; init; }

    [Description("Which benchmark.")]
    public required string Benchmark { get; init; }

    [Description("The benchmark's folder on the server.")]
    public required string Data { get; init; }

    [Description("Only these categories; empty for all.")]
    public required IReadOnlyList<string> Categories { get; init; }

    [Description("Only the first cases of each category; null for all.")]
    public required int? Limit { get; init; }

    [Description("`parity` or `native`.")]
    public required string Mode { get; init; }

    [Description("Most tokens of an answer.")]
    public required int MaxTokens { get; init; }

    [Description("Whether the official checker's quirks are put right.")]
    public required bool Fixed { get; init; }

    [Description("How far it has come.")]
    public required EvaluationProgressBody Progress { get; init; }

    [Description("The benchmark's figures by name, in 0 to 1; empty until it has ended. The files have all the rest.")]
    public required IReadOnlyDictionary<string, double> Figures { get; init; }

    [Description("Why it failed; null otherwise.")]
    public required string? Error { get; init; }

    /// <summary>The body of an evaluation.</summary>
    public static EvaluationBody Of(EvaluationJob job) => new()
    {
        Id = job.Id,
        Status = job.Status.ToString().ToLowerInvariant(),
        CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
        StartedAt = job.StartedAt?.ToUnixTimeSeconds(),
        FinishedAt = job.FinishedAt?.ToUnixTimeSeconds(),
        Model = job.Model,
        WeightVersion = job.WeightVersion,
        Benchmark = job.Spec.Benchmark,
        Data = job.Spec.DataFolder,
        Categories = job.Spec.Categories,
        Limit = job.Spec.Limit,
        Mode = job.Spec.Mode.ToString().ToLowerInvariant(),
        MaxTokens = job.Spec.MaxTokens,
        Fixed = job.Spec.FixedRules,
        Progress = EvaluationProgressBody.Of(job.Progress),
        Figures = job.Figures,
        Error = job.Error,
    };
}

/// <summary>How far an evaluation has come.</summary>
[Description("How far an evaluation has come.")]
internal sealed record EvaluationProgressBody
{
    [Description("All questions; 0 before the first is asked.")]
    public required int Total { get; init; }

    [Description("Questions with a verdict.")]
    public required int Answered { get; init; }

    [Description("Correct ones among them.")]
    public required int Correct { get; init; }

    [Description("Questions that got no answer.")]
    public required int Failed { get; init; }

    [Description("Correct by answered; null without an answer.")]
    public required double? Accuracy { get; init; }

    /// <summary>The body of a progress.</summary>
    public static EvaluationProgressBody Of(Training.Evaluation.Harness.EvaluationProgress progress) => new()
    {
        Total = progress.Total,
        Answered = progress.Answered,
        Correct = progress.Correct,
        Failed = progress.Failed,
        Accuracy = progress.Answered == 0 ? null : Math.Round(progress.Correct / (double)progress.Answered, 6),
    };
}

/// <summary>Evaluations.</summary>
[Description("The evaluations, newest first.")]
internal sealed record EvaluationList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The evaluations.")]
    public required IReadOnlyList<EvaluationBody> Data { get; init; }
}

/// <summary>An event of an evaluation.</summary>
[Description("Something that happened to an evaluation.")]
internal sealed record EvaluationEventBody
{
    [Description("Its id: the evaluation's and a number.")]
    public required string Id { get; init; }

    [Description("Always `evaluation.event`.")]
    public string Object { get; init; } = "evaluation.event";

    [Description("When, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("`info` or `error`.")]
    public required string Level { get; init; }

    [Description("In words.")]
    public required string Message { get; init; }

    [Description("How far the evaluation had come.")]
    public required EvaluationProgressBody Data { get; init; }

    /// <summary>The body of an event.</summary>
    public static EvaluationEventBody Of(string evaluation, EvaluationEvent happened) => new()
    {
        Id = $"{evaluation}-{happened.Number}",
        CreatedAt = happened.CreatedAt.ToUnixTimeSeconds(),
        Level = happened.Level,
        Message = happened.Message,
        Data = EvaluationProgressBody.Of(happened.Progress),
    };
}
