using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>Options of the reinforcement method.</summary>
[Description("Options of the reinforcement method.")]
internal sealed record ReinforcementOptionsBody
{
    [Description("The grader as it was sent; for a job without one the built-in reward of tool calls, as `tool_call` says it (`hyperparameters.reward` says more).")]
    public required IReadOnlyDictionary<string, JsonElement> Grader { get; init; }

    [Description("Every value that the job trains with: those of the request, and those that it left to the profile.")]
    public required ReinforcementHyperparametersBody Hyperparameters { get; init; }
}

/// <summary>Every value of a reinforcement job.</summary>
[Description("Every value of a reinforcement job, under the names of the request.")]
internal sealed record ReinforcementHyperparametersBody
{
    [Description("Passes over the rows; absent where `steps` is given.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? NEpochs { get; init; }

    [Description("Prompts of a step.")]
    public required int BatchSize { get; init; }

    [Description("Factor on the learning rate.")]
    public required double LearningRateMultiplier { get; init; }

    [Description("Factor on the answers to each prompt.")]
    public required double ComputeMultiplier { get; init; }

    [Description("Steps between answers to the held-out rows.")]
    public required int EvalInterval { get; init; }

    [Description("Most held-out rows answered each time.")]
    public required int EvalSamples { get; init; }

    [Description("Always `default`.")]
    public required string ReasoningEffort { get; init; }

    [Description("Where the values come from that the request left out.")]
    public required string Profile { get; init; }

    [Description("Steps in all; null where `n_epochs` is given.")]
    public int? Steps { get; init; }

    [Description("Answers sampled to each prompt.")]
    public required int GroupSize { get; init; }

    [Description("Prompts of one optimizer update; null: all.")]
    public int? MiniBatchPrompts { get; init; }

    [Description("Passes over a step's answers.")]
    public required int PassesPerStep { get; init; }

    [Description("Rows with longer prompts are left out.")]
    public required int MaxPromptTokens { get; init; }

    [Description("Most tokens of an answer.")]
    public required int MaxResponseTokens { get; init; }

    [Description("How answers are sampled.")]
    public required IReadOnlyDictionary<string, JsonElement> Sampling { get; init; }

    [Description("What is minimised.")]
    public required IReadOnlyDictionary<string, JsonElement> Loss { get; init; }

    [Description("How answers are scored.")]
    public required IReadOnlyDictionary<string, JsonElement> Reward { get; init; }

    [Description("AdamW.")]
    public required IReadOnlyDictionary<string, JsonElement> Optimizer { get; init; }

    [Description("How the learning rate goes.")]
    public required IReadOnlyDictionary<string, JsonElement> Schedule { get; init; }

    [Description("Greatest gradient norm.")]
    public required double ClipNorm { get; init; }

    [Description("The adapters; null where all weights are trained.")]
    public IReadOnlyDictionary<string, JsonElement>? Lora { get; init; }

    [Description("Most tokens of a turn between the engine's steps.")]
    public required int MicroBatchTokens { get; init; }

    [Description("Whether layers are computed again on the way back.")]
    public required bool RecomputeActivations { get; init; }

    [Description("Of the trainer's products.")]
    public required string Dtype { get; init; }

    [Description("Of the models' files.")]
    public required string ExportDtype { get; init; }

    [Description("What stops or warns.")]
    public required IReadOnlyDictionary<string, JsonElement> Alarms { get; init; }

    [Description("Steps between checkpoints.")]
    public required int CheckpointEverySteps { get; init; }

    [Description("The newest checkpoints that are kept.")]
    public required int KeepCheckpoints { get; init; }

    [Description("Share of the device that requests get while training wants it too.")]
    public required double LiveShare { get; init; }

    [Description("Answers of a step that are kept with their rewards.")]
    public required int SamplesLogged { get; init; }
}
