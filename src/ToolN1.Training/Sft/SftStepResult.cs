namespace ToolN1.Training.Sft;

/// <summary>What one optimizer step, or the mean of several, came to.</summary>
public sealed record SftStepResult
{
    /// <summary>Step, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Name of the phase.</summary>
    public required string Phase { get; init; }

    /// <summary>Passes over the phase's data, fractions included.</summary>
    public required double Epoch { get; init; }

    /// <summary>Weighted mean negative log-likelihood that was minimised.</summary>
    public required double Loss { get; init; }

    /// <summary>Mean negative log-likelihood of answer tokens.</summary>
    public required double AnswerLoss { get; init; }

    /// <summary>Fraction of answer tokens that are the likeliest, given the right ones before.</summary>
    public required double TokenAccuracy { get; init; }

    /// <summary>Fraction of answers all of whose tokens are.</summary>
    public required double AnswerAccuracy { get; init; }

    /// <summary>Factor on the learning rates.</summary>
    public required double ScheduleFactor { get; init; }

    /// <summary>Global gradient norm before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Tokens trained on since the run began, shared prefixes counted once.</summary>
    public required long Tokens { get; init; }

    /// <summary>Tokens a second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Steps skipped since the run began because loss or gradient was not finite.</summary>
    public required int SkippedSteps { get; init; }

    /// <summary>Seconds of training since the run began, over all resumptions.</summary>
    public required double Seconds { get; init; }
}
