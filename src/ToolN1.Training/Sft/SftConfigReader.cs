using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Training.Optimizers;

namespace ToolN1.Training.Sft;

/// <summary>Reads and checks the configuration of a supervised run.</summary>
public static class SftConfigReader
{
    /// <summary>Reads a file. Relative paths in it are relative to the current directory.</summary>
    /// <exception cref="TrainingConfigException">The file is not JSON, a field is unknown or missing, or a value is out of range; names file and field.</exception>
    public static SftConfig Read(string file)
    {
        try
        {
            SftConfig config = JsonSerializer.Deserialize<SftConfig>(File.ReadAllBytes(file), SftConfigJson.Options)
                ?? throw new TrainingConfigException(file, "is null.");
            Validate(config, file);
            return config;
        }
        catch (JsonException error)
        {
            throw new TrainingConfigException(file, $"field '{error.Path}': {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TrainingConfigException(file, "cannot be read: " + error.Message, error);
        }
    }

    /// <summary>Checks every value.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="file">Named in errors.</param>
    /// <exception cref="TrainingConfigException">A value is out of range.</exception>
    public static void Validate(SftConfig config, string file)
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

        Check(config.Output.Length > 0, "output", "a folder");
        Check((config.Init.From is null) != (config.Init.Shape is null), "init", "given with exactly one of 'from' and 'shape'");
        Check(config.Init.Shape is null || config.Init.Tokenizer is not null, "init.tokenizer", "given with 'shape'");
        if (config.Init.Shape is SftShape shape)
        {
            Check(shape.HiddenSize > 0, "init.shape.hidden_size", "positive");
            Check(shape.IntermediateSize > 0, "init.shape.intermediate_size", "positive");
            Check(shape.Layers > 0, "init.shape.layers", "positive");
            Check(shape.Heads > 0, "init.shape.heads", "positive");
            Check(shape.KeyValueHeads > 0 && shape.Heads % shape.KeyValueHeads == 0, "init.shape.key_value_heads", "a divisor of heads");
            Check(shape.HeadDim is null ? shape.HiddenSize % (2 * shape.Heads) == 0 : shape.HeadDim > 0 && shape.HeadDim % 2 == 0, "init.shape.head_dim", "even and positive, or hidden_size an even multiple of heads");
            Check(shape.VocabularySize is null or > 0, "init.shape.vocabulary_size", "positive");
            Check(IsPositive(shape.RopeTheta), "init.shape.rope_theta", "positive");
            Check(shape.MaxPositionEmbeddings > 0, "init.shape.max_position_embeddings", "positive");
            Check(IsPositive(shape.InitialStd), "init.shape.initial_std", "positive");
        }

        Check(config.Phases.Count > 0, "phases", "a list of at least one phase");
        for (int i = 0; i < config.Phases.Count; i++)
        {
            SftPhase phase = config.Phases[i];
            Check(phase is not null, $"phases[{i}]", "a phase");
            Check(phase!.Data.Count > 0 && phase.Data.All(file => file is { Length: > 0 }), $"phases[{i}].data", "a list of at least one file");
            Check(phase.Steps > 0, $"phases[{i}].steps", "positive");
            Check(phase.Prompt is "full" or "short", $"phases[{i}].prompt", "'full' or 'short'");
            Check(phase.MaxTokens > 1, $"phases[{i}].max_tokens", "greater than 1");
            Check(phase.MaxTools is null or >= 0, $"phases[{i}].max_tools", "0 or greater");
        }

        SftOptimizer optimizer = config.Optimizer;
        Check(optimizer.Kind is "muon" or "adamw", "optimizer.kind", "'muon' or 'adamw'");
        Check(IsPositive(optimizer.LearningRate), "optimizer.learning_rate", "positive");
        Check(optimizer.Beta1 is >= 0 and < 1, "optimizer.beta1", "from 0 and below 1");
        Check(optimizer.Beta2 is >= 0 and < 1, "optimizer.beta2", "from 0 and below 1");
        Check(IsPositive(optimizer.Epsilon), "optimizer.epsilon", "positive");
        Check(IsFraction(optimizer.WeightDecay), "optimizer.weight_decay", "between 0 and 1");
        Check(IsPositive(optimizer.MuonLearningRate), "optimizer.muon_learning_rate", "positive");
        Check(optimizer.MuonMomentum is >= 0 and < 1, "optimizer.muon_momentum", "from 0 and below 1");
        Check(config.Schedule.WarmupSteps >= 0, "schedule.warmup_steps", "0 or greater");
        Check(IsFraction(config.Schedule.Minimum), "schedule.minimum", "between 0 and 1");
        Check(config.TokensPerStep > 0, "tokens_per_step", "positive");
        Check(config.RowsPerStep is null or > 0, "rows_per_step", "positive");
        Check(config.MicroBatchTokens > 0, "micro_batch_tokens", "positive");
        Check(config.Lanes is null or (> 0 and <= 1024), "lanes", "from 1 to 1024");
        Check(config.SharedPrefixRows > 0, "shared_prefix_rows", "positive");
        Check(IsFraction(config.PromptLossWeight), "prompt_loss_weight", "between 0 and 1");
        Check(IsFraction(config.PromptLossFraction), "prompt_loss_fraction", "between 0 and 1");
        Check(IsPositive(config.ClipNorm), "clip_norm", "positive");
        Check(config.DType is "auto" or "float32" or "bfloat16", "dtype", "'auto', 'float32' or 'bfloat16'");
        Check(config.Device is "cpu" or "cuda" || (config.Device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(config.Device.AsSpan(5), out int index) && index >= 0), "device", "'cpu', 'cuda' or 'cuda:N'");
        Check(config.CheckpointEverySteps > 0, "checkpoint_every_steps", "positive");
        Check(config.KeepCheckpoints > 0, "keep_checkpoints", "positive");
        Check(config.LogEverySteps > 0, "log_every_steps", "positive");
        Check(config.MaxNonFiniteSteps >= 0, "max_non_finite_steps", "0 or greater");
        Check(config.ChatFormat is "tool-n1" or "hermes", "chat_format", "'tool-n1' or 'hermes'");
    }
}

/// <summary>Strict JSON of the configuration: snake_case, unknown and duplicate names refused.</summary>
/// <remarks>By reflection: generated readers give absent init-only properties the type's default instead of the record's own.</remarks>
internal static class SftConfigJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter<LearningRateDecay>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };
}
