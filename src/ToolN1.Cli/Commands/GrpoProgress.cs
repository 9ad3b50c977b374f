using ToolN1.Training.Grpo;

namespace ToolN1.Cli.Commands;

/// <summary>Shows a GRPO run: a live table of the last steps on a terminal, plain lines elsewhere.</summary>
internal sealed class GrpoProgress : IGrpoObserver, IDisposable
{
    private static readonly (string Name, Func<GrpoStepResult, string> Value)[] Columns =
    [
        ("step", step => $"{step.Step}"),
        ("reward", step => Number(step.RewardMean, "F3")),
        ("± std", step => Number(step.RewardStd, "F2")),
        ("uniform", step => $"{step.FractionUniform:P0}"),
        ("groups", step => $"{step.GroupsTrained}/{step.Groups}"),
        ("tokens", step => $"{step.ResponseLengthMean:F0}"),
        ("cut off", step => $"{step.ClippedRatio:P0}"),
        ("KL", step => Number(step.Kl, "F4")),
        ("entropy", step => Number(step.Entropy, "F3")),
        ("clipped", step => Number(step.ClipFractionLow + step.ClipFractionHigh, "P1")),
        ("gap", step => Number(step.LogProbGapMean, "F4")),
        ("|g|", step => Number(step.GradientNorm, "F2")),
        ("lr", step => Number(step.LearningRate, "G3")),
        ("gen tok/s", step => $"{step.GeneratedTokensPerSecond:N0}"),
        ("train tok/s", step => $"{step.TrainedTokensPerSecond:N0}"),
        ("s", step => $"{step.Seconds.Total:F1}"),
    ];

    private readonly StepTable<GrpoStepResult>? _table = Console.IsOutputRedirected ? null : new(Columns);
    private int _doneSteps;
    private int _totalSteps;

    /// <inheritdoc/>
    public void Started(GrpoStart start)
    {
        (_doneSteps, _totalSteps) = (start.DoneSteps, start.TotalSteps);
        Note($"{start.Parameters:N0} parameters, {start.TrainedParameters:N0} trained; {start.Rows:N0} rows; steps {start.DoneSteps + 1:N0} to {start.TotalSteps:N0}");
        if (start.RowsTooLong + start.RowsInWords + start.HeldOutInWords > 0)
        {
            Note($"left out {start.RowsTooLong:N0} rows as too long, {start.RowsInWords:N0} as answered in words, {start.HeldOutInWords:N0} held-out ones as answered in words");
        }

        if (_table is null)
        {
            Console.WriteLine(string.Join('\t', Columns.Select(column => column.Name)));
        }
        else
        {
            _table.Begin();
        }
    }

    /// <inheritdoc/>
    public void Progressed(string phase, int done, int total) => _table?.Status(_doneSteps, _totalSteps, $"{phase} {done}/{total}");

    /// <inheritdoc/>
    public void Stepped(GrpoStepResult result)
    {
        _doneSteps = result.Step;
        if (_table is null)
        {
            Console.WriteLine(string.Join('\t', Columns.Select(column => column.Value(result))));
        }
        else
        {
            _table.Add(result);
        }
    }

    /// <inheritdoc/>
    public void Sampled(IReadOnlyList<GrpoSample> samples)
    {
        // They are in samples.jsonl; a terminal is no place for other people's texts.
    }

    /// <inheritdoc/>
    public void Evaluated(GrpoEvaluation evaluation) =>
        Note($"step {evaluation.Step}: {evaluation.Set} {Number(100 * evaluation.Rate, "F1")}% ({Number(100 * evaluation.Low, "F1")}–{Number(100 * evaluation.High, "F1")}) of {evaluation.Rows:N0}");

    /// <inheritdoc/>
    public void Saved(int step, string path)
    {
    }

    /// <inheritdoc/>
    public void Alarmed(GrpoAlarm alarm) => Note($"step {alarm.Step}: {alarm.Kind}: {alarm.Message}");

    /// <inheritdoc/>
    public void Dispose() => _table?.Dispose();

    private static string Number(double? value, string format) => value?.ToString(format) ?? "–";

    private void Note(string line)
    {
        if (_table is null)
        {
            Console.WriteLine(line);
        }
        else
        {
            _table.Note(line);
        }
    }
}
