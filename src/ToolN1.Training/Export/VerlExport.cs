using System.Globalization;
using System.Text;
using Parquet.Serialization;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Grpo;
using ToolN1.Training.Optimizers;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Export;

/// <summary>
/// Writes what a GRPO run needs on verl, the trainer that the paper's own code is built on: rows as parquet, the reward as
/// Python, and a script with the run's hyperparameters. For models and machines beyond this trainer.
/// </summary>
public static class VerlExport
{
    private const string RewardResource = "ToolN1.Training.Export.tool_call_reward.py";

    /// <summary>verl's, which nothing sets.</summary>
    private const double AdvantageEpsilon = 1e-6;

    /// <summary>verl always has a dual clip, 3 where nothing is said. Ratios are at most e^20, so this one never holds.</summary>
    private const double NoDualClip = 1e9;

    /// <summary>Writes the folder.</summary>
    /// <param name="config">The run; its <c>model</c> needs a tokenizer only.</param>
    /// <param name="folder">Made where it does not exist; files of these names are replaced.</param>
    /// <param name="nodes">Machines, at least one.</param>
    /// <param name="gpusPerNode">GPUs of each, at least one.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="TrainingDataException">A line of the data is not a row, or is one that the reward cannot judge.</exception>
    /// <exception cref="NotSupportedException">The model's turns are not ChatML, or a value of the run has no counterpart; names it.</exception>
    public static async Task<VerlExportReport> WriteAsync(GrpoConfig config, string folder, int nodes, int gpusPerNode, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(gpusPerNode, 1);

        // 1. What has no counterpart is refused or told, never left out silently.
        List<string> notCarried = NotCarried(config);
        string script = Script(config, notCarried, nodes, gpusPerNode);

        // 2. Rows.
        Tokenizer tokenizer = Tokenizer.Load(config.Model);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, config.Model, tokenizer);
        Rows train = Read("train", config.Data.SelectMany(CallRows.Read), tokenizer, format, cancellationToken);
        int heldOutInWords = 0;
        Rows validation = Read(
            "validation", config.Evaluation.Data.SelectMany(file => CallRows.Take(file, config.Evaluation.MaxRows, ref heldOutInWords)), tokenizer, format, cancellationToken);
        if (train.Kept.Count < config.PromptsPerStep)
        {
            throw new NotSupportedException($"Field 'prompts_per_step': verl takes whole batches of {config.PromptsPerStep}, and there are {train.Kept.Count} rows to export.");
        }

        if (validation.Kept.Count == 0)
        {
            throw new NotSupportedException("Field 'evaluation.data' must name held-out rows: verl wants a validation file.");
        }

