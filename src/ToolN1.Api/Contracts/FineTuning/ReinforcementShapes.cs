using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>What a reinforcement job takes, field by field. Values that a request leaves out come from its profile.</summary>
internal static class ReinforcementShapes
{
    private const string Ours = " (ToolN1's extension.)";

    /// <summary>The hyperparameters: OpenAI's, and every value of a GRPO run beside them.</summary>
    public static ObjectShape Hyperparameters { get; } = new(
        "ReinforcementHyperparameters",
        "How a reinforcement job trains. The first seven are OpenAI's; the rest are ToolN1's, with the names and meanings of docs/training.md.",
        [
            new("n_epochs", Auto(new IntegerShape(1, 1000)), "Passes over the rows; `auto` is the profile's: 1, or 7 for `paper`. Not together with `steps`.") { Default = CommonFields.Text("auto") },
            new("batch_size", Auto(new IntegerShape(1, 65_536)), "Prompts of a step; `auto` is 16, or as many as there are rows; 1024 for `paper`.") { Default = CommonFields.Text("auto") },
            new("learning_rate_multiplier", Auto(new NumberShape(0, 1e6) { MinIsExclusive = true }), "Factor on the learning rate that fits the model's width (5e-5 at 256, ten times that for adapters; 1e-6 for `paper`); `auto` is 1. Not together with `optimizer.learning_rate`.") { Default = CommonFields.Text("auto") },
            new("compute_multiplier", Auto(new NumberShape(0, 32) { MinIsExclusive = true }), "Factor on the answers sampled to each prompt, of which the profile has 8 (`paper`: 5); at least 2 are. `auto` is 1. Not together with `group_size`.") { Default = CommonFields.Text("auto") },
            new("eval_interval", Auto(new IntegerShape(1, int.MaxValue)), "Steps between answers to the held-out rows, which are answered before the first step and at the end too; `auto` is 10.") { Default = CommonFields.Text("auto") },
            new("eval_samples", Auto(new IntegerShape(1, 100_000)), "Most held-out rows answered each time, one answer each; `auto` is 500.") { Default = CommonFields.Text("auto") },
            new(
                "reasoning_effort",
                new StringShape { Values = ["default"], Refused = new[] { "low", "medium", "high" }.ToDictionary(value => value, _ => "The model itself decides how long it reasons, within `max_response_tokens`.") },
                "Accepted as `default` only.") { Effect = FieldEffect.None },
            Own("profile", new StringShape { Values = GrpoProfiles.Names }, "Where values come from that are not given: `default`, or `paper` (Tool-N1's, arXiv:2505.00024).", "default"),
            Own("steps", new IntegerShape(1, int.MaxValue), "Steps in all, in place of `n_epochs`."),
            Own("group_size", new IntegerShape(2, 256), "Answers sampled to each prompt."),
            Own("mini_batch_prompts", new IntegerShape(1, 65_536), "Prompts of one optimizer update; null: one update of all. Absent: the profile's, one of all, or of `paper` 256."),
            Own("passes_per_step", new IntegerShape(1, 100), "Passes over a step's answers."),
            Own("max_prompt_tokens", new IntegerShape(1, int.MaxValue), "Rows with longer prompts are left out, and counted."),
            Own("max_response_tokens", new IntegerShape(1, int.MaxValue), "Most tokens of an answer; absent: the profile's, but no more than half of what the engine takes."),
            Own("sampling", Section("GrpoSampling", "How answers are sampled.",
                new("temperature", new NumberShape(0, 2) { MinIsExclusive = true }, "Temperature."),
                new("top_p", new NumberShape(0, 1) { MinIsExclusive = true }, "Nucleus; 1 is off. Below 1 the whole distribution is scored still, and the job warns."),
                new("top_k", new IntegerShape(0, int.MaxValue), "The k likeliest tokens; 0 is off. Otherwise the whole distribution is scored still, and the job warns.")), "How answers are sampled."),
            Own("loss", Loss, "What is minimised."),
            Own("reward", Section("GrpoReward", "How answers are scored.",
                new("kind", new StringShape { Values = ["binary", "partial"] }, "Of the built-in reward, without a grader: `binary`, or `partial` (0.2 for the format, +0.2 names or +0.8 all)."),
                new("require_think", new BooleanShape(), "Of the built-in reward: whether the format asks for both think tags."),
                new("lenient_numbers", new BooleanShape(), "Of the built-in reward: whether 1 and 1.0 are equal."),
                new("time_limit_seconds", new NumberShape(0, 3600) { MinIsExclusive = true }, "An answer that takes longer to score is left out."),
                new("workers", new IntegerShape(1, 256), "Answers scored at once.")), "How answers are scored."),
            Own("optimizer", Section("GrpoOptimizer", "AdamW.",
                new("learning_rate", new NumberShape(0, 1e6) { MinIsExclusive = true }, "At the top of the schedule."),
                new("beta1", new NumberShape(0, 1), "Decay of the first moment, below 1."),
                new("beta2", new NumberShape(0, 1), "Decay of the second moment, below 1."),
                new("epsilon", new NumberShape(0, 1) { MinIsExclusive = true }, "Added to the root of the second moment."),
                new("weight_decay", new NumberShape(0, 1), "Decoupled decay of matrices.")), "AdamW."),
            Own("schedule", Section("GrpoSchedule", "How the learning rate goes.",
                new("kind", new StringShape { Values = ["constant", "linear", "cosine"] }, "Its shape."),
                new("warmup_fraction", new NumberShape(0, 1), "Fraction of all updates over which it rises."),
                new("minimum", new NumberShape(0, 1), "Where it ends, as a fraction of the top; not of `constant`.")), "How the learning rate goes."),
            Own("clip_norm", new NumberShape(0, 1e6) { MinIsExclusive = true }, "Greatest gradient norm."),
            Own("lora", Section("GrpoLora", "Low-rank adapters beside frozen weights.",
                new("rank", new IntegerShape(1, 1024), "Rank."),
                new("alpha", new NumberShape(0, 1e6) { MinIsExclusive = true }, "The adapter's product is scaled by alpha / rank."),
                new("targets", new ArrayShape(new StringShape { Values = LoraAdapter.ProjectionNames }, 1, 7), "Projections that get one, in every layer; absent: all.")), "Trains adapters, which are served over the base in one batch with it; absent: all weights are trained."),
            Own("micro_batch_tokens", new IntegerShape(1, 1_000_000), "Most tokens of a turn between the engine's steps; changes memory and pauses, not the result.", 1024),
            Own("recompute_activations", new BooleanShape(), "Computes layers again on the way back: less memory, a third more work.", true),
            Own("dtype", new StringShape { Values = ["auto", "float32", "bfloat16"] }, "Of the trainer's products.", "auto"),
            Own("export_dtype", new StringShape { Values = ["auto", "float32", "bfloat16"] }, "Of the models' files; `auto` is the start model's.", "auto"),
            Own("alarms", Section("GrpoAlarms", "What stops or warns.",
                new("kl_ceiling", new NumberShape(0, 1e6) { MinIsExclusive = true }, "A step whose mean KL is higher ends the job with its best checkpoint, or without held-out rows with the newest from before; null: none does. Refused where all weights are trained with `loss.kl_coefficient` 0: there is no reference to measure a KL to."),
                new("clipped_responses", new NumberShape(0, 1), "Warns when more of the answers were cut off."),
                new("log_prob_gap", new NumberShape(0, 1e6) { MinIsExclusive = true }, "Warns when sampler and trainer differ by more."),
                new("max_non_finite_updates", new IntegerShape(0, 1_000_000), "Skipped updates in a row before the job fails.")), "What stops or warns."),
            Own("checkpoint_every_steps", new IntegerShape(1, int.MaxValue), "Steps between checkpoints.", 10),
            Own("keep_checkpoints", new IntegerShape(1, 1000), "The newest that are kept, beside the best and those that are pinned.", 2),
            Own("live_share", new NumberShape(0, 0.99), "Share of the device that requests get while training wants it too.", 0.5),
            Own("samples_logged", new IntegerShape(0, 1000), "Answers of a step that are kept with their rewards.", 4),
        ]);

