using System.Text.Json.Serialization;

namespace ToolN1.Cli.Bench;

/// <summary>One measurement with everything needed to read and repeat it.</summary>
/// <param name="Benchmark"><c>prefill</c>, <c>decode</c>, <c>serve</c> or <c>load</c>.</param>
/// <param name="Hardware">Processor and threads, or the GPU.</param>
/// <param name="Runtime">.NET version.</param>
/// <param name="Commit">Version and commit of this program.</param>
/// <param name="Model">Folder or preset.</param>
/// <param name="DType">Dtype of weights and cache.</param>
/// <param name="Mix">What was asked of the engine.</param>
/// <param name="ReadGigabytesPerSecond">Bound of this machine at this moment: reading memory.</param>
/// <param name="Float32Gigaflops">Bound of this machine at this moment: float32 multiply-adds.</param>
/// <param name="Results">What came out, by name with unit.</param>
internal sealed record BenchReport(
    string Benchmark,
    string Hardware,
    string Runtime,
    string Commit,
    string Model,
    string DType,
    string Mix,
    double ReadGigabytesPerSecond,
    double Float32Gigaflops,
    IReadOnlyDictionary<string, double> Results);

/// <summary>Generated JSON of <see cref="BenchReport"/>.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchReportContext : JsonSerializerContext;
