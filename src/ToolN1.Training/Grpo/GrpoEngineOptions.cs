using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;

namespace ToolN1.Training.Grpo;

/// <summary>Limits of an engine that serves one run alone.</summary>
public static class GrpoEngineOptions
{
    /// <summary>The limits.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Its model's shape.</param>
    public static EngineOptions Of(GrpoConfig config, ModelConfig model) => new()
    {
        KvCacheMiB = config.Engine.KvCacheMib,
        MaxSequences = MaxSequencesOf(config),
        MaxBatchedTokens = config.Engine.MaxBatchedTokens,
        MaxModelLength = config.LongestSequence(model),
    };

    /// <summary>Sequences that run at once: as asked for, or all responses but at most 32.</summary>
    internal static int MaxSequencesOf(GrpoConfig config) => config.Engine.MaxSequences ?? (int)Math.Min(32, (long)config.PromptsPerStep * config.GroupSize);
}
