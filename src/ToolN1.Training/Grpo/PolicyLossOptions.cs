namespace ToolN1.Training.Grpo;

/// <summary>What the surrogate is made of.</summary>
public enum PolicyObjective
{
    /// <summary>PPO's pessimistic minimum of ratio and clipped ratio times advantage.</summary>
    Clipped,

    /// <summary>log-probability times advantage, weighed with the capped ratio, which is a constant (CISPO).</summary>
    Cispo,
}

/// <summary>Whose likelihood a ratio compares.</summary>
public enum RatioLevel
{
    /// <summary>Each token's.</summary>
    Token,

    /// <summary>The whole response's, as the geometric mean over its tokens (GSPO).</summary>
    Sequence,
}

/// <summary>Whether losses are weighed for the gap between the engine that sampled and the trainer.</summary>
public enum ImportanceLevel
{
    /// <summary>Not at all.</summary>
    Off,

    /// <summary>Each token by its own ratio.</summary>
    Token,

    /// <summary>Every token of a response by the product over the response.</summary>
    Sequence,
}

/// <summary>The policy's loss, section <c>loss</c> of a GRPO configuration.</summary>
public sealed record PolicyLossOptions
{
    /// <summary>The surrogate.</summary>
    public PolicyObjective Objective { get; init; } = PolicyObjective.Clipped;

    /// <summary>Whose ratio: <c>sequence</c> is GSPO.</summary>
    public RatioLevel Ratio { get; init; } = RatioLevel.Token;

    /// <summary>ε: a ratio below 1 − ε no longer counts where it would only fall.</summary>
    public double ClipLow { get; init; } = 0.2;

    /// <summary>ε_high: a ratio above 1 + ε_high no longer counts where it would only rise.</summary>
    public double ClipHigh { get; init; } = 0.28;

    /// <summary>Most that a token of negative advantage loses, in multiples of it; null is off, else greater than 1.</summary>
    public double? DualClip { get; init; }

    /// <summary><see cref="CispoCap"/>, where nothing is said.</summary>
    internal const double DefaultCispoCap = 5;

    /// <summary>Cap on the ratio of <see cref="PolicyObjective.Cispo"/>, which uses neither ε nor <see cref="DualClip"/>.</summary>
    public double CispoCap { get; init; } = DefaultCispoCap;

    /// <summary>How tokens are averaged.</summary>
    public LossAggregation Aggregation { get; init; } = LossAggregation.TokenMean;

    /// <summary>What advantages are divided by.</summary>
    public AdvantageScale AdvantageScale { get; init; } = AdvantageScale.Group;

    /// <summary><see cref="AdvantageEpsilon"/>, where nothing is said.</summary>
    internal const double DefaultAdvantageEpsilon = 1e-6;

    /// <summary>Added to that standard deviation.</summary>
    public double AdvantageEpsilon { get; init; } = DefaultAdvantageEpsilon;

    /// <summary>β: weight of the KL divergence to the frozen initial policy; 0 needs no reference.</summary>
    public double KlCoefficient { get; init; }

    /// <summary>Truncated importance weights for the gap between sampler and trainer.</summary>
    public ImportanceLevel Importance { get; init; } = ImportanceLevel.Off;

    /// <summary><see cref="ImportanceCap"/>, where nothing is said.</summary>
    internal const double DefaultImportanceCap = 2;

    /// <summary>What these weights are truncated to.</summary>
    public double ImportanceCap { get; init; } = DefaultImportanceCap;

    /// <summary>Responses cut off by the token limit are not learnt from (they still count in their group's advantages).</summary>
    public bool MaskTruncated { get; init; }

    /// <summary>Groups whose rewards are all equal are left out of every term of the loss, the KL included.</summary>
    public bool DropUniformGroups { get; init; } = true;

    /// <summary>How often, at most, a step draws more prompts for the groups it dropped.</summary>
    public int MaxRefills { get; init; } = 1;
}