        // 3. The files, now that nothing stands against them.
        Directory.CreateDirectory(folder);
        await WriteRowsAsync(Path.Combine(folder, "train.parquet"), train.Kept, cancellationToken).ConfigureAwait(false);
        await WriteRowsAsync(Path.Combine(folder, "validation.parquet"), validation.Kept, cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder, "tool_call_reward.py"), RewardPython(config.Reward), cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder, "run.sh"), script, cancellationToken).ConfigureAwait(false);
        return new VerlExportReport(train.Kept.Count, validation.Kept.Count, train.InWords + heldOutInWords, train.Skipped + validation.Skipped, notCarried);
    }

    /// <summary>The reward as a Python module.</summary>
    public static string RewardPython(GrpoReward reward)
    {
        using Stream stream = typeof(VerlExport).Assembly.GetManifestResourceStream(RewardResource)!;
        using StreamReader reader = new(stream);
        static string Python(bool value) => value ? "True" : "False";
        return reader.ReadToEnd()
            .Replace("{PARTIAL}", Python(reward.Kind == "partial"), StringComparison.Ordinal)
            .Replace("{REQUIRE_THINK}", Python(reward.RequireThink), StringComparison.Ordinal)
            .Replace("{LENIENT_NUMBERS}", Python(reward.LenientNumbers), StringComparison.Ordinal);
    }

    private static Rows Read(string split, IEnumerable<TrainingRow?> rows, Tokenizer tokenizer, IChatFormat format, CancellationToken cancellationToken)
    {
        List<VerlRow> kept = [];
        int inWords = 0;
        int skipped = 0;
        long index = 0;
        foreach (TrainingRow? row in rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row is null)
            {
                inWords++;
            }
            else if (HoldsAddedTokens(row, tokenizer))
            {
                skipped++;
            }
            else
            {
                kept.Add(new VerlRow { Prompt = ChatMlMessages.Of(format.Render(row.Conversation, row.Tools, addGenerationPrompt: true)), RewardModel = new VerlTruth { GroundTruth = row.AnswerJson }, ExtraInfo = new VerlExtra { Split = split, Index = index } });
            }

            index++;
        }

        return new Rows(kept, inWords, skipped);
    }

    private static async Task WriteRowsAsync(string file, List<VerlRow> rows, CancellationToken cancellationToken)
    {
        FileStream stream = File.Create(file);
        await using (stream.ConfigureAwait(false))
        {
            await ParquetSerializer.SerializeAsync(rows, stream, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool HoldsAddedTokens(TrainingRow row, Tokenizer tokenizer) =>
        row.Conversation.SelectMany(message => message.ToolCalls.Select(call => call.Arguments).Append(message.Content))
            .Concat(row.Tools.Select(tool => tool.FunctionJson))
            .Any(text => text is not null && !tokenizer.EncodePrompt(text).AsSpan().SequenceEqual(tokenizer.Encode(text)));

    private static List<string> NotCarried(GrpoConfig config)
    {
        static void Refuse(bool given, string field, string why)
        {
            if (given)
            {
                throw new NotSupportedException($"Field '{field}': {why}.");
            }
        }

        List<string> notes = [];
        void Note(bool differs, string fields, string what)
        {
            if (differs)
            {
                notes.Add($"{fields}: {what}");
            }
        }

        // 1. What would be another loss or another course of the learning rate.
        PolicyLossOptions loss = config.Loss;
        bool isSequence = loss.Ratio == RatioLevel.Sequence;
        Refuse(loss.AdvantageScale == AdvantageScale.Batch, "loss.advantage_scale", "verl's GRPO scales by group or not at all");
        Refuse(isSequence && loss.Objective == PolicyObjective.Cispo, "loss.ratio", "verl's cispo has a ratio for each token");
        Refuse(config.Schedule.Kind == LearningRateDecay.Linear, "schedule.kind", "verl knows 'constant' and 'cosine'");

        // 2. What differs in smaller things.
        bool movesRate = config.Schedule.WarmupFraction > 0 || config.Schedule.Kind != LearningRateDecay.Constant;
        GrpoReward reward = new();
        Note(loss.DropUniformGroups, "loss.drop_uniform_groups, loss.max_refills", "verl's main_ppo keeps uniform groups (its DAPO recipe filters them)");
        Note(loss.MaskTruncated, "loss.mask_truncated", "verl's main_ppo trains on responses that were cut off");
        Note(loss.Importance != ImportanceLevel.Off, "loss.importance, loss.importance_cap", "versions of verl name their rollout correction differently; set it by hand");
        Note(loss.AdvantageScale == AdvantageScale.Group && loss.AdvantageEpsilon != AdvantageEpsilon, "loss.advantage_epsilon", $"verl's is {Number(AdvantageEpsilon)}");
        Note(isSequence && loss.Aggregation != LossAggregation.SequenceMean, "loss.aggregation", "verl's gspo always weighs every response the same, as sequence_mean does");
        Note(isSequence && loss.DualClip is not null, "loss.dual_clip", "verl's gspo has none");
        Note(movesRate, "schedule", "verl moves the learning rate once a step, not once an update, and warms up from 0");
        Note(config.Optimizer.WeightDecay > 0, "optimizer.weight_decay", "verl's AdamW decays norms and biases too");
        Note(
            (config.Reward.Kind, config.Reward.RequireThink, config.Reward.LenientNumbers) != (reward.Kind, reward.RequireThink, reward.LenientNumbers),
            "evaluation", "verl scores held-out rows by the training reward, not by exact match");
        Note(
            (config.Reward.TimeLimitSeconds, config.Reward.Workers) != (reward.TimeLimitSeconds, reward.Workers),
            "reward.time_limit_seconds, reward.workers", "verl's reward workers have settings of their own");
        Note(config.DType == "float32", "dtype", "verl computes in bfloat16");
        Note(config.ExportDType != "auto", "export_dtype", "verl's model merger decides");
        Note(config.Engine != new GrpoEngine(), "engine", "verl's rollout engine has settings of its own");
        Note(true, "alarms", "verl has none");
        Note(true, "checkpoints.keep", "verl keeps the newest, and not the best beside them");
        Note(config.SamplesLogged > 0, "samples_logged", "set trainer.rollout_data_dir to have verl write all responses");
        Note(config.Seed != 1, "seed", "verl's samplers are not seeded by it");
        return notes;
    }

    private static string Script(GrpoConfig config, List<string> notCarried, int nodes, int gpusPerNode)
    {
        PolicyLossOptions loss = config.Loss;

        // Both clamp the cispo ratio, verl by the clip's two ends: from 0 to the cap.
        bool isCispo = loss.Objective == PolicyObjective.Cispo;
        List<(string Key, object Value)> settings =
        [
            ("algorithm.adv_estimator", "grpo"),
            ("algorithm.norm_adv_by_std_in_grpo", loss.AdvantageScale == AdvantageScale.Group),
            ("algorithm.use_kl_in_reward", false),
            ("data.train_files", "$HERE/train.parquet"),
            ("data.val_files", "$HERE/validation.parquet"),
            ("data.train_batch_size", config.PromptsPerStep),
            ("data.max_prompt_length", config.MaxPromptTokens),
            ("data.max_response_length", config.MaxResponseTokens),
            ("data.filter_overlong_prompts", true),
            ("actor_rollout_ref.model.path", "$MODEL"),
            ("actor_rollout_ref.model.use_remove_padding", true),
            ("actor_rollout_ref.model.enable_gradient_checkpointing", config.RecomputeActivations),
            ("actor_rollout_ref.actor.optim.lr", config.Optimizer.LearningRate),
            ("actor_rollout_ref.actor.optim.weight_decay", config.Optimizer.WeightDecay),
            ("actor_rollout_ref.actor.optim.betas", $"[{Number(config.Optimizer.Beta1)},{Number(config.Optimizer.Beta2)}]"),
            ("actor_rollout_ref.actor.optim.override_optimizer_config", $"{{eps:{Number(config.Optimizer.Epsilon)}}}"),
            ("actor_rollout_ref.actor.optim.lr_scheduler_type", config.Schedule.Kind == LearningRateDecay.Cosine ? "cosine" : "constant"),
            ("actor_rollout_ref.actor.optim.lr_warmup_steps_ratio", config.Schedule.WarmupFraction),
            ("actor_rollout_ref.actor.optim.min_lr_ratio", config.Schedule.Minimum),
            ("actor_rollout_ref.actor.grad_clip", config.ClipNorm),
            ("actor_rollout_ref.actor.ppo_mini_batch_size", config.MiniBatchPrompts ?? config.PromptsPerStep),
            ("actor_rollout_ref.actor.ppo_epochs", config.PassesPerStep),
            ("actor_rollout_ref.actor.use_dynamic_bsz", true),
            ("actor_rollout_ref.actor.ppo_max_token_len_per_gpu", Math.Max(config.MicroBatchTokens, (long)config.MaxPromptTokens + config.MaxResponseTokens)),
            ("actor_rollout_ref.actor.clip_ratio_low", isCispo ? 1.0 : loss.ClipLow),
            ("actor_rollout_ref.actor.clip_ratio_high", isCispo ? loss.CispoCap - 1 : loss.ClipHigh),
            ("actor_rollout_ref.actor.clip_ratio_c", loss.DualClip ?? NoDualClip),
            ("actor_rollout_ref.actor.entropy_coeff", 0),
            ("actor_rollout_ref.actor.use_kl_loss", loss.KlCoefficient > 0),
            ("actor_rollout_ref.actor.kl_loss_coef", loss.KlCoefficient),
            ("actor_rollout_ref.actor.kl_loss_type", "low_var_kl"),
            ("actor_rollout_ref.actor.loss_agg_mode", loss.Aggregation switch
            {
                LossAggregation.TokenMean => "token-mean",
                LossAggregation.SequenceMean => "seq-mean-token-mean",
                LossAggregation.SequenceSum => "seq-mean-token-sum",
                _ => "seq-mean-token-sum-norm",
            }),
            ("actor_rollout_ref.actor.policy_loss.loss_mode", loss.Ratio == RatioLevel.Sequence ? "gspo" : isCispo ? "cispo" : "vanilla"),
            ("actor_rollout_ref.rollout.name", "vllm"),
            ("actor_rollout_ref.rollout.tensor_model_parallel_size", 1),
            ("actor_rollout_ref.rollout.n", config.GroupSize),
            ("actor_rollout_ref.rollout.temperature", config.Sampling.Temperature),
            ("actor_rollout_ref.rollout.top_p", config.Sampling.TopP),
            ("actor_rollout_ref.rollout.top_k", config.Sampling.TopK == 0 ? -1 : config.Sampling.TopK),
            ("actor_rollout_ref.rollout.val_kwargs.do_sample", false),
            ("actor_rollout_ref.rollout.log_prob_use_dynamic_bsz", true),
            ("actor_rollout_ref.ref.log_prob_use_dynamic_bsz", true),
            ("custom_reward_function.path", "$HERE/tool_call_reward.py"),
            ("custom_reward_function.name", "compute_score"),
            ("trainer.nnodes", nodes),
            ("trainer.n_gpus_per_node", gpusPerNode),
            ("trainer.logger", "[console]"),
            ("trainer.save_freq", config.Checkpoints.EverySteps),
            ("trainer.max_actor_ckpt_to_keep", config.Checkpoints.Keep),
            ("trainer.test_freq", config.Evaluation.EverySteps),
            ("trainer.val_before_train", true),
            ("trainer.project_name", "tooln1"),
            ("trainer.experiment_name", "$NAME"),
            ("trainer.default_local_dir", "$HERE/checkpoints"),
        ];
        if (loss.Aggregation == LossAggregation.DrGrpo)
        {
            settings.Add(("actor_rollout_ref.actor.loss_scale_factor", config.MaxResponseTokens));
        }

        if (config.Lora is GrpoLora lora)
        {
            settings.Add(("actor_rollout_ref.model.lora_rank", lora.Rank));
            settings.Add(("actor_rollout_ref.model.lora_alpha", lora.Alpha));
            settings.Add(("actor_rollout_ref.model.target_modules", $"[{string.Join(',', lora.Targets)}]"));

            // Only the adapter is handed to the rollout engine, which must read the base itself.
            settings.Add(("actor_rollout_ref.rollout.load_format", "safetensors"));
        }

        // verl ends at whichever comes first; an epoch has at least a step.
        settings.Add(("trainer.total_epochs", config.Epochs ?? config.Steps!.Value));
        if (config.Steps is int steps)
        {
            settings.Add(("trainer.total_training_steps", steps));
        }

        StringBuilder text = new();
        text.Append("#!/usr/bin/env bash\n");
        text.Append("# Written by `tooln1 export verl`. MODEL is the Hugging Face folder or name to start from; verl and its vLLM must be installed.\n");
        foreach (string note in notCarried)
        {
            text.Append("# Not carried over: ").Append(note).Append(".\n");
        }

        text.Append("set -euo pipefail\n");
        text.Append("HERE=\"$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\"\n");
        text.Append("MODEL=\"${MODEL:?set MODEL to the model to start from}\"\n");
        text.Append("NAME=\"${NAME:-grpo}\"\n\n");
        text.Append("python3 -m verl.trainer.main_ppo");
        foreach ((string key, object value) in settings)
        {
            string shown = value switch { bool flag => flag ? "True" : "False", double number => Number(number), _ => Convert.ToString(value, CultureInfo.InvariantCulture)! };
            text.Append(" \\\n    \"").Append(key).Append('=').Append(shown).Append('"');
        }

        return text.Append(" \\\n    \"$@\"\n").ToString();
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed record Rows(List<VerlRow> Kept, int InWords, int Skipped);
}

/// <summary>What was exported.</summary>
/// <param name="TrainRows">Rows to learn from.</param>
/// <param name="ValidationRows">Held-out rows.</param>
/// <param name="RowsInWords">Rows left out because they are answered in words, which the reward cannot judge.</param>
/// <param name="SkippedRows">Rows left out because their texts spell added tokens, which would become control tokens elsewhere and never do here.</param>
/// <param name="NotCarried">Values of the run that verl's script does not know.</param>
public sealed record VerlExportReport(int TrainRows, int ValidationRows, int RowsInWords, int SkippedRows, IReadOnlyList<string> NotCarried);
