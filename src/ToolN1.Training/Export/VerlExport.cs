using System.Globalization;
using System.Text;
using Parquet.Serialization;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Grpo;

namespace ToolN1.Training.Export;

/// <summary>
/// Writes what a GRPO run needs on verl, the trainer that the paper's own code is built on: rows as parquet, the reward as
/// Python, and a script with the run's hyperparameters. For models and machines beyond this trainer.
/// </summary>
public static class VerlExport
{
    private const string RewardResource = "ToolN1.Training.Export.tool_call_reward.py";

    /// <summary>Writes the folder.</summary>
    /// <param name="config">The run; its <c>model</c> needs a tokenizer only.</param>
    /// <param name="folder">Made where it does not exist; files of these names are replaced.</param>
    /// <param name="nodes">Machines.</param>
    /// <param name="gpusPerNode">GPUs of each.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="TrainingDataException">A line of the data is not a row.</exception>
    /// <exception cref="NotSupportedException">The model's turns are not ChatML, or a value of the run has no counterpart; names it.</exception>
    public static async Task<VerlExportReport> WriteAsync(GrpoConfig config, string folder, int nodes, int gpusPerNode, CancellationToken cancellationToken)
    {
        // 1. What has no counterpart is refused or told, never left out silently.
        IReadOnlyList<string> notCarried = NotCarried(config);
        string script = Script(config, nodes, gpusPerNode);

        // 2. Rows.
        Tokenizer tokenizer = Tokenizer.Load(config.Model);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, config.Model, tokenizer);
        Directory.CreateDirectory(folder);
        (int train, int skippedTrain) = await WriteRowsAsync(Path.Combine(folder, "train.parquet"), "train", config.Data, tokenizer, format, cancellationToken).ConfigureAwait(false);
        if (config.Evaluation.Data.Count == 0)
        {
            throw new NotSupportedException("Field 'evaluation.data' must name held-out rows: verl wants a validation file.");
        }

        (int validation, int skippedValidation) = await WriteRowsAsync(Path.Combine(folder, "validation.parquet"), "validation", config.Evaluation.Data, tokenizer, format, cancellationToken).ConfigureAwait(false);

