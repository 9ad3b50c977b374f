using System.Text.Json.Serialization;
using ToolN1.Engine.Model;
using ToolN1.Training.Optimizers;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Grpo;

/// <summary>A GRPO run, as its JSON file gives it (snake_case names; an unknown name is an error). Values that a file leaves out come from its profile.</summary>
public sealed record GrpoConfig
{
    /// <summary>Name of the profile that gave the values left out; see <see cref="GrpoProfiles"/>.</summary>
    public string Profile { get; init; } = GrpoProfiles.Default;

    /// <summary>Folder for checkpoints, metrics.jsonl, samples.jsonl and the finished model.</summary>
    public required string Output { get; init; }

    /// <summary>Hugging Face folder that the policy starts from; it stays the KL reference.</summary>
    public required string Model { get; init; }

    /// <summary>Chat format of the prompts: <c>auto</c>, <c>tool-n1</c> or <c>hermes</c>.</summary>
    public string ChatFormat { get; init; } = "auto";

    /// <summary>Seeds sampling, order of the rows and the adapter's initial weights.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Rows files (JSONL) to learn from; reasoning in them is not used.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>As many steps as so many passes over the data take without refills, whose prompts are drawn besides; excludes <see cref="Steps"/>.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rollout steps; excludes <see cref="Epochs"/>.</summary>
    public int? Steps { get; init; }

    /// <summary>Prompts of a step, each sampled <see cref="GroupSize"/> times.</summary>
    public int PromptsPerStep { get; init; } = 16;

    /// <summary>Responses to a prompt, at least 2.</summary>
    public int GroupSize { get; init; } = 8;

    /// <summary>Prompts of one optimizer update; null makes one update of all.</summary>
    public int? MiniBatchPrompts { get; init; }

    /// <summary>Passes over a step's responses.</summary>
    public int PassesPerStep { get; init; } = 1;

    /// <summary>Rows with longer prompts are left out, and counted.</summary>
    public int MaxPromptTokens { get; init; } = 4096;

    /// <summary>Most tokens of a response.</summary>
    public int MaxResponseTokens { get; init; } = 1024;

    /// <summary>How responses are sampled.</summary>
    public GrpoSampling Sampling { get; init; } = new();

    /// <summary>What is minimised.</summary>
    public PolicyLossOptions Loss { get; init; } = new();

    /// <summary>What responses are worth.</summary>
    public GrpoReward Reward { get; init; } = new();

    /// <summary>How weights move.</summary>
    public GrpoOptimizer Optimizer { get; init; } = new();

    /// <summary>How the learning rate goes.</summary>
    public GrpoSchedule Schedule { get; init; } = new();

    /// <summary>Greatest global gradient norm.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Trains low-rank adapters beside frozen weights; null trains all weights.</summary>
    public GrpoLora? Lora { get; init; }

    /// <summary>Most tokens of one forward and backward pass, a group's prompt counted once; a group with more is divided. Changes memory and speed, not the result.</summary>
    public int MicroBatchTokens { get; init; } = 8192;

    /// <summary>Keeps only each layer's input and computes the layer again on the way back: less memory, a third more work.</summary>
    public bool RecomputeActivations { get; init; } = true;

    /// <summary>Dtype of the trainer's matrix products: <c>float32</c>, <c>bfloat16</c> or <c>auto</c>. Masters, residual and norms are f32.</summary>
    [JsonPropertyName("dtype")]
    public string DType { get; init; } = "auto";

    /// <summary>Dtype of the finished model's folder: <c>auto</c> (the checkpoint's), <c>float32</c> or <c>bfloat16</c>. Steps of 1e-6 are smaller than what bf16 rounds away.</summary>
    [JsonPropertyName("export_dtype")]
    public string ExportDType { get; init; } = "auto";

    /// <summary>The engine that samples; a server's job uses the server's own and ignores this section.</summary>
    public GrpoEngine Engine { get; init; } = new();

    /// <summary>What stops or warns.</summary>
    public GrpoAlarms Alarms { get; init; } = new();

    /// <summary>Held-out evaluation.</summary>
    public GrpoEvaluationPlan Evaluation { get; init; } = new();

    /// <summary>Checkpoints.</summary>
    public GrpoCheckpointPlan Checkpoints { get; init; } = new();

    /// <summary>Responses of a step that are written to samples.jsonl with their rewards.</summary>
    public int SamplesLogged { get; init; } = 4;

    /// <summary>Whether the run can compare its policy with the initial one: an adapter with its base, all weights with the copy that a KL coefficient has kept.</summary>
    internal bool HasReference => Lora is not null || Loss.KlCoefficient > 0;

    /// <summary>Tokens of the longest prompt with the longest response, as far as a model takes them.</summary>
    internal int LongestSequence(ModelConfig model) => (int)Math.Min(model.MaxPositionEmbeddings, (long)MaxPromptTokens + MaxResponseTokens);
}

