using System.ComponentModel.DataAnnotations;

namespace ToolN1.Engine.Hosting;

/// <summary>Limits of the engine; section <c>ToolN1:Engine</c>. What is null is chosen from model and device (<see cref="EnginePlan"/>).</summary>
public sealed class EngineOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1:Engine";

    /// <summary>Value of <see cref="ConstrainCalls"/>: the calls of strict tools.</summary>
    public const string ConstrainStrict = "strict";

    /// <summary>Value of <see cref="ConstrainCalls"/>: the calls of every tool.</summary>
    public const string ConstrainAlways = "always";

    /// <summary>Prompt and answer tokens of one sequence. Null: what the model declares, bounded by the cache.</summary>
    [Range(1, 1 << 24)]
    public int? MaxModelLength { get; set; }

    /// <summary>
    /// Memory for keys and values, in MiB. Null: 1024 on a CPU, 4096 on a GPU, but no more than
    /// <see cref="MaxSequences"/> sequences of full length can use.
    /// </summary>
    [Range(1, 1 << 22)]
    public int? KvCacheMiB { get; set; }

    /// <summary>Tokens in a cache block. Smaller wastes less and shares more, larger costs less to manage; CPUs are fastest with multiples of 16.</summary>
    [Range(1, 1024)]
    public int BlockSize { get; set; } = 16;

    /// <summary>Sequences that run at once. Null: 16 on a CPU, 64 on a GPU.</summary>
    [Range(1, 4096)]
    public int? MaxSequences { get; set; }

    /// <summary>
    /// Tokens computed in one step; longer prompts are computed in chunks between which others decode. At least
    /// <see cref="MaxSequences"/>. Null: 512 on a CPU, 2048 on a GPU.
    /// </summary>
    [Range(1, 1 << 20)]
    public int? MaxBatchedTokens { get; set; }

    /// <summary>Accepted requests that may wait for their first step; beyond, requests are refused (503).</summary>
    [Range(1, 1 << 20)]
    public int MaxQueuedRequests { get; set; } = 256;

    /// <summary>Reuses keys and values of equal prompt beginnings.</summary>
    public bool EnablePrefixCache { get; set; } = true;

    /// <summary>
    /// Whose arguments follow their schema when the model opens a call of its own accord: <c>strict</c>, those of tools
    /// that are marked so; <c>always</c>, those of every tool (one whose schema cannot be enforced is then refused). Where
    /// a call is demanded, all do.
    /// </summary>
    [Required]
    [AllowedValues(ConstrainStrict, ConstrainAlways)]
    public string ConstrainCalls { get; set; } = ConstrainStrict;

    /// <summary>
    /// Tokens of thinking after which a constrained answer closes its think tag, where the request sets no budget.
    /// </summary>
    [Range(0, 1 << 24)]
    public int ThinkingTokens { get; set; } = 1024;

    /// <summary>Memory for compiled schemas, in MiB; the least recently used leave.</summary>
    [Range(1, 1 << 16)]
    public int ConstraintCacheMiB { get; set; } = 64;

    /// <summary>Memory for token masks that all constraints share, in MiB.</summary>
    [Range(1, 1 << 16)]
    public int MaskCacheMiB { get; set; } = 96;
}
