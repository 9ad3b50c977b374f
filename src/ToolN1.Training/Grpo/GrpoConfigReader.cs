using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ToolN1.Engine.Model;
using ToolN1.Training.Optimizers;

namespace ToolN1.Training.Grpo;

/// <summary>Reads and checks the configuration of a GRPO run.</summary>
public static class GrpoConfigReader
{
    // Far beyond what anybody means, and what a run counts still fits an int.
    private const int MaxPasses = 100;
    private const int MaxResponses = 1 << 24;

    private static readonly JsonDocumentOptions DocumentOptions = new() { CommentHandling = JsonCommentHandling.Skip, AllowDuplicateProperties = false };

    /// <summary>Reads a file. Relative paths in it are relative to the current directory.</summary>
    /// <exception cref="TrainingConfigException">The file is not JSON, a field is unknown or missing, or a value is out of range; names file and field.</exception>
    public static GrpoConfig Read(string file)
    {
        try
        {
            return Parse(File.ReadAllText(file), file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TrainingConfigException(file, "cannot be read: " + error.Message, error);
        }
    }

    /// <summary>Reads a text.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="file">Named in errors.</param>
    /// <exception cref="TrainingConfigException">As <see cref="Read"/>.</exception>
    public static GrpoConfig Parse(string json, string file)
    {
        try
        {
            // 1. The file's values over its profile's.
            if (JsonNode.Parse(json, documentOptions: DocumentOptions) is not JsonObject own)
            {
                throw new TrainingConfigException(file, "is not a JSON object.");
            }

            string profile = own["profile"] is JsonValue value && value.TryGetValue(out string? name) ? name : GrpoProfiles.Default;
            if (!GrpoProfiles.Names.Contains(profile))
            {
                throw new TrainingConfigException(file, $"field 'profile' must be one of {string.Join(", ", GrpoProfiles.Names)}.");
            }

            JsonObject merged = GrpoProfiles.Values(profile, own["lora"] is JsonObject);
            Merge(merged, own);
            if (own["steps"] is null && own["epochs"] is null)
            {
                (string field, int length) = GrpoProfiles.Length(profile);
                merged[field] = length;
            }

            // 2. Types, then ranges.
            GrpoConfig config = merged.Deserialize<GrpoConfig>(GrpoConfigJson.Options)!;
            if (config.MiniBatchPrompts > config.PromptsPerStep && !own.ContainsKey("mini_batch_prompts"))
            {
                // A profile's mini-batches are for its own steps: a smaller step is one.
                config = config with { MiniBatchPrompts = null };
            }

            Validate(config, file);
            return config;
        }
        catch (JsonException error)
        {
            throw new TrainingConfigException(file, $"field '{error.Path}': {error.Message}", error);
        }
    }

    /// <summary>The configuration with every value, as JSON.</summary>
    public static string Write(GrpoConfig config) => JsonSerializer.Serialize(config, GrpoConfigJson.Options);

    /// <summary>Checks every value.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="file">Named in errors.</param>
    /// <exception cref="TrainingConfigException">A value is out of range.</exception>
    public static void Validate(GrpoConfig config, string file)
    {
        void Check(bool holds, string field, string what)
        {
            if (!holds)
            {
                throw new TrainingConfigException(file, $"field '{field}' must be {what}.");
            }
        }

        static bool IsFraction(double value) => value is >= 0 and <= 1;
        static bool IsPositive(double value) => double.IsFinite(value) && value > 0;
        static bool IsNatural(double value) => double.IsFinite(value) && value >= 0;

        // 1. What is trained on what.
        Check(config.Output.Length > 0, "output", "a folder");
        Check(config.Model.Length > 0, "model", "a Hugging Face folder");
        Check(config.ChatFormat is "auto" or "tool-n1" or "hermes", "chat_format", "'auto', 'tool-n1' or 'hermes'");
        Check(config.Data.Count > 0 && config.Data.All(file => file is { Length: > 0 }), "data", "a list of at least one file");
        Check((config.Steps is null) != (config.Epochs is null), "steps", "given, or 'epochs', but not both");
        Check(config.Steps is null or > 0, "steps", "positive");
        Check(config.Epochs is null or > 0, "epochs", "positive");
        Check(config.PromptsPerStep > 0, "prompts_per_step", "positive");
        Check(config.GroupSize >= 2, "group_size", "at least 2: advantages compare the responses of a group");
        Check(config.MiniBatchPrompts is null || (config.MiniBatchPrompts > 0 && config.MiniBatchPrompts <= config.PromptsPerStep), "mini_batch_prompts", "positive and at most prompts_per_step");
        Check(config.PassesPerStep is > 0 and <= MaxPasses, "passes_per_step", $"between 1 and {MaxPasses}");
        Check((long)config.PromptsPerStep * config.GroupSize <= MaxResponses, "prompts_per_step", $"small enough that a step has at most {MaxResponses} responses");
        Check(config.Steps is not int steps || HasUpdates(config, steps), "steps", $"small enough that a run has at most {int.MaxValue} updates");
        Check(config.MaxPromptTokens > 0, "max_prompt_tokens", "positive");
        Check(config.MaxResponseTokens > 0, "max_response_tokens", "positive");

        // 2. Sampling and reward.
        Check(config.Sampling.Temperature is > 0 and <= 2, "sampling.temperature", "greater than 0 and at most 2");
        Check(config.Sampling.TopP is > 0 and <= 1, "sampling.top_p", "greater than 0 and at most 1");
        Check(config.Sampling.TopK >= 0, "sampling.top_k", "0 or greater");
        Check(config.Reward.Kind is "binary" or "partial", "reward.kind", "'binary' or 'partial'");
        Check(IsPositive(config.Reward.TimeLimitSeconds) && config.Reward.TimeLimitSeconds <= 3600, "reward.time_limit_seconds", "positive and at most 3600");
        Check(config.Reward.Workers > 0, "reward.workers", "positive");

        // 3. Loss.
        PolicyLossOptions loss = config.Loss;
        Check(loss.ClipLow is > 0 and < 1, "loss.clip_low", "between 0 and 1");
        Check(IsPositive(loss.ClipHigh), "loss.clip_high", "positive");
        Check(loss.DualClip is null || (loss.DualClip > 1 && double.IsFinite(loss.DualClip.Value)), "loss.dual_clip", "greater than 1");
        Check(loss.DualClip is null || loss.Objective == PolicyObjective.Clipped, "loss.dual_clip", "left out with loss.objective 'cispo', which clips no loss");
        Check(loss.CispoCap >= 1 && double.IsFinite(loss.CispoCap), "loss.cispo_cap", "at least 1");
        Check(loss.CispoCap == PolicyLossOptions.DefaultCispoCap || loss.Objective == PolicyObjective.Cispo, "loss.cispo_cap", "left out unless loss.objective is 'cispo'");
        Check(IsPositive(loss.AdvantageEpsilon), "loss.advantage_epsilon", "positive");
        Check(loss.AdvantageEpsilon == PolicyLossOptions.DefaultAdvantageEpsilon || loss.AdvantageScale != AdvantageScale.None, "loss.advantage_epsilon", "left out with loss.advantage_scale 'none', which divides by nothing");
        Check(IsNatural(loss.KlCoefficient), "loss.kl_coefficient", "0 or greater");
        Check(loss.ImportanceCap >= 1 && double.IsFinite(loss.ImportanceCap), "loss.importance_cap", "at least 1");
        Check(loss.ImportanceCap == PolicyLossOptions.DefaultImportanceCap || loss.Importance != ImportanceLevel.Off, "loss.importance_cap", "left out unless loss.importance is 'token' or 'sequence'");
        Check(loss.MaxRefills is >= 0 and <= 100, "loss.max_refills", "between 0 and 100");

        // 4. Optimisation.
        GrpoOptimizer optimizer = config.Optimizer;
        Check(IsPositive(optimizer.LearningRate), "optimizer.learning_rate", "positive");
        Check(optimizer.Beta1 is >= 0 and < 1, "optimizer.beta1", "from 0 and below 1");
        Check(optimizer.Beta2 is >= 0 and < 1, "optimizer.beta2", "from 0 and below 1");
        Check(IsPositive(optimizer.Epsilon), "optimizer.epsilon", "positive");
        Check(IsFraction(optimizer.WeightDecay), "optimizer.weight_decay", "between 0 and 1");
        Check(IsFraction(config.Schedule.WarmupFraction), "schedule.warmup_fraction", "between 0 and 1");
        Check(IsFraction(config.Schedule.Minimum), "schedule.minimum", "between 0 and 1");
        Check(config.Schedule.Minimum == 0 || config.Schedule.Kind != LearningRateDecay.Constant, "schedule.minimum", "left out unless schedule.kind is 'linear' or 'cosine'");
        Check(IsPositive(config.ClipNorm), "clip_norm", "positive");
        if (config.Lora is GrpoLora lora)
        {
            Check(lora.Rank > 0, "lora.rank", "positive");
            Check(IsPositive(lora.Alpha), "lora.alpha", "positive");
            Check(
                lora.Targets.Count > 0 && lora.Targets.All(target => LoraAdapter.ProjectionNames.Contains(target)) && lora.Targets.Distinct(StringComparer.Ordinal).Count() == lora.Targets.Count,
                "lora.targets", $"different ones of {string.Join(", ", LoraAdapter.ProjectionNames)}");
        }

        Check(config.MicroBatchTokens > 0, "micro_batch_tokens", "positive");
        Check(config.DType is "auto" or "float32" or "bfloat16", "dtype", "'auto', 'float32' or 'bfloat16'");

        Check(config.ExportDType is "auto" or "float32" or "bfloat16", "export_dtype", "'auto', 'float32' or 'bfloat16'");

        // 5. Engine, alarms, cadence.
        GrpoEngine engine = config.Engine;
        Check(engine.Device is "auto" or "cpu" or "cuda" || (engine.Device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(engine.Device.AsSpan(5), out int index) && index >= 0), "engine.device", "'auto', 'cpu', 'cuda' or 'cuda:N'");
        Check(engine.DType is "auto" or "float32" or "bfloat16", "engine.dtype", "'auto', 'float32' or 'bfloat16'");
        Check(engine.KvCacheMib is null or > 0, "engine.kv_cache_mib", "positive");
        Check(engine.MaxSequences is null or > 0, "engine.max_sequences", "positive");
        Check(engine.MaxBatchedTokens is null or > 0, "engine.max_batched_tokens", "positive");
        int sequences = GrpoEngineOptions.MaxSequencesOf(config);
        Check(engine.MaxBatchedTokens is not int batched || batched >= sequences, "engine.max_batched_tokens", $"at least the {sequences} sequences that run at once (engine.max_sequences): each takes a token of a step");
        Check(engine.LiveShare is >= 0 and < 1, "engine.live_share", "from 0 and below 1");
        Check(config.Alarms.KlCeiling is null || IsPositive(config.Alarms.KlCeiling.Value), "alarms.kl_ceiling", "positive");
        Check(
            config.Alarms.KlCeiling is null or GrpoAlarms.DefaultKlCeiling || config.HasReference,
            "alarms.kl_ceiling", "left out where all weights are trained with loss.kl_coefficient 0: there is no reference policy to measure a KL to");
        Check(IsFraction(config.Alarms.ClippedResponses), "alarms.clipped_responses", "between 0 and 1");
        Check(IsPositive(config.Alarms.LogProbGap), "alarms.log_prob_gap", "positive");
        Check(config.Alarms.MaxNonFiniteUpdates >= 0, "alarms.max_non_finite_updates", "0 or greater");
        Check(config.Evaluation.Data.All(file => file is { Length: > 0 }), "evaluation.data", "a list of files");
        Check(config.Evaluation.EverySteps > 0, "evaluation.every_steps", "positive");
        Check(config.Evaluation.MaxRows > 0, "evaluation.max_rows", "positive");
        Check(config.Checkpoints.EverySteps > 0, "checkpoints.every_steps", "positive");
        Check(config.Checkpoints.Keep > 0, "checkpoints.keep", "positive");
        Check(config.SamplesLogged >= 0, "samples_logged", "0 or greater");
    }

    /// <summary>Whether so many steps have updates that can be counted.</summary>
    internal static bool HasUpdates(GrpoConfig config, double steps) => steps * GrpoStepPlan.NominalUpdates(config) <= int.MaxValue;

    private static void Merge(JsonObject target, JsonObject own)
    {
        foreach ((string name, JsonNode? value) in own)
        {
            if (value is JsonObject part && target[name] is JsonObject inner)
            {
                Merge(inner, part);
            }
            else
            {
                target[name] = value?.DeepClone();
            }
        }
    }
}

/// <summary>Strict JSON of the configuration: snake_case, unknown names refused.</summary>
/// <remarks>By reflection: generated readers give absent init-only properties the type's default instead of the record's own.</remarks>
internal static class GrpoConfigJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters =
        {
            new JsonStringEnumConverter<LearningRateDecay>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<PolicyObjective>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<RatioLevel>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<ImportanceLevel>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<LossAggregation>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<AdvantageScale>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
        },
    };
}
