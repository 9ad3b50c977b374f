namespace ToolN1.Training.Sft;

/// <summary>Gathers steps into lines of metrics.</summary>
internal sealed class SftMeter(string phase, int groups)
{
    private readonly List<StepSums> _steps = [];
    private double _seconds;

    /// <summary>Adds a step.</summary>
    public void Add(StepSums sums, double seconds)
    {
        _steps.Add(sums);
        _seconds += seconds;
    }

    /// <summary>Means of the steps since the last call, non-finite ones left out of the means.</summary>
    public SftStepResult Take(SftState state, double scheduleFactor)
    {
        StepSums[] finite = [.. _steps.Where(step => step.IsFinite)];
        double answerTokens = Math.Max(1, finite.Sum(step => step.AnswerTokens));
        SftStepResult result = new()
        {
            Step = state.Step,
            Phase = phase,
            Epoch = state.Epoch + ((double)state.Position / groups),
            Loss = finite.Select(step => step.Loss).DefaultIfEmpty(double.NaN).Average(),
            AnswerLoss = finite.Sum(step => step.AnswerLossSum) / answerTokens,
            TokenAccuracy = finite.Sum(step => step.RightTokens) / answerTokens,
            AnswerAccuracy = (double)finite.Sum(step => step.RightAnswers) / Math.Max(1, finite.Sum(step => step.Answers)),
            ScheduleFactor = scheduleFactor,
            GradientNorm = finite.Select(step => step.GradientNorm).DefaultIfEmpty(double.NaN).Average(),
            Tokens = state.Tokens,
            TokensPerSecond = _steps.Sum(step => step.Tokens) / Math.Max(1e-9, _seconds),
            SkippedSteps = state.SkippedSteps,
            Seconds = state.Seconds,
        };
        _steps.Clear();
        _seconds = 0;
        return result;
    }
}
