using System.Text;
using ToolN1.Engine.Weights;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// A run's folder. Each result is appended to results.jsonl and forced to disk before it counts, so a killed run loses
/// nothing that was answered and asks nothing twice. Thread-safe.
/// </summary>
public sealed class EvaluationStore : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _stream;
    private readonly Dictionary<(string Category, string Id), EvaluationResult> _results = [];

    private EvaluationStore(string folder, FileStream stream)
    {
        Folder = folder;
        _stream = stream;
    }

    /// <summary>The run's folder.</summary>
    public string Folder { get; }

    /// <summary>Opens a new run or goes on with one.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="settings">What the run's answers depend on, in the same text each time (run.json).</param>
    /// <exception cref="InvalidDataException">The folder holds a run with other settings, or a damaged line; the message says which.</exception>
    /// <exception cref="IOException">Another run has the folder open.</exception>
    public static EvaluationStore Open(string folder, string settings)
    {
        Directory.CreateDirectory(folder);
        string run = Path.Combine(folder, "run.json");
        if (File.Exists(run) && File.ReadAllText(run) is string before && before != settings)
        {
            throw new InvalidDataException($"{folder} holds a run with other settings; choose another --out.\nthere: {before}\nnow:   {settings}");
        }

        FileStream stream = new(Path.Combine(folder, "results.jsonl"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            EvaluationStore store = new(folder, stream);
            store.Recover();

            // Whole or not at all, and once: a kill must not leave half of the settings, which no later run could go on with.
            if (!File.Exists(run))
            {
                DurableStorage.WriteText(run, settings);
            }

            return store;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads the results of a run, open or not.</summary>
    /// <exception cref="InvalidDataException">There is none, or a line is damaged.</exception>
    public static IReadOnlyList<EvaluationResult> Read(string folder)
    {
        string file = Path.Combine(folder, "results.jsonl");
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"{file} is missing: not the folder of an evaluation.");
        }

        List<EvaluationResult> results = [];
        using StreamReader reader = new(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        for (int number = 1; reader.ReadLine() is string line; number++)
        {
            try
            {
                results.Add(EvaluationResult.Parse(line));
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"{file}, line {number}: {e.Message}", e);
            }
        }

        return results;
    }

    /// <summary>The results so far.</summary>
    public IReadOnlyList<EvaluationResult> Results
    {
        get
        {
            lock (_gate)
            {
                return [.. _results.Values];
            }
        }
    }

    /// <summary>Whether a question is answered.</summary>
    public bool Contains(BenchmarkCase question)
    {
        lock (_gate)
        {
            return _results.ContainsKey((question.Category, question.Id));
        }
    }

    /// <summary>Keeps a result; it is on disk when this returns.</summary>
    public void Append(EvaluationResult result)
    {
        byte[] line = Encoding.UTF8.GetBytes(result.ToJson() + "\n");
        lock (_gate)
        {
            if (_results.TryAdd((result.Category, result.Id), result))
            {
                _stream.Write(line);
                _stream.Flush(flushToDisk: true);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>Reads what is there; a last line without its end is a write that a kill cut off, and is dropped.</summary>
    private void Recover()
    {
        byte[] bytes = new byte[_stream.Length];
        _stream.ReadExactly(bytes);
        int end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        int number = 0;
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            number++;
            try
            {
                EvaluationResult result = EvaluationResult.Parse(line);
                _results[(result.Category, result.Id)] = result;
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"{_stream.Name}, line {number}: {e.Message}", e);
            }
        }

        _stream.SetLength(end);
        _stream.Position = end;
    }
}
