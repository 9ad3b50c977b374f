namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>Where an evaluation stands.</summary>
public enum EvaluationStatus
{
    /// <summary>Waits for the one before it.</summary>
    Queued,

    /// <summary>Asks and scores.</summary>
    Running,

    /// <summary>Every question has a verdict.</summary>
    Succeeded,

    /// <summary>It could not go on, or questions stayed without an answer; see its error.</summary>
    Failed,

    /// <summary>Somebody cancelled it; the answers so far are kept.</summary>
    Cancelled,
}
