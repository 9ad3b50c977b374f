using System.Text;
using System.Text.Json;
using ToolN1.Engine.Weights;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>One evaluation and its folder: job.json is replaced whole, events.jsonl grows. Thread-safe.</summary>
internal sealed class EvaluationFolder : IDisposable
{
    private const string JobFile = "job.json";
    private const string EventsFile = "events.jsonl";

    private readonly Lock _gate = new();
    private readonly List<EvaluationEvent> _events = [];
    private EvaluationJob _job;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private EvaluationFolder(string path, EvaluationJob job)
    {
        Path = path;
        _job = job;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Cancelled when somebody cancels the evaluation.</summary>
    public CancellationTokenSource Cancellation { get; } = new();

    /// <summary>The evaluation as it stands.</summary>
    public EvaluationJob Job
    {
        get
        {
            lock (_gate)
            {
                return _job;
            }
        }
    }

    /// <summary>Makes the folder of a new evaluation.</summary>
    public static EvaluationFolder Create(string root, EvaluationJob job)
    {
        EvaluationFolder folder = new(System.IO.Path.Combine(root, job.Id), job);
        Directory.CreateDirectory(folder.Path);
        folder.Save();
        return folder;
    }

    /// <summary>Reads a folder; null where it holds no evaluation.</summary>
    /// <exception cref="InvalidDataException">job.json is damaged.</exception>
    public static EvaluationFolder? Open(string path)
    {
        string file = System.IO.Path.Combine(path, JobFile);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            EvaluationJob job = JsonSerializer.Deserialize(File.ReadAllText(file), EvaluationJobJson.Default.EvaluationJob) ?? throw new JsonException("null");
            EvaluationFolder folder = new(path, job);
            folder.ReadEvents();
            return folder;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Changes the evaluation, tells what happened where a message is given, and wakes who watches.</summary>
    /// <param name="change">From the present state to the next.</param>
    /// <param name="time">Now.</param>
    /// <param name="message">Null for a change that is no event.</param>
    /// <param name="level">info or error.</param>
    public void Update(Func<EvaluationJob, EvaluationJob> change, DateTimeOffset time, string? message = null, string level = "info")
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _job = change(_job);
            Save();
            if (message is not null)
            {
                EvaluationEvent happened = new(_events.Count + 1, time, level, message, _job.Progress);
                _events.Add(happened);
                File.AppendAllText(
                    System.IO.Path.Combine(Path, EventsFile), JsonSerializer.Serialize(happened, EvaluationJobJson.Default.EvaluationEvent) + "\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            }

            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    /// <summary>Events from a number on, whether there will be more, and what completes at the next change.</summary>
    public (IReadOnlyList<EvaluationEvent> Events, bool HasEnded, Task Changed) EventsAfter(int number)
    {
        lock (_gate)
        {
            return (_events.Skip(number).ToList(), _job.HasEnded, _changed.Task);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Cancellation.Dispose();

    private void Save() => DurableStorage.WriteText(System.IO.Path.Combine(Path, JobFile), JsonSerializer.Serialize(_job, EvaluationJobJson.Default.EvaluationJob) + "\n");

    /// <summary>A last line without its end is a write that a kill cut off; events are news, not state, so it is passed over.</summary>
    private void ReadEvents()
    {
        string file = System.IO.Path.Combine(Path, EventsFile);
        if (!File.Exists(file))
        {
            return;
        }

        string[] lines = File.ReadAllText(file).Split('\n');
        foreach (string line in lines[..^1])
        {
            if (JsonSerializer.Deserialize(line, EvaluationJobJson.Default.EvaluationEvent) is EvaluationEvent happened)
            {
                _events.Add(happened with { Number = _events.Count + 1 });
            }
        }

        if (lines[^1].Length > 0)
        {
            File.WriteAllText(file, string.Concat(lines[..^1].Select(line => line + "\n")));
        }
    }
}
