using System.Globalization;
using System.Text.Json;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>Training's records in the API's shapes.</summary>
internal static class TrainingWire
{
    private const string EventPrefix = "ftevent-";
    private const string CheckpointPrefix = "ftckpt-";

    public static FileBody File(FileRecord file) => new()
    {
        Id = file.Id,
        Bytes = file.Bytes,
        CreatedAt = file.CreatedAt,
        Filename = file.Name,
        Rows = file.Rows,
        Sha256 = file.Sha256,
    };

    public static JobBody Job(JobRecord job)
    {
        MethodBody method = Method(job.Method, job.Settings);
        return new JobBody
        {
            Id = job.Id,
            CreatedAt = job.CreatedAt,
            FinishedAt = job.FinishedAt,
            EstimatedFinish = job.EstimatedFinish,
            Status = job.Status,
            Model = job.Model,
            FineTunedModel = job.FineTunedModel,
            TrainingFile = job.TrainingFile,
            ValidationFile = job.ValidationFile,
            TrainedTokens = job.TrainedTokens,
            Seed = job.Seed,
            Error = job.ErrorCode is null ? null : new JobErrorBody { Code = job.ErrorCode, Message = job.ErrorMessage!, Param = job.ErrorParam },
            Method = method,
            Hyperparameters = method.Reinforcement?.Hyperparameters is ReinforcementHyperparametersBody own
                ? new CommonHyperparametersBody { NEpochs = own.NEpochs, BatchSize = own.BatchSize, LearningRateMultiplier = own.LearningRateMultiplier }
                : new CommonHyperparametersBody
                {
                    NEpochs = method.Supervised!.Hyperparameters.NEpochs,
                    BatchSize = method.Supervised.Hyperparameters.BatchSize,
                    LearningRateMultiplier = method.Supervised.Hyperparameters.LearningRateMultiplier,
                },
            Metadata = JsonSerializer.Deserialize(job.Metadata, ApiJsonContext.Relaxed.IReadOnlyDictionaryStringString)!,
            Step = job.Step,
            TotalSteps = job.TotalSteps,
        };
    }

    /// <summary>A method with its resolved settings.</summary>
    public static MethodBody Method(string method, string settings)
    {
        if (method == "supervised")
        {
            return new MethodBody { Type = method, Supervised = new MethodOptionsBody { Hyperparameters = JsonSerializer.Deserialize(settings, ApiJsonContext.Relaxed.HyperparametersBody)! } };
        }

        using JsonDocument document = JsonDocument.Parse(settings);
        return new MethodBody
        {
            Type = method,
            Reinforcement = new ReinforcementOptionsBody
            {
                Grader = (document.RootElement.GetProperty("grader") is { ValueKind: JsonValueKind.Object } grader ? grader : BuiltInGrader(document.RootElement))
                    .EnumerateObject().ToDictionary(field => field.Name, field => field.Value.Clone()),
                Hyperparameters = JsonSerializer.Deserialize(document.RootElement, ApiJsonContext.Relaxed.ReinforcementHyperparametersBody)!,
            },
        };
    }

    /// <summary>The built-in reward as the grader that it is: clients' types know no job without one.</summary>
    private static JsonElement BuiltInGrader(JsonElement settings)
    {
        string numbers = settings.TryGetProperty("reward", out JsonElement reward) && reward.TryGetProperty("lenient_numbers", out JsonElement lenient) && lenient.ValueKind == JsonValueKind.True
            ? "lenient"
            : "strict";
        return JsonElement.Parse($$$"""{"type":"tool_call","name":"tool_call","reference":"{{item.answer}}","numbers":"{{{numbers}}}"}""");
    }

    public static EventBody Event(EventRecord item) => new()
    {
        Id = IdOf(EventPrefix, item.JobId, item.Sequence),
        CreatedAt = item.CreatedAt,
        Level = item.Level,
        Message = item.Message,
        Type = item.Data is null ? "message" : "metrics",
        Data = item.Data is null ? null : Figures(item.Data),
    };

    /// <summary>The sequence of an event's id; null for what is no id of an event of the job.</summary>
    public static int? EventNumber(string id, string jobId) => NumberOf(id, EventPrefix, jobId);

    /// <summary>The step of a checkpoint's id; null for what is no id of a checkpoint of the job.</summary>
    public static int? CheckpointNumber(string id, string jobId) => NumberOf(id, CheckpointPrefix, jobId);

    public static CheckpointBody Checkpoint(CheckpointRecord checkpoint, string model, bool isPinned) => new()
    {
        Id = IdOf(CheckpointPrefix, checkpoint.JobId, checkpoint.Step),
        CreatedAt = checkpoint.CreatedAt,
        FineTunedModelCheckpoint = model,
        StepNumber = checkpoint.Step,
        FineTuningJobId = checkpoint.JobId,
        Pinned = isPinned,
        Metrics = Figures(checkpoint.Metrics),
    };

    public static ModelVersionBody Model(ModelSummary model) => new()
    {
        Name = model.Name,
        Live = model.IsLive,
        Loaded = model.IsLoaded,
        JobId = model.JobId,
        Step = model.Step,
        DataHash = model.DataHash,
        WeightVersion = model.WeightVersion,
        CreatedAt = model.CreatedAt,
        Evaluations = [.. model.Scores.Select(score => new HeldOutScoreBody { DataHash = score.DataHash, Rows = score.Rows, Correct = score.Correct, Unscored = score.Unscored })],
    };

    public static LiveChangeBody Change(LiveChange change) => new()
    {
        Live = change.Live,
        Previous = change.Before,
        HeldOutRows = change.HeldOutRows,
        CorrectBefore = change.CorrectBefore,
        CorrectNow = change.CorrectNow,
        PValue = change.PValue,
        Forced = change.IsForced,
    };

    public static AuditBody Audit(AuditRecord entry) => new()
    {
        Sequence = entry.Sequence,
        CreatedAt = entry.CreatedAt,
        Who = entry.Who,
        Action = entry.Action,
        Subject = entry.Subject,
        Details = entry.Details == "{}" ? null : JsonSerializer.Deserialize(entry.Details, ApiJsonContext.Relaxed.LiveDetailsBody),
    };

    public static SampleBody Sample(SampleRecord sample) => new()
    {
        Step = sample.Step,
        Kind = sample.Kind,
        Request = sample.Request,
        Expected = sample.Expected,
        Completion = sample.Completion,
        Reward = sample.Failure is null ? sample.Reward : null,
        Failure = sample.Failure,
        GroupRewards = sample.GroupRewards is null ? null : JsonSerializer.Deserialize(sample.GroupRewards, ApiJsonContext.Relaxed.IReadOnlyListNullableDouble),
    };

    private static string IdOf(string prefix, string jobId, long number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{jobId[^8..]}-{number}");

    private static int? NumberOf(string id, string prefix, string jobId) =>
        int.TryParse(id[(id.LastIndexOf('-') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && id == IdOf(prefix, jobId, number) ? number : null;

    private static IReadOnlyDictionary<string, double> Figures(string json) =>
        JsonSerializer.Deserialize(json, ApiJsonContext.Relaxed.IReadOnlyDictionaryStringDouble)!;
}
