using Microsoft.Extensions.Options;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>Options made definite for a model, dtype and device.</summary>
/// <param name="Blocks">Cache blocks.</param>
/// <param name="BlockSize">Tokens in a block.</param>
/// <param name="MaxSequences">Sequences that run at once.</param>
/// <param name="MaxBatchedTokens">Tokens computed in one step.</param>
/// <param name="MaxModelLength">Prompt and answer tokens of one sequence.</param>
public sealed record EnginePlan(int Blocks, int BlockSize, int MaxSequences, int MaxBatchedTokens, int MaxModelLength)
{
    /// <summary>Chooses what the options leave open and checks what they fix.</summary>
    /// <param name="options">Options within their ranges.</param>
    /// <param name="config">The model.</param>
    /// <param name="dtype">Dtype of keys and values.</param>
    /// <param name="device">Where they lie.</param>
    /// <exception cref="OptionsValidationException">A limit contradicts another, the model, or the cache; the message names the options and both numbers.</exception>
    public static EnginePlan Create(EngineOptions options, ModelConfig config, ScalarType dtype, Device device)
    {
        bool isCpu = device.type == TorchSharp.DeviceType.CPU;
        int maxSequences = options.MaxSequences ?? Math.Min(isCpu ? 16 : 64, options.MaxBatchedTokens ?? int.MaxValue);
        int maxBatchedTokens = options.MaxBatchedTokens ?? Math.Max(isCpu ? 512 : 2048, maxSequences);
        if (maxBatchedTokens < maxSequences)
        {
            throw Invalid($"MaxBatchedTokens ({maxBatchedTokens}) must be at least MaxSequences ({maxSequences}).");
        }

        if (options.MaxModelLength > config.MaxPositionEmbeddings)
        {
            throw Invalid($"MaxModelLength ({options.MaxModelLength}) is beyond the model's max_position_embeddings ({config.MaxPositionEmbeddings}).");
        }

        // 1. Blocks that the memory holds, but no more than the running sequences can ever fill.
        int longest = options.MaxModelLength ?? config.MaxPositionEmbeddings;
        long bytesPerBlock = config.KeyValueBytesPerToken(dtype == ScalarType.Float32 ? 4 : 2) * options.BlockSize;
        long bytes = (options.KvCacheMiB ?? (isCpu ? 1024L : 4096L)) * 1024 * 1024;
        long useful = (long)maxSequences * ((longest + options.BlockSize - 1) / options.BlockSize);
        long blocks = Math.Min(Math.Min(bytes / bytesPerBlock, useful), int.MaxValue / options.BlockSize);
        if (blocks < 1)
        {
            throw Invalid($"KvCacheMiB ({bytes / 1024 / 1024}) does not hold a single block of {options.BlockSize} tokens, which takes {bytesPerBlock / 1024} KiB.");
        }

        // 2. A sequence must fit the cache alone.
        long capacity = blocks * options.BlockSize;
        if (options.MaxModelLength > capacity)
        {
            throw Invalid($"MaxModelLength ({options.MaxModelLength}) does not fit KvCacheMiB ({bytes / 1024 / 1024}), which holds {capacity} tokens.");
        }

        return new EnginePlan((int)blocks, options.BlockSize, maxSequences, maxBatchedTokens, (int)Math.Min(longest, capacity));
    }

    private static OptionsValidationException Invalid(string problem) =>
        new(EngineOptions.SectionName, typeof(EngineOptions), [$"{EngineOptions.SectionName}: {problem}"]);
}
