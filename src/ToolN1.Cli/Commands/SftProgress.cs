using System.Diagnostics;
using Spectre.Console;
using ToolN1.Training.Sft;

namespace ToolN1.Cli.Commands;

/// <summary>Shows a supervised run: a progress bar on a terminal, plain lines elsewhere.</summary>
internal sealed class SftProgress : ISftObserver, IDisposable
{
    private const int BarWidth = 20;

    // Bar, percentage and remaining time with the space between them.
    private const int BesideFigures = BarWidth + 20;

    private readonly bool _isTerminal = !Console.IsOutputRedirected;
    private readonly TaskCompletionSource _ended = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private Task? _display;
    private ProgressTask? _bar;
    private int _firstStep;
    private int _step;
    private int _totalSteps;

    /// <inheritdoc/>
    public void Started(long parameters, int doneSteps, int totalSteps)
    {
        (_step, _totalSteps) = (doneSteps, totalSteps);
        WriteLine($"{parameters:N0} parameters, steps {doneSteps + 1:N0} to {totalSteps:N0}");
        if (!_isTerminal)
        {
            return;
        }

        using ManualResetEventSlim ready = new();
        _display = AnsiConsole.Progress()
            .Columns(new ProgressBarColumn { Width = BarWidth }, new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async context =>
            {
                _bar = context.AddTask(" ", maxValue: totalSteps);
                _bar.Value = doneSteps;
                ready.Set();
                await _ended.Task;
            });
        ready.Wait();
    }

    /// <inheritdoc/>
    public void PhaseLoaded(string phase, SftDatasetSummary summary)
    {
        // Reading the rows is no step: what is left is told by the steps of this phase.
        _firstStep = _step;
        _clock.Restart();
        WriteLine(
            $"phase {phase}: {summary.RowsKept:N0} of {summary.RowsRead:N0} rows in {summary.Groups:N0} groups, {summary.Tokens:N0} tokens a pass"
            + (summary.TooLong + summary.TooManyTools > 0 ? $"; left out {summary.TooLong:N0} too long, {summary.TooManyTools:N0} with too many tools" : ""));
    }

    /// <inheritdoc/>
    public void Stepped(int step)
    {
        _step = step;
        if (_bar is not null)
        {
            _bar.Value = step;
        }
    }

    /// <inheritdoc/>
    public void Saved(int step, string folder)
    {
        // The progress bar has no place for it.
    }

    /// <inheritdoc/>
    public void Measured(SftStepResult result)
    {
        double secondsLeft = _clock.Elapsed.TotalSeconds / Math.Max(1, result.Step - _firstStep) * (_totalSteps - result.Step);
        string[] figures =
        [
            $"loss {result.Loss:F3}", $"answer {result.AnswerLoss:F3}", $"token {result.TokenAccuracy:P1}", $"whole {result.AnswerAccuracy:P1}", $"{result.TokensPerSecond:N0} tok/s",
            $"|g| {result.GradientNorm:F2}", $"lr ×{result.ScheduleFactor:F3}",
        ];
        if (_bar is not null)
        {
            _bar.Description = Markup.Escape(Fit(result.Phase, figures, AnsiConsole.Profile.Width - BesideFigures));
            return;
        }

        string line = string.Join(' ', figures);
        WriteLine($"step {result.Step}/{_totalSteps} {result.Phase} {line} skipped {result.SkippedSteps} left {TimeSpan.FromSeconds(secondsLeft):hh\\:mm\\:ss}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.TrySetResult();
        _display?.Wait();
        _display = null;
    }

    /// <summary>As many figures as a line has room for, so that none wraps.</summary>
    private static string Fit(string phase, IEnumerable<string> figures, int width)
    {
        string line = phase;
        foreach (string figure in figures.TakeWhile(figure => line.Length + 1 + figure.Length <= width))
        {
            line += " " + figure;
        }

        return line;
    }

    private void WriteLine(string line)
    {
        if (_isTerminal)
        {
            AnsiConsole.WriteLine(line);
        }
        else
        {
            Console.WriteLine(line);
        }
    }
}
