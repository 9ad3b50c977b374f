namespace ToolN1.Training.Grpo;

/// <summary>Sees a GRPO run go by. Called by the run in order, one call at a time, except for <see cref="Progressed"/>.</summary>
public interface IGrpoObserver
{
    /// <summary>Model and data are ready; the run begins or goes on.</summary>
    void Started(GrpoStart start);

    /// <summary>A part of the step in progress was done. From any thread; cheap.</summary>
    /// <param name="phase"><c>generate</c>, <c>score</c>, <c>train</c> or <c>evaluate</c>.</param>
    /// <param name="done">Parts done.</param>
    /// <param name="total">Parts in all.</param>
    void Progressed(string phase, int done, int total);

    /// <summary>A step was done.</summary>
    void Stepped(GrpoStepResult result);

    /// <summary>Some of the step's responses, written to samples.jsonl too.</summary>
    void Sampled(IReadOnlyList<GrpoSample> samples);

    /// <summary>A held-out set was answered.</summary>
    void Evaluated(GrpoEvaluation evaluation);

    /// <summary>A checkpoint is on disk.</summary>
    /// <param name="step">Its step.</param>
    /// <param name="path">Its folder.</param>
    void Saved(int step, string path);

    /// <summary>Something wants a look.</summary>
    void Alarmed(GrpoAlarm alarm);
}

/// <summary>What a run is about to do.</summary>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="TrainedParameters">Those that move.</param>
/// <param name="Rows">Rows to draw prompts from.</param>
/// <param name="RowsTooLong">Rows left out for their prompt's length.</param>
/// <param name="RowsInWords">Rows left out because they are answered in words, which the built-in reward cannot judge.</param>
/// <param name="HeldOutInWords">Held-out rows left out for the same reason.</param>
/// <param name="DoneSteps">Steps done before (0 for a new run).</param>
/// <param name="TotalSteps">Steps in all.</param>
/// <param name="TrainedTokens">Tokens passed for gradients in the steps done.</param>
public sealed record GrpoStart(long Parameters, long TrainedParameters, int Rows, int RowsTooLong, int RowsInWords, int HeldOutInWords, int DoneSteps, int TotalSteps, long TrainedTokens);
