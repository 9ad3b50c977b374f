using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>
/// Settings of a reinforcement job, resolved: OpenAI's hyperparameters as the numbers that they became, every value of the run
/// under the name that <see cref="GrpoConfig"/> gives it, and the grader.
/// </summary>
internal sealed class ReinforcementSettings
{
    /// <summary>Tokens of a turn: a fifth of a second for the embedded model on two cores, and no longer pause for requests.</summary>
    private const int TurnTokens = 1024;

    /// <summary>The learning rate at a width of 256; wider models take proportionally less.</summary>
    private const double BaseLearningRate = 5e-5;

    /// <summary>What an adapter takes more than whole weights: PEFT's and TRL's recipes have ten times.</summary>
    private const double LoraFactor = 10;

    // Names that are OpenAI's, or shared with supervised jobs, and where the run has them.
    private static readonly (string Name, string Section, string Field)[] Renamed =
    [
        ("n_epochs", "", "epochs"), ("batch_size", "", "prompts_per_step"), ("eval_interval", "evaluation", "every_steps"), ("eval_samples", "evaluation", "max_rows"),
        ("checkpoint_every_steps", "checkpoints", "every_steps"), ("keep_checkpoints", "checkpoints", "keep"), ("live_share", "engine", "live_share"),
    ];

    // What the server decides.
    private static readonly string[] Served = ["output", "model", "data", "chat_format", "seed", "engine", "evaluation", "checkpoints"];

    // What null says something about: one update of all prompts, no ceiling. Elsewhere it is the same as absent.
    private static readonly string[] MeaningfulNulls = ["mini_batch_prompts", "kl_ceiling"];

    // How the built-in reward judges.
    private static readonly string[] BuiltIn = ["kind", "require_think", "lenient_numbers"];

    private readonly JsonObject _hyperparameters;

    private ReinforcementSettings(JsonObject hyperparameters, JsonObject? grader, RowLengths? prompts = null) => (_hyperparameters, Grader, Prompts) = (hyperparameters, grader, prompts);

    /// <summary>The grader's definition; null judges by exactly the row's calls.</summary>
    public JsonObject? Grader { get; }

    /// <summary>What its plan knows of its prompts; null without a training file, and in jobs of before they were measured.</summary>
    public RowLengths? Prompts { get; }

    /// <summary>The same with prompts that were measured.</summary>
    public ReinforcementSettings With(RowLengths? prompts) => new(_hyperparameters, Grader, prompts);

