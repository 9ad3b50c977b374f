using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>What the routes under /admin/training take beyond OpenAI's.</summary>
internal static class AdminTrainingShapes
{
    /// <summary>POST /admin/training/jobs: OpenAI's request, and whether it is only tried.</summary>
    public static ObjectShape CreateJob { get; } = new(
        "TrainingJobRequest",
        "A training job, as `/v1/fine_tuning/jobs` takes it, or only a look at what it would be.",
        [
            .. FineTuningShapes.CreateJob.Fields,
            new("dry_run", new BooleanShape(), "Checks everything, resolves every value and plans the memory, but makes no job.") { Default = false },
        ]);

    /// <summary>PATCH /admin/training/jobs/{id}.</summary>
    public static ObjectShape EditJob { get; } = new(
        "EditTrainingJobRequest",
        "Values of a reinforcement job to change from its next step on; at least one.",
        [
            new("learning_rate", new NumberShape(0, 1e6) { MinIsExclusive = true }, "At the top of the schedule."),
            new("kl_coefficient", new NumberShape(0, 1e6), "β; a job that began with 0 and trains all weights holds no reference policy and takes only 0."),
            new("max_response_tokens", new IntegerShape(1, int.MaxValue), "Most tokens of an answer; at most what the job began with."),
            new("kl_ceiling", new NumberShape(0, 1e6) { MinIsExclusive = true }, "A step whose mean KL is higher ends the job with its best checkpoint, or without held-out rows with the newest from before. Refused where the job holds no reference policy."),
        ]);
}
