using System.Runtime.InteropServices;
using ToolN1.Engine;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>Why a job failed.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Message">For people.</param>
/// <param name="Param">The request's field at fault, if one is.</param>
internal sealed record JobFailure(string Code, string Message, string? Param = null)
{
    // What libtorch's allocators say, on a CPU and on a GPU.
    private static readonly string[] NativeOutOfMemory = ["not enough memory", "out of memory", "can't allocate memory"];

    private static readonly JobFailure OutOfMemory = new("out_of_memory", "There is not enough memory for this job. GET /admin/training/plan tells what a job needs and what would make it smaller.");

    /// <summary>The failure that an exception stands for.</summary>
    public static JobFailure Of(Exception exception) => exception switch
    {
        TrainingRefusedException refused => new JobFailure(refused.Code, refused.Message, refused.Field),
        TrainingDataException data => new JobFailure("invalid_training_file", $"line {data.Line}: {data.Reason}", "training_file"),
        NonFiniteTrainingException diverged => new JobFailure("non_finite", diverged.Message + " A smaller learning_rate_multiplier helps.", "learning_rate_multiplier"),
        CheckpointException damaged => new JobFailure("checkpoint_unusable", damaged.Message),
        TrainingConfigException config => new JobFailure("invalid_settings", config.Message),
        IOException when Outage.IsFullDisk(exception) => new JobFailure("disk_full", "The data directory's disk is full; what was saved before stays. Make room, then create the job again."),
        _ when Outage.IsFullDisk(exception) => new JobFailure("disk_full", "The database's disk is full; what was saved before stays. Make room, then create the job again."),
        _ when Outage.Is(exception) => new JobFailure("database_unavailable", "The database was out of reach again and again; the server's log says more."),
        IOException io => new JobFailure("io_error", io.Message),
        UnauthorizedAccessException access => new JobFailure("io_error", access.Message),
        OutOfMemoryException => OutOfMemory,
        ExternalException native when NativeOutOfMemory.Any(words => native.Message.Contains(words, StringComparison.OrdinalIgnoreCase)) => OutOfMemory,
        EngineOverloadedException busy => new JobFailure("engine_unavailable", busy.Message),
        EngineFaultException { InnerException: NonFiniteLogitsException } => new JobFailure(
            "non_finite", "The trained weights give no finite logits any more: training diverged. A smaller learning_rate_multiplier helps.", "learning_rate_multiplier"),
        EngineFaultException fault => new JobFailure("engine_failed", fault.Message),
        _ => new JobFailure("internal_error", $"Training failed unexpectedly ({exception.GetType().Name}); the server's log says more."),
    };
}
