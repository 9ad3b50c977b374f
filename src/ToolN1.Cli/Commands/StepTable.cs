using Spectre.Console;

namespace ToolN1.Cli.Commands;

/// <summary>A terminal's live table of a run's last steps, with notes above, a progress bar and what is being done below. Safe to call from any thread.</summary>
/// <param name="columns">Each column's name and what it shows of a step.</param>
internal sealed class StepTable<T>(IReadOnlyList<(string Name, Func<T, string> Value)> columns) : IDisposable
{
    private const int Shown = 12;
    private const int BarWidth = 30;
    private const int MillisecondsBetweenStatuses = 200;

    private readonly Lock _gate = new();
    private readonly Queue<T> _steps = new();
    private readonly Queue<string> _notes = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveDisplayContext? _live;
    private Task? _display;
    private string _status = string.Empty;
    private long _lastRefresh;

    /// <summary>Begins to show it.</summary>
    public void Begin()
    {
        using ManualResetEventSlim ready = new();
        _display = AnsiConsole.Live(Render()).StartAsync(async context =>
        {
            _live = context;
            ready.Set();
            await _ended.Task;
        });
        ready.Wait();
    }

    /// <summary>Adds a step; the oldest goes.</summary>
    public void Add(T step) => Add(_steps, step);

    /// <summary>Adds a note; the oldest goes.</summary>
    public void Note(string line) => Add(_notes, line);

    /// <summary>Says how far the run is and what is being done; cheap.</summary>
    /// <param name="done">Steps taken.</param>
    /// <param name="total">Steps of the run.</param>
    /// <param name="text">What is being done.</param>
    public void Status(int done, int total, string text)
    {
        int filled = (int)((long)BarWidth * done / Math.Max(1, total));
        lock (_gate)
        {
            _status = $"{new string('━', filled)}{new string('┄', BarWidth - filled)} {done}/{total}  {text}";
            if (Environment.TickCount64 - _lastRefresh > MillisecondsBetweenStatuses)
            {
                Refresh();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.TrySetResult();
        _display?.Wait();
        _display = null;
    }

    private void Add<TItem>(Queue<TItem> queue, TItem item)
    {
        lock (_gate)
        {
            queue.Enqueue(item);
            if (queue.Count > Shown)
            {
                queue.Dequeue();
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
        foreach ((string name, _) in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(name)).RightAligned());
        }

        foreach (T step in _steps)
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(column.Value(step)))]);
        }

        return new Rows([.. _notes.Select(note => new Text(note)), table, new Text(_status)]);
    }
}
