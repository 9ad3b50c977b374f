using System.ComponentModel;

namespace ToolN1.Api.Contracts;

/// <summary>The engine at one moment.</summary>
[Description("The engine's state at one moment.")]
internal sealed record EngineBody
{
    [Description("Always `engine`.")]
    public string Object { get; init; } = "engine";

    [Description("False once the engine has given up after repeated faults; it then refuses every request until the server is started again.")]
    public required bool Healthy { get; init; }

    [Description("What is served, and on what.")]
    public required EngineModelBody Model { get; init; }

    [Description("Sequences and their limits.")]
    public required EngineSequencesBody Sequences { get; init; }

    [Description("Memory that sequences and constraints share.")]
    public required EngineCacheBody Cache { get; init; }

    [Description("What was done since the start.")]
    public required EngineCountersBody Counters { get; init; }
}

/// <summary>The model that the engine serves.</summary>
[Description("What is served, and on what.")]
internal sealed record EngineModelBody
{
    [Description("The served model's id.")]
    public required string Id { get; init; }

    [Description("Name of the version that answers requests which name the served model.")]
    public required string Live { get; init; }

    [Description("Identity of its weights.")]
    public required string LiveWeightVersion { get; init; }

    [Description("Names of the versions in memory, oldest first.")]
    public required IReadOnlyList<string> Loaded { get; init; }

    [Description("Identities of all weights in memory, oldest first: those of the versions, bases that adapters stand on, and what jobs sample from while they train.")]
    public required IReadOnlyList<string> WeightVersions { get; init; }

    [Description("`cpu` or `cuda:N`.")]
    public required string Device { get; init; }

    [Description("Of weights, activations and cache: `float32` or `bfloat16`.")]
    public required string Dtype { get; init; }

    [Description("`tool-n1` or `hermes`.")]
    public required string ChatFormat { get; init; }

    [Description("Prompt and answer tokens together that one sequence may hold.")]
    public required int MaxModelLen { get; init; }

    [Description("Width of the logits.")]
    public required int VocabSize { get; init; }
}

/// <summary>Sequences in the engine.</summary>
[Description("Sequences and their limits.")]
internal sealed record EngineSequencesBody
{
    [Description("In the running batch.")]
    public required int Running { get; init; }

    [Description("Accepted, and waiting for a place or for cache blocks.")]
    public required int Waiting { get; init; }

    [Description("That may run at once.")]
    public required int MaxRunning { get; init; }

    [Description("That may wait for their first step; beyond, requests are refused with 503.")]
    public required int MaxWaiting { get; init; }

    [Description("Tokens that one step computes at most.")]
    public required int MaxBatchedTokens { get; init; }
}

/// <summary>Caches of the engine.</summary>
[Description("Memory that sequences and constraints share.")]
internal sealed record EngineCacheBody
{
    [Description("KV-cache blocks in the pool.")]
    public required int Blocks { get; init; }

    [Description("Blocks held by sequences; cached ones that nobody holds count as free.")]
    public required int UsedBlocks { get; init; }

    [Description("Tokens in a block.")]
    public required int BlockSize { get; init; }

    [Description("Whether equal beginnings of prompts share blocks.")]
    public required bool PrefixCache { get; init; }

    [Description("Memory of compiled schemas, in bytes, about.")]
    public required long SchemaBytes { get; init; }

    [Description("Memory of token masks that constraints share, in bytes, about.")]
    public required long MaskBytes { get; init; }
}

/// <summary>What an engine has done.</summary>
[Description("What was done since the start.")]
internal sealed record EngineCountersBody
{
    [Description("Engine steps.")]
    public required long Steps { get; init; }

    [Description("Steps without room for more: every place taken, or the token budget spent.")]
    public required long StepsFull { get; init; }

    [Description("Turns of training on the engine's thread, between steps.")]
    public required long Turns { get; init; }

    [Description("How long these turns took together.")]
    public required long TurnMilliseconds { get; init; }

    [Description("Prompt tokens computed.")]
    public required long TokensPrompt { get; init; }

    [Description("Prompt tokens found in the prefix cache.")]
    public required long TokensPromptCached { get; init; }

    [Description("Tokens sampled.")]
    public required long TokensGenerated { get; init; }

    [Description("Tokens that a constraint left no choice about.")]
    public required long TokensForced { get; init; }

    [Description("Sequences preempted and recomputed because blocks ran out.")]
    public required long Preemptions { get; init; }

    [Description("Requests finished, by whatever reason.")]
    public required long RequestsFinished { get; init; }
}
