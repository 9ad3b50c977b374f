namespace ToolN1.Training.Grpo;

/// <summary>How a run ended.</summary>
public enum GrpoOutcome
{
    /// <summary>All steps are done and the model was written.</summary>
    Finished,

    /// <summary>It was cancelled; its last step is in a checkpoint.</summary>
    Stopped,

    /// <summary>An alarm ended it; the model written is that of the best checkpoint, or without held-out rows of the newest from before the alarm.</summary>
    EndedByAlarm,
}
