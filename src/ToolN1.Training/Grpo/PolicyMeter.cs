namespace ToolN1.Training.Grpo;

/// <summary>Sums over the tokens of a step's updates.</summary>
internal sealed class PolicyMeter
{
    /// <summary>Response tokens learnt from, counted once an update.</summary>
    public long Tokens { get; private set; }

    /// <summary>Tokens passed through the model for gradients, prompts counted once a group.</summary>
    public long PassTokens { get; set; }

    /// <summary>Sum of the losses of the updates.</summary>
    public double Loss { get; set; }

    /// <summary>Updates made.</summary>
    public int Updates { get; set; }

    /// <summary>Sum of the gradient norms before clipping.</summary>
    public double GradientNorm { get; set; }

    /// <summary>Of entropies.</summary>
    public RunningRange Entropy { get; } = new();

    /// <summary>Of KL estimates to the reference; empty without one.</summary>
    public RunningRange Kl { get; } = new();

    /// <summary>Of π / π_old.</summary>
    public RunningRange Ratio { get; } = new();

    /// <summary>Of truncated importance weights; empty when off.</summary>
    public RunningRange Importance { get; } = new();

    /// <summary>Of the sampler's and the trainer's log-probabilities' absolute difference.</summary>
    public RunningRange Gap { get; } = new();

    /// <summary>Of log π_old − log π.</summary>
    public RunningRange PolicyKl { get; } = new();

    /// <summary>Tokens whose ratio was clipped from below; CISPO clips none.</summary>
    public long ClippedLow { get; private set; }

    /// <summary>Tokens whose ratio was clipped from above, or by CISPO's cap.</summary>
    public long ClippedHigh { get; private set; }

    /// <summary>Adds some tokens.</summary>
    public void Add(PolicyLossOptions options, IReadOnlyList<TokenSample> samples)
    {
        bool isCapped = options.Objective == PolicyObjective.Cispo;
        foreach (TokenSample sample in samples)
        {
            Tokens++;
            Ratio.Add(sample.Ratio);
            PolicyKl.Add(sample.Old - sample.LogProb);
            Gap.Add(Math.Abs(sample.Old - sample.Sampled));
            ClippedLow += !isCapped && sample.Advantage < 0 && sample.Ratio < 1 - options.ClipLow ? 1 : 0;
            ClippedHigh += (isCapped ? sample.Ratio > options.CispoCap : sample.Advantage > 0 && sample.Ratio > 1 + options.ClipHigh) ? 1 : 0;
            if (sample.Kl is float kl)
            {
                Kl.Add(kl);
            }

            if (sample.Importance is float importance)
            {
                Importance.Add(importance);
            }
        }
    }
}

/// <summary>What the metrics want to know of a token.</summary>
internal readonly record struct TokenSample(float LogProb, float Old, float Sampled, double Advantage, float Ratio, float? Kl, float? Importance);

/// <summary>Mean, least and greatest of numbers.</summary>
internal sealed class RunningRange
{
    private double _sum;
    private long _count;

    /// <summary>Least; null without numbers.</summary>
    public double? Least { get; private set; }

    /// <summary>Greatest; null without numbers.</summary>
    public double? Greatest { get; private set; }

    /// <summary>Mean; null without numbers.</summary>
    public double? Mean => _count == 0 ? null : _sum / _count;

    /// <summary>Adds a number.</summary>
    public void Add(double value)
    {
        _sum += value;
        _count++;
        Least = Least is double least ? Math.Min(least, value) : value;
        Greatest = Greatest is double greatest ? Math.Max(greatest, value) : value;
    }
}
