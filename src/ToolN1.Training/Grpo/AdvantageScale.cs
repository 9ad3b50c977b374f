namespace ToolN1.Training.Grpo;

/// <summary>What a group's centred rewards are divided by.</summary>
public enum AdvantageScale
{
    /// <summary>The group's own standard deviation.</summary>
    Group,

    /// <summary>The standard deviation of all the rewards of the batch.</summary>
    Batch,

    /// <summary>Nothing.</summary>
    None,
}
