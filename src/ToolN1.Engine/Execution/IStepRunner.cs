using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Execution;

/// <summary>Computes scheduled batches. Called by the engine's thread only.</summary>
internal interface IStepRunner : IDisposable
{
    /// <summary>Computes a batch and chooses next tokens.</summary>
    /// <returns>One result for each item, in order.</returns>
    IReadOnlyList<StepResult> Execute(ScheduledBatch batch);
}
