using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Api.Contracts;

/// <summary>What POST /admin/evaluations takes.</summary>
internal static class EvaluationShapes
{
    /// <summary>Most tokens of an answer where the request does not say.</summary>
    public const int DefaultMaxTokens = 2048;

    /// <summary>The request.</summary>
    public static ObjectShape Create { get; } = new(
        "CreateEvaluationRequest",
        "An evaluation of the served model on a benchmark.",
        [
            new("benchmark", new StringShape { Values = BenchmarkSuite.Names }, "Which benchmark.") { Required = true },
            new("data", new StringShape { MinLength = 1, MaxLength = 4096 }, "The benchmark's folder on the server. Absent: `benchmarks/` and the benchmark's name under `ToolN1:DataDirectory`."),
            new("categories", new ArrayShape(new StringShape { MinLength = 1, MaxLength = 256 }), "Only these categories; absent or empty for all."),
            new("limit", new IntegerShape(1, int.MaxValue), "Only the first cases of each category; absent for all."),
            new("mode", new StringShape { Values = ["parity", "native"] }, "`parity`: the paper's exact prompt; `native`: the served chat format with the functions as tools.") { Default = JsonValue.Create("parity") },
            new("max_tokens", new IntegerShape(1, 1 << 20), "Most tokens of an answer.") { Default = JsonValue.Create(DefaultMaxTokens) },
            new("concurrency", new IntegerShape(1, 4096), "Questions at once; absent for twice the engine's batch, so that a place that falls free is filled in the next step."),
            new("fixed", new BooleanShape(), "Whether to put the official checker's quirks right.") { Default = JsonValue.Create(false) },
        ]);
}
