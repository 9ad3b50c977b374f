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
        MaxSequences = config.Engine.MaxSequences ?? Math.Min(32, config.PromptsPerStep * config.GroupSize),
        MaxBatchedTokens = config.Engine.MaxBatchedTokens,
        MaxModelLength = Math.Min(model.MaxPositionEmbeddings, config.MaxPromptTokens + config.MaxResponseTokens),
    };
}