    /// <summary>Checks what is asked and resolves what is left open.</summary>
    /// <param name="settings">The method's object, of the shape that the API checked; undefined when absent.</param>
    /// <param name="inputs">What the job trains on.</param>
    /// <param name="maxModelLength">Most tokens of prompt and answer that the engine takes.</param>
    /// <exception cref="TrainingRefusedException">Values contradict each other, the data or the model; names one.</exception>
    public static ReinforcementSettings Resolve(JsonElement settings, MethodInputs inputs, int maxModelLength)
    {
        // 1. What was given; "auto" is the same as absent, and so is nearly every null.
        JsonObject body = settings.ValueKind == JsonValueKind.Object ? JsonObject.Create(settings.Clone())! : [];
        JsonObject given = (body["hyperparameters"] as JsonObject)?.DeepClone() as JsonObject ?? [];
        RemoveNulls(given);
        foreach (string name in given.Where(item => item.Value is JsonValue value && value.TryGetValue(out string? text) && text == "auto").Select(item => item.Key).ToArray())
        {
            // The dtypes' own "auto" is their default too.
            given.Remove(name);
        }

        JsonObject? grader = (body["grader"] as JsonObject)?.DeepClone() as JsonObject;
        if (grader is not null && given["reward"] is JsonObject reward && BuiltIn.Any(reward.ContainsKey))
        {
            throw new TrainingRefusedException("'reward.kind', 'reward.require_think' and 'reward.lenient_numbers' say how the built-in reward judges; a job with a grader has another.", "reward");
        }

        Exclude(given, "n_epochs", "steps");
        Exclude(given, "compute_multiplier", "group_size");
        given.Remove("reasoning_effort");
        double rateMultiplier = Take(given, "learning_rate_multiplier") ?? 1;
        double computeMultiplier = Take(given, "compute_multiplier") ?? 1;
        bool hasRate = (given["optimizer"] as JsonObject)?["learning_rate"] is not null;
        if (hasRate && rateMultiplier != 1)
        {
            throw new TrainingRefusedException("Give 'learning_rate_multiplier' or 'optimizer.learning_rate', not both.", "learning_rate_multiplier");
        }

        // 2. As the run's own configuration, with what suits a job where neither request nor profile says.
        string profile = given["profile"]?.GetValue<string>() ?? GrpoProfiles.Default;
        JsonObject config = Rename(given);
        bool isLora = config["lora"] is JsonObject;
        JsonObject values = GrpoProfiles.Values(profile, isLora);
        int group = config["group_size"]?.GetValue<int>() ?? (int)Math.Clamp(Math.Round((values["group_size"]?.GetValue<int>() ?? 8) * computeMultiplier), 2, 256);
        config["group_size"] = group;
        if (!hasRate)
        {
            int width = ModelConfig.Load(inputs.StartFolder).HiddenSize;
            double rate = profile == GrpoProfiles.Paper ? values["optimizer"]!["learning_rate"]!.GetValue<double>() : BaseLearningRate * 256 / width * (isLora ? LoraFactor : 1);
            Section(config, "optimizer")["learning_rate"] = rate * rateMultiplier;
        }

        if (config["prompts_per_step"] is null && profile == GrpoProfiles.Default)
        {
            config["prompts_per_step"] = Math.Clamp(inputs.Rows, 1, 16);
        }

        config["micro_batch_tokens"] ??= TurnTokens;
        int longest = values["max_response_tokens"]?.GetValue<int>() ?? 1024;
        config["max_response_tokens"] ??= Math.Max(1, Math.Min(longest, maxModelLength / 2));

        // 3. The run's own checks.
        ReinforcementSettings resolved = new(config, grader);
        GrpoConfig run = resolved.Config(new ReinforcementFiles("-", inputs.StartFolder, "-", null, 0));
        if (run.MaxResponseTokens >= maxModelLength)
        {
            throw new TrainingRefusedException($"'max_response_tokens': {run.MaxResponseTokens} leaves no room for a prompt in the {maxModelLength} tokens that the engine takes.", "max_response_tokens");
        }

        double per = run.Epochs is int epochs ? (double)epochs * inputs.Rows / run.PromptsPerStep : run.Steps!.Value;
        if (!GrpoConfigReader.HasUpdates(run, per))
        {
            throw new TrainingRefusedException($"{per:F0} steps of {GrpoStepPlan.NominalUpdates(run)} updates are more than a job can have; ask for fewer epochs or greater batches.", "n_epochs");
        }

        if (!run.HasReference && (config["alarms"] as JsonObject)?["kl_ceiling"] is not null)
        {
            throw new TrainingRefusedException("'alarms.kl_ceiling': where all weights are trained with 'loss.kl_coefficient' 0 there is no reference policy to measure a KL to.", "alarms.kl_ceiling");
        }

        JsonObject complete = Complete(run, rateMultiplier, computeMultiplier);
        if (!run.HasReference)
        {
            ((JsonObject)complete["alarms"]!).Remove("kl_ceiling");
        }

        if (grader is not null)
        {
            // How the built-in reward judges does not matter then.
            foreach (string name in BuiltIn)
            {
                ((JsonObject)complete["reward"]!).Remove(name);
            }
        }

        return new ReinforcementSettings(complete, grader);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static ReinforcementSettings Read(string text)
    {
        JsonObject all = (JsonObject)JsonNode.Parse(text)!;
        JsonObject? grader = all["grader"] as JsonObject;
        RowLengths? prompts = all["prompts"].Deserialize(ReinforcementJson.Default.RowLengths);
        all.Remove("grader");
        all.Remove("prompts");
        return new ReinforcementSettings(all, grader, prompts);
    }

    /// <summary>As JSON: the hyperparameters, <c>grader</c> and <c>prompts</c> (null without).</summary>
    public string Write()
    {
        JsonObject all = (JsonObject)_hyperparameters.DeepClone();
        all["grader"] = Grader?.DeepClone();
        all["prompts"] = JsonSerializer.SerializeToNode(Prompts, ReinforcementJson.Default.RowLengths);
        return all.ToJsonString();
    }

    /// <summary>The run.</summary>
    /// <exception cref="TrainingRefusedException">A value is out of range; names it.</exception>
    public GrpoConfig Config(ReinforcementFiles files)
    {
        JsonObject config = Rename((JsonObject)_hyperparameters.DeepClone());
        foreach (string name in new[] { "learning_rate_multiplier", "compute_multiplier", "reasoning_effort" })
        {
            config.Remove(name);
        }

        config["output"] = files.Output;
        config["model"] = files.Model;
        config["data"] = new JsonArray(files.TrainingRows);
        config["seed"] = files.Seed;
        if (files.HeldOutRows is not null)
        {
            Section(config, "evaluation")["data"] = new JsonArray(files.HeldOutRows);
        }

        try
        {
            return GrpoConfigReader.Parse(config.ToJsonString(), "the job");
        }
        catch (TrainingConfigException error)
        {
            throw new TrainingRefusedException(error.Message, FieldOf(error.Message));
        }
    }

    private static JsonObject Complete(GrpoConfig run, double rateMultiplier, double computeMultiplier)
    {
        JsonObject all = (JsonObject)JsonNode.Parse(GrpoConfigReader.Write(run))!;
        JsonObject resolved = new()
        {
            ["n_epochs"] = all["epochs"]?.DeepClone(),
            ["batch_size"] = run.PromptsPerStep,
            ["learning_rate_multiplier"] = rateMultiplier,
            ["compute_multiplier"] = computeMultiplier,
            ["eval_interval"] = run.Evaluation.EverySteps,
            ["eval_samples"] = run.Evaluation.MaxRows,
            ["reasoning_effort"] = "default",
            ["live_share"] = run.Engine.LiveShare,
            ["checkpoint_every_steps"] = run.Checkpoints.EverySteps,
            ["keep_checkpoints"] = run.Checkpoints.Keep,
        };
        foreach ((string name, JsonNode? value) in all.Where(item => !Served.Contains(item.Key) && item.Key is not "epochs" and not "prompts_per_step"))
        {
            resolved[name] = value?.DeepClone();
        }

        return resolved;
    }

    private static JsonObject Rename(JsonObject given)
    {
        foreach ((string name, string section, string field) in Renamed)
        {
            if (given.Remove(name, out JsonNode? value))
            {
                (section.Length == 0 ? given : Section(given, section))[field] = value;
            }
        }

        return given;
    }

    private static JsonObject Section(JsonObject config, string name)
    {
        if (config[name] is not JsonObject section)
        {
            config[name] = section = [];
        }

        return section;
    }

    private static void RemoveNulls(JsonObject values)
    {
        foreach (string name in values.Where(item => item.Value is null && !MeaningfulNulls.Contains(item.Key)).Select(item => item.Key).ToArray())
        {
            values.Remove(name);
        }

        foreach (JsonObject inner in values.Select(item => item.Value).OfType<JsonObject>())
        {
            RemoveNulls(inner);
        }
    }

    private static double? Take(JsonObject given, string name) => given.Remove(name, out JsonNode? value) ? value!.GetValue<double>() : null;

    private static void Exclude(JsonObject given, string one, string other)
    {
        if (given.ContainsKey(one) && given.ContainsKey(other))
        {
            throw new TrainingRefusedException($"Give '{one}' or '{other}', not both.", one);
        }
    }

    /// <summary>The field that a configuration's error names, as the request names it.</summary>
    private static string? FieldOf(string message)
    {
        int open = message.IndexOf("field '", StringComparison.Ordinal);
        int close = open < 0 ? -1 : message.IndexOf('\'', open + 7);
        if (close < 0)
        {
            return null;
        }

        string field = message[(open + 7)..close].TrimStart('$', '.');
        return Renamed.Where(item => field == (item.Section.Length == 0 ? item.Field : $"{item.Section}.{item.Field}")).Select(item => item.Name).FirstOrDefault() ?? field;
    }
}

/// <summary>Where a job's run reads and writes.</summary>
/// <param name="Output">The job's folder.</param>
/// <param name="Model">Hugging Face folder that training starts from.</param>
/// <param name="TrainingRows">Rows to learn from.</param>
/// <param name="HeldOutRows">Held-out rows, or null.</param>
/// <param name="Seed">Seeds all chance.</param>
internal sealed record ReinforcementFiles(string Output, string Model, string TrainingRows, string? HeldOutRows, int Seed);

/// <summary>JSON of edits and graders.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GrpoEdit))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(RowLengths))]
internal sealed partial class ReinforcementJson : JsonSerializerContext;
