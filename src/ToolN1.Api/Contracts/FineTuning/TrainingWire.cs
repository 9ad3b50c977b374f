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
                Grader = document.RootElement.GetProperty("grader") is { ValueKind: JsonValueKind.Object } grader ? grader.EnumerateObject().ToDictionary(field => field.Name, field => field.Value.Clone()) : null,
                Hyperparameters = JsonSerializer.Deserialize(document.RootElement, ApiJsonContext.Relaxed.ReinforcementHyperparametersBody)!,
            },
        };
    }

    public static EventBody Event(EventRecord item) => new()
    {
        Id = $"{EventPrefix}{item.JobId[^8..]}-{item.Sequence.ToString(CultureInfo.InvariantCulture)}",
        CreatedAt = item.CreatedAt,
        Level = item.Level,
        Message = item.Message,
        Type = item.Data is null ? "message" : "metrics",
        Data = item.Data is null ? null : Figures(item.Data),
    };

    /// <summary>The number at the end of an event's or checkpoint's id; null for what is no such id.</summary>
    public static long? NumberOf(string id) =>
        (id.StartsWith(EventPrefix, StringComparison.Ordinal) || id.StartsWith(CheckpointPrefix, StringComparison.Ordinal))
            && long.TryParse(id[(id.LastIndexOf('-') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    public static CheckpointBody Checkpoint(CheckpointRecord checkpoint, string model, bool isPinned) => new()
    {
        Id = $"{CheckpointPrefix}{checkpoint.JobId[^8..]}-{checkpoint.Step.ToString(CultureInfo.InvariantCulture)}",
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
        Evaluations = [.. model.Scores.Select(score => new HeldOutScoreBody { DataHash = score.DataHash, Rows = score.Rows, Correct = score.Correct })],
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

    private static IReadOnlyDictionary<string, double> Figures(string json) =>
        JsonSerializer.Deserialize(json, ApiJsonContext.Relaxed.IReadOnlyDictionaryStringDouble)!;
}
