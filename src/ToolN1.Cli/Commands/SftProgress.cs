using System.Diagnostics;
using ToolN1.Training.Sft;

namespace ToolN1.Cli.Commands;

/// <summary>Shows a supervised run: a live table of the last measured steps and a progress bar on a terminal, plain lines elsewhere.</summary>
internal sealed class SftProgress : ISftObserver, IDisposable
{
    private static readonly (string Name, Func<SftStepResult, string> Value)[] Columns =
    [
        ("step", result => $"{result.Step}"),
        ("phase", result => result.Phase),
        ("loss", result => $"{result.Loss:F3}"),
        ("answer", result => $"{result.AnswerLoss:F3}"),
        ("token", result => $"{result.TokenAccuracy:P1}"),
        ("whole", result => $"{result.AnswerAccuracy:P1}"),
        ("tok/s", result => $"{result.TokensPerSecond:N0}"),
        ("|g|", result => $"{result.GradientNorm:F2}"),
        ("lr ×", result => $"{result.ScheduleFactor:F3}"),
        ("skipped", result => $"{result.SkippedSteps}"),
    ];

    private readonly StepTable<SftStepResult>? _table = Console.IsOutputRedirected ? null : new(Columns);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _firstStep;
    private int _step;
    private int _totalSteps;

    /// <inheritdoc/>
    public void Started(long parameters, int doneSteps, int totalSteps)
    {
        (_step, _totalSteps) = (doneSteps, totalSteps);
        Note($"{parameters:N0} parameters, steps {doneSteps + 1:N0} to {totalSteps:N0}");
        _table?.Status(doneSteps, totalSteps, "reading rows");
        _table?.Begin();
    }

    /// <inheritdoc/>
    public void PhaseLoaded(string phase, SftDatasetSummary summary)
    {
        // Reading the rows is no step: what is left is told by the steps of this phase.
        _firstStep = _step;
        _clock.Restart();
        Note(
            $"phase {phase}: {summary.RowsKept:N0} of {summary.RowsRead:N0} rows in {summary.Groups:N0} groups, {summary.Tokens:N0} tokens a pass"
            + (summary.TooLong + summary.TooManyTools > 0 ? $"; left out {summary.TooLong:N0} too long, {summary.TooManyTools:N0} with too many tools" : ""));
    }

    /// <inheritdoc/>
    public void Stepped(int step)
    {
        _step = step;
        _table?.Status(step, _totalSteps, $"{Left(step)} left");
    }

    /// <inheritdoc/>
    public void Saved(int step, string folder)
    {
        // The display has no place for it.
    }

    /// <inheritdoc/>
    public void Measured(SftStepResult result)
    {
        if (_table is not null)
        {
            _table.Add(result);
            return;
        }

        string figures = string.Join(
            ' ',
            $"loss {result.Loss:F3} answer {result.AnswerLoss:F3} token {result.TokenAccuracy:P1} whole {result.AnswerAccuracy:P1} {result.TokensPerSecond:N0} tok/s",
            $"|g| {result.GradientNorm:F2} lr ×{result.ScheduleFactor:F3}");
        Console.WriteLine($"step {result.Step}/{_totalSteps} {result.Phase} {figures} skipped {result.SkippedSteps} left {Left(result.Step)}");
    }

    /// <inheritdoc/>
    public void Dispose() => _table?.Dispose();

    private string Left(int step) =>
        $"{TimeSpan.FromSeconds(_clock.Elapsed.TotalSeconds / Math.Max(1, step - _firstStep) * (_totalSteps - step)):hh\\:mm\\:ss}";

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
