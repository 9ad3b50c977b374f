using System.Text.Json.Nodes;

namespace ToolN1.Training.Grpo;

/// <summary>Named sets of values that a configuration starts from.</summary>
public static class GrpoProfiles
{
    /// <summary>What we would run.</summary>
    public const string Default = "default";

    /// <summary>What the Tool-N1 paper ran.</summary>
    public const string Paper = "paper";

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [Default, Paper];

    /// <summary>A profile's values.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="isLora">Whether adapters are trained, which wants a higher learning rate and no KL.</param>
    /// <remarks>
    /// <c>paper</c> is arXiv:2505.00024, Table 6, and what its scripts really ran: four updates of 256 prompts a rollout, one
    /// pass. It leaves out that the script's first rollout trained at a learning rate of 0, and takes the token mean over the
    /// whole mini-batch, where verl 0.2 took it micro-batch by micro-batch and made the result depend on the split.
    /// </remarks>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    public static JsonObject Values(string name, bool isLora) => (JsonObject)JsonNode.Parse(name switch
    {
        Default => isLora
            ? """{"optimizer": {"learning_rate": 1e-5}, "loss": {"kl_coefficient": 0}}"""
            : """{"optimizer": {"learning_rate": 1e-6}, "loss": {"kl_coefficient": 1e-3}}""",
        Paper => """
            {
              "prompts_per_step": 1024, "group_size": 5, "mini_batch_prompts": 256, "passes_per_step": 1,
              "max_prompt_tokens": 4096, "max_response_tokens": 8192, "micro_batch_tokens": 30720,
              "sampling": {"temperature": 0.7, "top_p": 1, "top_k": 0},
              "loss": {"clip_low": 0.2, "clip_high": 0.2, "aggregation": "token_mean", "advantage_scale": "group",
                       "advantage_epsilon": 1e-6, "kl_coefficient": 1e-3, "drop_uniform_groups": false, "max_refills": 0},
              "optimizer": {"learning_rate": 1e-6, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
              "schedule": {"kind": "constant", "warmup_fraction": 0},
              "clip_norm": 1,
              "evaluation": {"every_steps": 10}, "checkpoints": {"every_steps": 10}
            }
            """,
        _ => throw new ArgumentException($"'{name}' is not a profile; known are {string.Join(", ", Names)}.", nameof(name)),
    })!;

    /// <summary>Steps or passes of a profile, where the configuration names neither.</summary>
    internal static (string Field, int Value) Length(string name) => name == Paper ? ("epochs", 7) : ("epochs", 1);
}
