using System.Text.Json.Serialization;
using ToolN1.Training.Optimizers;

namespace ToolN1.Training.Sft;

/// <summary>A supervised training run, as its JSON file gives it (snake_case names; an unknown name is an error).</summary>
public sealed record SftConfig
{
    /// <summary>Folder for checkpoints, metrics.jsonl and the finished model.</summary>
    public required string Output { get; init; }

    /// <summary>Seeds initial weights, order of the rows and choice of prompt positions.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>What training starts from.</summary>
    public required SftInit Init { get; init; }

    /// <summary>What is trained on, in order.</summary>
    public required IReadOnlyList<SftPhase> Phases { get; init; }

    /// <summary>How weights move.</summary>
    public SftOptimizer Optimizer { get; init; } = new();

    /// <summary>How the learning rate goes, over the steps of all phases together.</summary>
    public SftSchedule Schedule { get; init; } = new();

    /// <summary>Tokens of one optimizer step, shared prefixes counted once; the step takes as many groups as fit, at least one.</summary>
    public int TokensPerStep { get; init; } = 4096;

    /// <summary>Most rows of one optimizer step; null leaves it to the tokens. A step takes one group at least.</summary>
    public int? RowsPerStep { get; init; }

    /// <summary>Most tokens of one forward and backward pass; a greater group goes alone. Changes memory and speed, not the result.</summary>
    public int MicroBatchTokens { get; init; } = 4096;

    /// <summary>
    /// Micro-batches that run at once on a CPU, each with its share of the threads and with gradients of its own (4 bytes a parameter,
    /// and a micro-batch's activations); null is one. The result differs by the order of a sum. Small models gain most: their products
    /// are too small to be shared among threads.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Lanes { get; init; }

    /// <summary>Most adjacent rows with the same system text and tools that share their common prefix; 1 shares none.</summary>
    public int SharedPrefixRows { get; init; } = 4;

    /// <summary>Weight of a prompt token's loss; an answer token's is 1.</summary>
    public double PromptLossWeight { get; init; } = 0.1;

    /// <summary>Fraction of the prompt tokens that the loss looks at, drawn anew each step.</summary>
    public double PromptLossFraction { get; init; } = 0.2;

    /// <summary>Greatest global gradient norm.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Dtype of the matrix products: <c>float32</c>, <c>bfloat16</c>, or <c>auto</c> (bfloat16 on a GPU and where the CPU multiplies it faster than f32). Masters, residual and norms are always f32.</summary>
    [JsonPropertyName("dtype")]
    public string DType { get; init; } = "auto";

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Steps between checkpoints.</summary>
    public int CheckpointEverySteps { get; init; } = 500;

    /// <summary>Checkpoints kept; older ones are removed.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Steps between lines of metrics.</summary>
    public int LogEverySteps { get; init; } = 10;

    /// <summary>Steps with a non-finite loss or gradient that are skipped in a row before the run halts.</summary>
    public int MaxNonFiniteSteps { get; init; } = 10;

    /// <summary>Chat format of the <c>full</c> prompts: <c>tool-n1</c> or <c>hermes</c>; noted in the model's config.json.</summary>
    public string ChatFormat { get; init; } = "tool-n1";
}

/// <summary>What training starts from: an existing folder, or a shape with a tokenizer.</summary>
public sealed record SftInit
{
    /// <summary>A Hugging Face folder to continue from; excludes <see cref="Shape"/>.</summary>
    public string? From { get; init; }

    /// <summary>A folder with tokenizer.json (and tokenizer_config.json); with <see cref="From"/>, that folder's own is the default.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>A Qwen2 shape to initialise at random.</summary>
    public SftShape? Shape { get; init; }
}

/// <summary>The shape of a new model.</summary>
public sealed record SftShape
{
    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the SwiGLU.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head; null divides the hidden size.</summary>
    public int? HeadDim { get; init; }

    /// <summary>Rows of the embedding; null takes the tokenizer's size.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Longest context that the model declares.</summary>
    public int MaxPositionEmbeddings { get; init; } = 4096;

    /// <summary>Whether head and embedding are one matrix.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Standard deviation of the initial matrices; those that write into the residual stream get it divided by √(2 × layers).</summary>
    public double InitialStd { get; init; } = 0.02;
}

/// <summary>A stretch of training on some files.</summary>
public sealed record SftPhase
{
    /// <summary>For metrics.</summary>
    public required string Name { get; init; }

    /// <summary>Rows files (JSONL).</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary><c>full</c> renders as the server does; <c>short</c> gives the tools and the conversation without the boilerplate.</summary>
    public string Prompt { get; init; } = "full";

    /// <summary>Rows with more tokens (prompt and answer) are left out, and counted.</summary>
    public int MaxTokens { get; init; } = 2048;

    /// <summary>Rows with more tools are left out, and counted; null takes all.</summary>
    public int? MaxTools { get; init; }
}

/// <summary>How weights move.</summary>
public sealed record SftOptimizer
{
    /// <summary><c>muon</c> (with AdamW for embeddings, norms and biases) or <c>adamw</c>.</summary>
    public string Kind { get; init; } = "adamw";

    /// <summary>AdamW's learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>AdamW's first decay.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's second decay.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>AdamW's ε.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay of matrices, for AdamW and Muon.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Muon's learning rate.</summary>
    public double MuonLearningRate { get; init; } = 0.02;

    /// <summary>Muon's momentum.</summary>
    public double MuonMomentum { get; init; } = 0.95;
}

/// <summary>How the learning rate goes.</summary>
public sealed record SftSchedule
{
    /// <summary><c>cosine</c>, <c>linear</c> or <c>constant</c>.</summary>
    public LearningRateDecay Kind { get; init; } = LearningRateDecay.Cosine;

    /// <summary>Steps of linear rise.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>Where it ends, as a fraction of the top.</summary>
    public double Minimum { get; init; } = 0.02;
}
