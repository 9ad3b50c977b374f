using ToolN1.Engine.Chat;
using ToolN1.Training.Data.Synthetic;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// The questions of benchmarks, to keep training data clear of them. A row is contaminated when its user turns share a run
/// of words with a question's, or are, word for word, a question shorter than that. Memory depends on the benchmarks only.
/// </summary>
public sealed class BenchmarkQuestions
{
    private readonly int _run;
    private readonly List<(string Benchmark, string Category, string Id, string Words)> _cases = [];
    private readonly Dictionary<ulong, int> _runs = [];
    private readonly Dictionary<string, int> _short = new(StringComparer.Ordinal);

    /// <param name="run">Words in a row that count as shared.</param>
    public BenchmarkQuestions(int run)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(run, 2);
        _run = run;
    }

    /// <summary>Questions held.</summary>
    public int Count => _cases.Count;

    /// <summary>Adds a benchmark's questions.</summary>
    /// <param name="benchmark">One of <see cref="BenchmarkSuite.Names"/>.</param>
    /// <param name="folder">The user's copy of the data.</param>
    /// <exception cref="InvalidDataException">The folder is not the benchmark's.</exception>
    public void Add(string benchmark, string folder)
    {
        foreach (BenchmarkCase question in BenchmarkSuite.Load(benchmark, folder, []))
        {
            List<string> words = TextWords.Split(string.Join('\n', question.Utterances));
            _cases.Add((benchmark, question.Category, question.Id, string.Join(' ', words)));
            if (words.Count < _run)
            {
                _short.TryAdd(string.Join(' ', words), _cases.Count - 1);
            }

            for (int at = 0; at + _run <= words.Count; at++)
            {
                _runs.TryAdd(SeededRandom.Hash(TextWords.Join(words, at, _run)), _cases.Count - 1);
            }
        }
    }

    /// <summary>The first question that a row shares text with, and the text; null for a clean row.</summary>
    internal (string Benchmark, string Category, string Id, string Shared)? Find(TrainingRow row)
    {
        List<string> words = TextWords.Split(string.Join('\n', row.Messages.Where(message => message.Role == ChatRole.User).Select(message => message.Content)));
        string all = string.Join(' ', words);
        if (words.Count < _run)
        {
            return words.Count > 0 && _short.TryGetValue(all, out int same) ? Hit(same, all) : null;
        }

        for (int at = 0; at + _run <= words.Count; at++)
        {
            string run = TextWords.Join(words, at, _run);
            if (_runs.TryGetValue(SeededRandom.Hash(run), out int found) && _cases[found].Words.Contains(run, StringComparison.Ordinal))
            {
                return Hit(found, run);
            }
        }

        return null;
    }

    private (string Benchmark, string Category, string Id, string Shared) Hit(int index, string shared) =>
        (_cases[index].Benchmark, _cases[index].Category, _cases[index].Id, shared);
}
