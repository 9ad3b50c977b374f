namespace ToolN1.Training;

/// <summary>Training halted: too many steps in a row had a loss or gradient that was not finite. The newest checkpoint is from before.</summary>
public sealed class NonFiniteTrainingException(int step, int steps)
    : Exception($"Step {step} is the {steps}th in a row whose loss or gradient is not finite; training halted.");
