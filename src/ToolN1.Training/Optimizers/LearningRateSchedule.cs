namespace ToolN1.Training.Optimizers;

/// <summary>How the learning rate falls after warm-up.</summary>
public enum LearningRateDecay
{
    /// <summary>Along half a cosine.</summary>
    Cosine,

    /// <summary>Along a line.</summary>
    Linear,

    /// <summary>Not at all.</summary>
    Constant,
}

/// <summary>The factor on the learning rate as a pure function of the update's index: nothing to save, nothing to restore.</summary>
/// <param name="Decay">How it falls.</param>
/// <param name="TotalUpdates">Updates in all.</param>
/// <param name="WarmupUpdates">Updates over which it rises linearly to 1, beginning at 1 / warm-up and never at 0.</param>
/// <param name="Minimum">What it falls to at the last update.</param>
public sealed record LearningRateSchedule(LearningRateDecay Decay, int TotalUpdates, int WarmupUpdates, double Minimum)
{
    /// <summary>The factor for an update.</summary>
    /// <param name="update">From 1 to <see cref="TotalUpdates"/>; beyond, the minimum holds.</param>
    public double Factor(int update)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(update, 1);
        if (update <= WarmupUpdates)
        {
            return (double)update / WarmupUpdates;
        }

        double progress = Math.Min(1, (double)(update - WarmupUpdates) / Math.Max(1, TotalUpdates - WarmupUpdates));
        return Decay switch
        {
            LearningRateDecay.Linear => 1 - ((1 - Minimum) * progress),
            LearningRateDecay.Cosine => Minimum + ((1 - Minimum) * 0.5 * (1 + Math.Cos(Math.PI * progress))),
            _ => 1,
        };
    }
}