/// <summary>How responses are sampled. No penalties: log-probabilities must be those of the policy.</summary>
public sealed record GrpoSampling
{
    /// <summary>Greater than 0; the trainer divides its logits by it too.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Nucleus; 1 is off. Below 1 the sampled distribution is not the one that is scored.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>The k likeliest tokens; 0 is off.</summary>
    public int TopK { get; init; }
}

/// <summary>What responses are worth.</summary>
public sealed record GrpoReward
{
    /// <summary><c>binary</c>: 1 for exactly the right calls in the right format. <c>partial</c>: 0.2 for the format, 0.2 more for the right names or 0.8 more for all right.</summary>
    public string Kind { get; init; } = "binary";

    /// <summary>Whether the format asks for both think tags.</summary>
    public bool RequireThink { get; init; } = true;

    /// <summary>Whether 1 and 1.0 are equal in arguments.</summary>
    public bool LenientNumbers { get; init; }

    /// <summary>A sample that takes longer is not scored.</summary>
    public double TimeLimitSeconds { get; init; } = 5;

    /// <summary>Samples scored at once.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>What scores with a reward within these bounds; the caller disposes it.</summary>
    internal RewardPool PoolOf(IReward reward) => new(reward, Workers, TimeSpan.FromSeconds(TimeLimitSeconds));
}

/// <summary>How weights move: AdamW.</summary>
public sealed record GrpoOptimizer
{
    /// <summary>At the top of the schedule.</summary>
    public double LearningRate { get; init; } = 1e-6;

    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay of matrices.</summary>
    public double WeightDecay { get; init; } = 0.01;
}

/// <summary>How the learning rate goes, as a pure function of the update's index.</summary>
public sealed record GrpoSchedule
{
    /// <summary><c>constant</c>, <c>linear</c> or <c>cosine</c>.</summary>
    public LearningRateDecay Kind { get; init; } = LearningRateDecay.Constant;

    /// <summary>Fraction of all updates over which it rises, from 1 / that many.</summary>
    public double WarmupFraction { get; init; } = 0.05;

    /// <summary>Where it ends, as a fraction of the top; a constant rate has no end.</summary>
    public double Minimum { get; init; }
}

/// <summary>Low-rank adapters.</summary>
public sealed record GrpoLora
{
    /// <summary>Rank.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>α; the adapter's product is scaled by α / rank.</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Projections that get one, in every layer.</summary>
    public IReadOnlyList<string> Targets { get; init; } = LoraAdapter.ProjectionNames;
}

/// <summary>The engine that samples when there is no server.</summary>
public sealed record GrpoEngine
{
    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; the trainer runs there too.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Dtype of the serving weights and cache: <c>auto</c> (the checkpoint's), <c>float32</c> or <c>bfloat16</c>.</summary>
    [JsonPropertyName("dtype")]
    public string DType { get; init; } = "auto";

    /// <summary>Memory for keys and values, in MiB; null as the server chooses.</summary>
    public int? KvCacheMib { get; init; }

    /// <summary>Sequences that run at once; null as the server chooses.</summary>
    public int? MaxSequences { get; init; }

    /// <summary>Tokens computed in one step; null as the server chooses.</summary>
    public int? MaxBatchedTokens { get; init; }

    /// <summary>Share of the device that other requests get while the trainer wants it too.</summary>
    public double LiveShare { get; init; } = 0.5;
}

/// <summary>What stops or warns.</summary>
public sealed record GrpoAlarms
{
    /// <summary><see cref="KlCeiling"/>, where nothing is said.</summary>
    internal const double DefaultKlCeiling = 1;

    /// <summary>
    /// A step whose mean KL to the reference is higher ends the run, and what it leaves is the best checkpoint, or without held-out rows the newest from before that step;
    /// null is off. Where β is 0 an adapter's base is scored for it alone; where β is 0 and all weights are trained there is no reference, and no ceiling.
    /// </summary>
    public double? KlCeiling { get; init; } = DefaultKlCeiling;

    /// <summary>Warns when more of the responses than this were cut off.</summary>
    public double ClippedResponses { get; init; } = 0.1;

    /// <summary>Warns when the mean gap between the sampler's and the trainer's log-probabilities is greater.</summary>
    public double LogProbGap { get; init; } = 0.05;

    /// <summary>Updates with a non-finite loss or gradient that are skipped in a row before the run halts.</summary>
    public int MaxNonFiniteUpdates { get; init; } = 5;
}

/// <summary>Held-out evaluation: greedy, exact match by the binary reward.</summary>
public sealed record GrpoEvaluationPlan
{
    /// <summary>Rows files; empty evaluates nothing.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>Steps between evaluations; there is one before the first step and one at the end.</summary>
    public int EverySteps { get; init; } = 10;

    /// <summary>Most rows of a file.</summary>
    public int MaxRows { get; init; } = 500;
}

/// <summary>Checkpoints: what they cost and how many are kept.</summary>
public sealed record GrpoCheckpointPlan
{
    /// <summary>Steps between checkpoints.</summary>
    public int EverySteps { get; init; } = 10;

    /// <summary>The newest that are kept, beside the best.</summary>
    public int Keep { get; init; } = 2;
}
