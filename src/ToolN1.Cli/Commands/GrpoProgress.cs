using Spectre.Console;
using ToolN1.Training.Grpo;

namespace ToolN1.Cli.Commands;

/// <summary>Shows a GRPO run: a live table of the last steps on a terminal, plain lines elsewhere.</summary>
internal sealed class GrpoProgress : IGrpoObserver, IDisposable
{
    private const int StepsShown = 12;

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
        ("lr", step => $"{step.LearningRate:G3}"),
        ("gen tok/s", step => $"{step.GeneratedTokensPerSecond:N0}"),
        ("train tok/s", step => $"{step.TrainedTokensPerSecond:N0}"),
        ("s", step => $"{step.Seconds.Total:F1}"),
    ];

    private readonly bool _isTerminal = !Console.IsOutputRedirected;
    private readonly Lock _gate = new();
    private readonly Queue<GrpoStepResult> _steps = new();
    private readonly Queue<string> _notes = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveDisplayContext? _live;
    private Task? _display;
    private string _phase = string.Empty;
    private int _totalSteps;
    private long _lastRefresh;

    /// <inheritdoc/>
    public void Started(GrpoStart start)
    {
        _totalSteps = start.TotalSteps;
        Note($"{start.Parameters:N0} parameters, {start.TrainedParameters:N0} trained; {start.Rows:N0} rows"
            + (start.RowsTooLong > 0 ? $" ({start.RowsTooLong:N0} left out as too long)" : string.Empty) + $"; steps {start.DoneSteps + 1:N0} to {start.TotalSteps:N0}");
        if (!_isTerminal)
        {
            Console.WriteLine(string.Join('\t', Columns.Select(column => column.Name)));
            return;
        }

        using ManualResetEventSlim ready = new();
        _display = AnsiConsole.Live(Render()).StartAsync(async context =>
        {
            _live = context;
            ready.Set();
            await _ended.Task;
        });
        ready.Wait();
    }

    /// <inheritdoc/>
    public void Progressed(string phase, int done, int total)
    {
        lock (_gate)
        {
            _phase = $"{phase} {done}/{total}";
            if (Environment.TickCount64 - _lastRefresh > 200)
            {
                Refresh();
            }
        }
    }

    /// <inheritdoc/>
    public void Stepped(GrpoStepResult result)
    {
        lock (_gate)
        {
            if (!_isTerminal)
            {
                Console.WriteLine(string.Join('\t', Columns.Select(column => column.Value(result))));
                return;
            }

            _steps.Enqueue(result);
            if (_steps.Count > StepsShown)
            {
                _steps.Dequeue();
            }

            Refresh();
        }
    }

    /// <inheritdoc/>
    public void Sampled(IReadOnlyList<GrpoSample> samples)
    {
        // They are in samples.jsonl; a terminal is no place for other people's texts.
    }

    /// <inheritdoc/>
    public void Evaluated(GrpoEvaluation evaluation) =>
        Note($"step {evaluation.Step}: {evaluation.Set} {100 * evaluation.Rate:F1}% ({100 * evaluation.Low:F1}–{100 * evaluation.High:F1}) of {evaluation.Rows:N0}");

    /// <inheritdoc/>
    public void Saved(int step, string path)
    {
    }

    /// <inheritdoc/>
    public void Alarmed(GrpoAlarm alarm) => Note($"step {alarm.Step}: {alarm.Kind}: {alarm.Message}");

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.TrySetResult();
        _display?.Wait();
        _display = null;
    }

    private static string Number(double? value, string format) => value?.ToString(format) ?? "–";

    private void Note(string line)
    {
        lock (_gate)
        {
            if (!_isTerminal)
            {
                Console.WriteLine(line);
                return;
            }

            _notes.Enqueue(line);
            if (_notes.Count > StepsShown)
            {
                _notes.Dequeue();
            }

            Refresh();
        }
    }

    private void Refresh()
    {
        _lastRefresh = Environment.TickCount64;
        _live?.UpdateTarget(Render());
    }

    private Rows Render()
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach ((string name, _) in Columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(name)).RightAligned());
        }

        foreach (GrpoStepResult step in _steps)
        {
            table.AddRow([.. Columns.Select(column => Markup.Escape(column.Value(step)))]);
        }

        return new Rows([.. _notes.Select(note => new Text(note)), table, new Text($"{_phase} of {_totalSteps} steps")]);
    }
}