    /// <summary>Options of the method in OpenAI's request.</summary>
    public static ObjectShape Options { get; } = new(
        "ReinforcementOptions",
        "Options of the method.",
        [
            GraderShapes.Grader with
            {
                Required = false,
                Description = "What answers are worth. Absent: the built-in reward of tool calls, 1 for both think tags and exactly the row's calls. It asks for the chat format `tool-n1`. A grader's templates see the row as `item`: one of ours with its `answer`, or a prompt of OpenAI's with its own fields.",
            },
            new("hyperparameters", Hyperparameters, "How it trains."),
        ])
    {
        Refused = new Dictionary<string, string> { ["response_format"] = "Answers are sampled freely: a constraint would keep the policy from learning the form." },
    };

    private static ObjectShape Loss => Section("GrpoLoss", "What is minimised.",
        new("clip_low", new NumberShape(0, 1) { MinIsExclusive = true }, "ε below."),
        new("clip_high", new NumberShape(0, 1e6) { MinIsExclusive = true }, "ε above."),
        new("dual_clip", new NumberShape(1, 1e6) { MinIsExclusive = true }, "Bound for wrong tokens; absent: off. Not with `objective` `cispo`."),
        new("ratio", new StringShape { Values = ["token", "sequence"] }, "Of tokens, or of whole answers (GSPO)."),
        new("objective", new StringShape { Values = ["clipped", "cispo"] }, "Which objective."),
        new("cispo_cap", new NumberShape(1, 1e6), "CISPO's bound of the ratio; of no other objective."),
        new("aggregation", new StringShape { Values = ["token_mean", "sequence_mean", "sequence_sum", "dr_grpo"] }, "How tokens are put together."),
        new("advantage_scale", new StringShape { Values = ["group", "batch", "none"] }, "What rewards are divided by."),
        new("advantage_epsilon", new NumberShape(0, 1) { MinIsExclusive = true }, "Added to that; not with `none`."),
        new("kl_coefficient", new NumberShape(0, 1e6), "β, the KL to the frozen initial policy; 0 needs no reference."),
        new("drop_uniform_groups", new BooleanShape(), "Leaves out groups with equal rewards, and replaces them."),
        new("max_refills", new IntegerShape(0, 100), "How often."),
        new("mask_truncated", new BooleanShape(), "Does not learn from answers that were cut off."),
        new("importance", new StringShape { Values = ["off", "token", "sequence"] }, "Truncated weights for the gap between sampler and trainer."),
        new("importance_cap", new NumberShape(1, 1e6), "Their bound; of `token` and `sequence` only."));

    private static ObjectShape Section(string name, string description, params IReadOnlyList<Field> fields) => new(name, description, fields);

    private static Field Own(string name, Shape shape, string description, JsonNode? otherwise = null) => new(name, shape, description + Ours) { Default = otherwise };

    private static UnionShape Auto(Shape number) => new(new StringShape { Values = ["auto"] }, number);
}
