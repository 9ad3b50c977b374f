using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>What the training and model routes take, field by field.</summary>
internal static partial class FineTuningShapes
{
    /// <summary>A supervised job's hyperparameters.</summary>
    public static ObjectShape Hyperparameters { get; } = new(
        "SupervisedHyperparameters",
        "How a supervised job trains: `auto` or a number each. The first three are OpenAI's.",
        [
            new("n_epochs", Auto(new IntegerShape(1, 1000)), "Passes over the rows, rounded up to whole steps; `auto` is 3.") { Default = CommonFields.Text("auto") },
            new("batch_size", Auto(new IntegerShape(1, 1024)), "Rows of an optimizer step; `auto` is a hundredth of the rows, between 1 and 32.") { Default = CommonFields.Text("auto") },
            new("learning_rate_multiplier", Auto(new NumberShape(0, 1e6) { MinIsExclusive = true }), "Factor on the learning rate that fits the model's width (2e-4 at 256); `auto` is 1.") { Default = CommonFields.Text("auto") },
            new("checkpoint_every_steps", Auto(new IntegerShape(1, int.MaxValue)), "Steps between checkpoints, of which the newest three are kept; `auto` makes four in all. (ToolN1's extension.)") { Default = CommonFields.Text("auto") },
            new("live_share", Auto(new NumberShape(0, 0.99)), "Share of the device that requests get while training wants it too; `auto` is 0.5. (ToolN1's extension.)") { Default = CommonFields.Text("auto") },
        ]);

    /// <summary>POST /v1/fine_tuning/jobs.</summary>
    public static ObjectShape CreateJob { get; } = new(
        "FineTuningJobRequest",
        "A training job. Optional fields may be null, which is the same as absent; unknown fields are refused.",
        [
            new("model", new StringShape { MinLength = 1 }, "The model to start from: the served one (its live version), or any version that `/v1/models` lists.") { Required = true },
            new("training_file", new StringShape { MinLength = 1 }, "Id of the file to learn from.") { Required = true },
            new("validation_file", new StringShape { MinLength = 1 }, "Id of a file of held-out rows. The finished model is scored on it, and the gate before promotion needs it. Without a grader the calls are what is judged: a supervised job leaves out rows that are answered in words, a reinforcement job refuses them, and both refuse prompts with reference fields."),
            new("method", new TaggedShape("type", new Dictionary<string, ObjectShape>
            {
                ["supervised"] = new(
                    "SupervisedMethod",
                    "Teaches the reasoning and the calls of each row.",
                    [
                        new("type", new StringShape { Values = ["supervised"] }, "Always `supervised`.") { Required = true },
                        new("supervised", new ObjectShape("SupervisedOptions", "Options of the method.", [new("hyperparameters", Hyperparameters, "How it trains.")]), "Options of the method."),
                    ]),
                ["reinforcement"] = new(
                    "ReinforcementMethod",
                    "Samples groups of answers to each row's prompt from the served model, scores them, and moves the model towards what was better than its group (GRPO).",
                    [
                        new("type", new StringShape { Values = ["reinforcement"] }, "Always `reinforcement`.") { Required = true },
                        new("reinforcement", ReinforcementShapes.Options, "Options of the method."),
                    ]),
            })
            {
                Refused = new Dictionary<string, string> { ["dpo"] = "Preference training is not supported." },
            },
            "How to train; absent: supervised."),
            new("hyperparameters", Hyperparameters, "The older place of the supervised method's hyperparameters; not together with `method`."),
            new("seed", new IntegerShape(0, int.MaxValue), "Seeds all chance: the same seed, files and settings train the same model. Absent: drawn."),
            new("suffix", new StringShape { Pattern = Suffix(), MaxLength = 64 }, "Ends the name of the model: letters, digits, `-` and `_`."),
            new("metadata", new MapShape(new StringShape { MaxLength = 512 }, 16, 64), "Up to 16 pairs for the caller's own bookkeeping."),
            new("integrations", new ArrayShape(new AnyObjectShape(), 0, 0), "Accepted empty only: there are no integrations."),
        ]);

    /// <summary>POST /admin/models/load.</summary>
    public static ObjectShape Load { get; } = new(
        "LoadRequest",
        "A version to read into memory.",
        [new("model", new StringShape { MinLength = 1 }, "Its name, as `/admin/models` lists it, or that of a job's checkpoint.") { Required = true }]);

    /// <summary>POST /admin/models/promote.</summary>
    public static ObjectShape Promote { get; } = new(
        "PromoteRequest",
        "A version to make live.",
        [
            new("model", new StringShape { MinLength = 1 }, "Its name, as `/admin/models` lists it.") { Required = true },
            new("require_improvement", new BooleanShape(), "The gate asks for more than that the held-out exact match does not fall: it must rise, with p below 0.05 (McNemar's exact test).") { Default = false },
            new("force", new BooleanShape(), "Promotes whatever the gate says; the audit log records it.") { Default = false },
        ]);

    private static UnionShape Auto(Shape number) => new(new StringShape { Values = ["auto"] }, number);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex Suffix();
}
