using System.Globalization;
using System.Text.Json;
using ToolN1.Training.Grpo;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Passes on what a run tells, and to the run what was asked of it between steps.</summary>
internal sealed class ReinforcementObserver(IJobReporter reporter) : IGrpoObserver
{
    private long _trainedTokens;

    /// <summary>The run; set before it begins.</summary>
    public GrpoRun? Run { get; set; }

    /// <inheritdoc/>
    public void Started(GrpoStart start)
    {
        _trainedTokens = start.TrainedTokens;
        reporter.Started(start.DoneSteps, start.TotalSteps);
        reporter.Message("info", $"Sampling answers to {start.Rows} rows; {start.TrainedParameters} of {start.Parameters} parameters are trained.");
        if (start.RowsTooLong > 0)
        {
            reporter.Message("warn", $"{start.RowsTooLong} rows have longer prompts than max_prompt_tokens, or leave no room for an answer, and are left out.");
        }

        Change(start.DoneSteps + 1);
    }

    /// <inheritdoc/>
    public void Progressed(string phase, int done, int total)
    {
        // Steps are told, their parts are not.
    }

    /// <inheritdoc/>
    public void Stepped(GrpoStepResult result)
    {
        _trainedTokens += result.TrainedTokens;
        string headline = result.RewardMean is double reward
            ? string.Create(CultureInfo.InvariantCulture, $"mean reward={reward:F4}, {result.GroupsTrained} of {result.Groups} groups learnt from")
            : "no answer could be scored";
        reporter.Measured(result.Step, _trainedTokens, headline, ReinforcementFigures.Of(result));
        Change(result.Step + 1);
    }

    /// <inheritdoc/>
    public void Sampled(IReadOnlyList<GrpoSample> samples)
    {
        if (samples.Count > 0)
        {
            reporter.Sampled(samples[0].Step, samples);
        }
    }

    /// <inheritdoc/>
    public void Evaluated(GrpoEvaluation evaluation)
    {
        string interval = evaluation.Rate is null ? "" : string.Create(CultureInfo.InvariantCulture, $" ({evaluation.Low:P1} to {evaluation.High:P1} with 95%)");
        string unscored = evaluation.Unscored == 0 ? "" : $"; {evaluation.Unscored} more could not be scored";
        reporter.Evaluated(
            evaluation.Step,
            $"Held-out rows after step {evaluation.Step}: {evaluation.Correct} of {evaluation.Rows} right{interval}{unscored}",
            new Dictionary<string, double>
            {
                ["valid_rate"] = evaluation.Rate ?? double.NaN,
                ["valid_correct"] = evaluation.Correct,
                ["valid_rows"] = evaluation.Rows,
                ["valid_unscored"] = evaluation.Unscored,
            });
    }

    /// <inheritdoc/>
    public void Saved(int step, string path) => reporter.Saved(step, path);

    /// <inheritdoc/>
    public void Alarmed(GrpoAlarm alarm) => reporter.Message("warn", $"Step {alarm.Step}, {alarm.Kind}: {alarm.Message}");

    private void Change(int step)
    {
        foreach (string edit in reporter.Edits(step))
        {
            Run!.Change(JsonSerializer.Deserialize(edit, ReinforcementJson.Default.GrpoEdit)!);
        }
    }
}
