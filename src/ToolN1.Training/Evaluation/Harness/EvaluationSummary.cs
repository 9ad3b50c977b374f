using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A run's figures.</summary>
public sealed class EvaluationSummary
{
    private EvaluationSummary(string benchmark, string model, IReadOnlyList<EvaluationResult> results)
    {
        Benchmark = benchmark;
        Model = model;
        Categories = results.GroupBy(result => result.Category, StringComparer.Ordinal).ToDictionary(group => group.Key, Score, StringComparer.Ordinal);
        Total = Score(results);
        Headlines = BenchmarkSuite.Headlines(benchmark, Categories);
        Failures = Count(results.Select(result => result.Failure));
        ErrorTypes = Count(results.Select(result => result.ErrorType));
        Tools = results.SelectMany(result => result.ExpectedTools.Select(tool => (tool, result)))
            .GroupBy(pair => pair.tool, StringComparer.Ordinal)
            .Select(group => (group.Key, Score(group.Select(pair => pair.result))))
            .OrderBy(entry => entry.Item2.Accuracy).ThenByDescending(entry => entry.Item2.Cases).ThenBy(entry => entry.Key, StringComparer.Ordinal)
            .ToList();
        Latencies = results.Select(result => result.LatencyMilliseconds).Order().ToList();
        PromptTokens = results.Sum(result => (long)(result.PromptTokens ?? 0));
        CompletionTokens = results.Sum(result => (long)(result.CompletionTokens ?? 0));
    }

    /// <summary>bfcl, api-bank or acebench.</summary>
    public string Benchmark { get; }

    /// <summary>The model's name.</summary>
    public string Model { get; }

    /// <summary>By category.</summary>
    public IReadOnlyDictionary<string, CategoryScore> Categories { get; }

    /// <summary>All questions together.</summary>
    public CategoryScore Total { get; }

    /// <summary>The benchmark's own figures, in 0..1.</summary>
    public IReadOnlyList<(string Name, double Value)> Headlines { get; }

    /// <summary>Wrong answers by what went wrong, most frequent first.</summary>
    public IReadOnlyList<(string Name, int Count)> Failures { get; }

    /// <summary>Wrong answers by official error type, most frequent first.</summary>
    public IReadOnlyList<(string Name, int Count)> ErrorTypes { get; }

    /// <summary>By function of the right answer, worst first; a question counts for each of its functions.</summary>
    public IReadOnlyList<(string Name, CategoryScore Score)> Tools { get; }

    /// <summary>Milliseconds, ascending.</summary>
    public IReadOnlyList<double> Latencies { get; }

    /// <summary>Prompt tokens of all questions.</summary>
    public long PromptTokens { get; }

    /// <summary>Generated tokens of all questions.</summary>
    public long CompletionTokens { get; }

    /// <summary>The engine's steps; null for a model behind HTTP.</summary>
    public EngineSteps? Steps { get; init; }

    /// <summary>Tokens, latency and, for a model in this process, how full its batch was, in one sentence.</summary>
    public string Usage => string.Create(
        CultureInfo.InvariantCulture,
        $"{PromptTokens} prompt tokens, {CompletionTokens} generated; latency p50 {LatencyQuantile(0.5):F0} ms, p95 {LatencyQuantile(0.95):F0} ms{(Steps?.FullShare is double share ? string.Create(CultureInfo.InvariantCulture, $"; {100 * share:F2} % of {Steps.Total} engine steps at full batch") : "")}.");

    /// <summary>Sums up results.</summary>
    public static EvaluationSummary Create(string benchmark, string model, IReadOnlyList<EvaluationResult> results, EngineSteps? steps = null) =>
        new(benchmark, model, results) { Steps = steps };

    /// <summary>The latency below which a share of the answers lies; 0 without answers.</summary>
    public double LatencyQuantile(double share) => Latencies.Count == 0 ? 0 : Latencies[Math.Min(Latencies.Count - 1, (int)(share * Latencies.Count))];

    /// <summary>The figures as JSON (summary.json).</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("benchmark", Benchmark);
            writer.WriteString("model", Model);
            writer.WriteStartObject("headlines");
            foreach ((string name, double value) in Headlines)
            {
                writer.WriteNumber(name, Math.Round(value, 6));
            }

            writer.WriteEndObject();
            Write(writer, "total", Total);
            writer.WriteStartObject("categories");
            foreach ((string name, CategoryScore score) in Categories)
            {
                Write(writer, name, score);
            }

            writer.WriteEndObject();
            Write(writer, "failures", Failures);
            Write(writer, "error_types", ErrorTypes);
            writer.WriteStartObject("tools");
            foreach ((string name, CategoryScore score) in Tools)
            {
                Write(writer, name, score);
            }

            writer.WriteEndObject();
            writer.WriteNumber("prompt_tokens", PromptTokens);
            writer.WriteNumber("completion_tokens", CompletionTokens);
            writer.WriteNumber("latency_ms_p50", LatencyQuantile(0.5));
            writer.WriteNumber("latency_ms_p95", LatencyQuantile(0.95));
            if (Steps?.FullShare is double share)
            {
                writer.WriteNumber("engine_steps", Steps.Total);
                writer.WriteNumber("full_engine_steps", Steps.Full);
                writer.WriteNumber("full_batch_share", Math.Round(share, 4));
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static CategoryScore Score(IEnumerable<EvaluationResult> results)
    {
        int cases = 0, correct = 0;
        foreach (EvaluationResult result in results)
        {
            cases++;
            correct += result.Valid ? 1 : 0;
        }

        return new CategoryScore(cases, correct);
    }

    private static List<(string Name, int Count)> Count(IEnumerable<string?> names) => names.OfType<string>()
        .GroupBy(name => name, StringComparer.Ordinal)
        .Select(group => (group.Key, group.Count()))
        .OrderByDescending(entry => entry.Item2).ThenBy(entry => entry.Key, StringComparer.Ordinal)
        .ToList();

    private static void Write(Utf8JsonWriter writer, string name, CategoryScore score)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("cases", score.Cases);
        writer.WriteNumber("correct", score.Correct);
        writer.WriteNumber("accuracy", Math.Round(score.Accuracy, 6));
        writer.WriteNumber("low", Math.Round(score.Low, 6));
        writer.WriteNumber("high", Math.Round(score.High, 6));
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<(string Name, int Count)> counts)
    {
        writer.WriteStartObject(name);
        foreach ((string key, int count) in counts)
        {
            writer.WriteNumber(key, count);
        }

        writer.WriteEndObject();
    }
}
