using System.Text.Json.Serialization;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>What an evaluation on the serving engine runs.</summary>
public sealed record EvaluationSpec
{
    /// <summary>One of <see cref="BenchmarkSuite.Names"/>.</summary>
    public required string Benchmark { get; init; }

    /// <summary>Full path of the benchmark's folder on the server.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Only these categories; empty for all.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Only the first cases of each category; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>How the model is asked.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<EvaluationMode>))]
    public EvaluationMode Mode { get; init; }

    /// <summary>Most tokens of an answer.</summary>
    public int MaxTokens { get; init; } = 2048;

    /// <summary>Questions at once; null for twice the engine's batch, so that a place that falls free is filled in the next step.</summary>
    public int? Concurrency { get; init; }

    /// <summary>True: put the official checker's quirks right.</summary>
    public bool FixedRules { get; init; }

    /// <summary>The questions.</summary>
    /// <exception cref="InvalidDataException">The folder is not the benchmark's, or has no such category.</exception>
    public IReadOnlyList<BenchmarkCase> Load()
    {
        IReadOnlyList<BenchmarkCase> cases = BenchmarkSuite.Load(Benchmark, DataFolder, Categories, FixedRules);
        return Limit is int limit ? cases.GroupBy(question => question.Category).SelectMany(group => group.Take(limit)).ToList() : cases;
    }
}