        // 3. Reward and script.
        await File.WriteAllTextAsync(Path.Combine(folder, "tool_call_reward.py"), RewardPython(config.Reward), cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder, "run.sh"), script, cancellationToken).ConfigureAwait(false);
        return new VerlExportReport(train, validation, skippedTrain + skippedValidation, notCarried);
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

    private static async Task<(int Written, int Skipped)> WriteRowsAsync(string file, string split, IReadOnlyList<string> data, Tokenizer tokenizer, IChatFormat format, CancellationToken cancellationToken)
    {
        List<VerlRow> rows = [];
        int skipped = 0;
        long index = 0;
        foreach (TrainingRow row in data.SelectMany(TrainingRowReader.Read))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!HoldsAddedTokens(row, tokenizer))
            {
                rows.Add(new VerlRow { Prompt = ChatMlMessages.Of(format.Render(row.Conversation, row.Tools, addGenerationPrompt: true)), RewardModel = new VerlTruth { GroundTruth = row.AnswerJson }, ExtraInfo = new VerlExtra { Split = split, Index = index } });
            }
            else
            {
                skipped++;
            }

            index++;
        }

        if (rows.Count == 0)
        {
            throw new TrainingDataException(string.Join(", ", data), 0, "there is no row to export");
        }

        FileStream stream = File.Create(file);
        await using (stream.ConfigureAwait(false))
        {
            await ParquetSerializer.SerializeAsync(rows, stream, cancellationToken: cancellationToken).ConfigureAwait(false);
        }

        return (rows.Count, skipped);
    }

    private static bool HoldsAddedTokens(TrainingRow row, Tokenizer tokenizer) =>
        row.Conversation.SelectMany(message => message.ToolCalls.Select(call => call.Arguments).Append(message.Content))
            .Concat(row.Tools.Select(tool => tool.FunctionJson))
            .Any(text => text is not null && !tokenizer.EncodePrompt(text).AsSpan().SequenceEqual(tokenizer.Encode(text)));

    private static List<string> NotCarried(GrpoConfig config)
    {
        if (config.Loss.AdvantageScale == AdvantageScale.Batch)
        {
            throw new NotSupportedException("Field 'loss.advantage_scale': verl's GRPO scales by group or not at all.");
        }

        List<string> notes = [];
        void Note(bool differs, string field, string what)
        {
            if (differs)
            {
                notes.Add($"{field}: {what}");
            }
        }

        Note(config.Loss.DropUniformGroups, "loss.drop_uniform_groups, loss.max_refills", "verl's main_ppo keeps uniform groups (its DAPO recipe filters them)");
        Note(config.Loss.MaskTruncated, "loss.mask_truncated", "verl's main_ppo trains on responses that were cut off");
        Note(config.Loss.Importance != ImportanceLevel.Off, "loss.importance", "versions of verl name their rollout correction differently; set it by hand");
        Note(config.Alarms.KlCeiling is not null, "alarms", "verl has no alarms");
        Note(config.Seed != 1, "seed", "verl's samplers are not seeded by it");
        return notes;
    }

    private static string Script(GrpoConfig config, int nodes, int gpusPerNode)
    {
        PolicyLossOptions loss = config.Loss;
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
            ("actor_rollout_ref.actor.optim.lr_warmup_steps_ratio", config.Schedule.WarmupFraction),
            ("actor_rollout_ref.actor.grad_clip", config.ClipNorm),
            ("actor_rollout_ref.actor.ppo_mini_batch_size", config.MiniBatchPrompts ?? config.PromptsPerStep),
            ("actor_rollout_ref.actor.ppo_epochs", config.PassesPerStep),
            ("actor_rollout_ref.actor.use_dynamic_bsz", true),
            ("actor_rollout_ref.actor.ppo_max_token_len_per_gpu", Math.Max(config.MicroBatchTokens, config.MaxPromptTokens + config.MaxResponseTokens)),
            ("actor_rollout_ref.actor.clip_ratio_low", loss.ClipLow),
            ("actor_rollout_ref.actor.clip_ratio_high", loss.ClipHigh),
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
            ("actor_rollout_ref.actor.policy_loss.loss_mode", loss.Ratio == RatioLevel.Sequence ? "gspo" : loss.Objective == PolicyObjective.Cispo ? "cispo" : "vanilla"),
            ("actor_rollout_ref.rollout.name", "vllm"),
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
            ("trainer.save_freq", config.Checkpoints.EverySteps),
            ("trainer.test_freq", config.Evaluation.EverySteps),
            ("trainer.val_before_train", true),
            ("trainer.project_name", "tooln1"),
            ("trainer.experiment_name", "$NAME"),
            ("trainer.default_local_dir", "$HERE/checkpoints"),
        ];
        if (loss.DualClip is double dual)
        {
            settings.Add(("actor_rollout_ref.actor.clip_ratio_c", dual));
        }

        if (config.Lora is GrpoLora lora)
        {
            settings.Add(("actor_rollout_ref.model.lora_rank", lora.Rank));
            settings.Add(("actor_rollout_ref.model.lora_alpha", lora.Alpha));
            settings.Add(("actor_rollout_ref.model.target_modules", $"[{string.Join(',', lora.Targets)}]"));
        }

        settings.Add(config.Steps is int steps ? ("trainer.total_training_steps", steps) : ("trainer.total_epochs", config.Epochs!.Value));
        StringBuilder text = new();
        text.Append("#!/usr/bin/env bash\n");
        text.Append("# Written by `tooln1 export verl`. MODEL is the Hugging Face folder or name to start from; verl and its vLLM must be installed.\n");
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
}

/// <summary>What was exported.</summary>
/// <param name="TrainRows">Rows to learn from.</param>
/// <param name="ValidationRows">Held-out rows.</param>
/// <param name="SkippedRows">Rows whose texts spell added tokens, which would become control tokens elsewhere and never do here.</param>
/// <param name="NotCarried">Values of the run that verl's script does not know.</param>
public sealed record VerlExportReport(int TrainRows, int ValidationRows, int SkippedRows, IReadOnlyList<string> NotCarried);
