using System.ComponentModel;
using System.Text.Json;
using ToolN1.Training.Graders;

namespace ToolN1.Api.Contracts;

/// <summary>What a grader said of a sample.</summary>
[Description("What a grader said of a sample.")]
internal sealed record GraderRunBody
{
    [Description("The reward; 0 where there was an error.")]
    public required double Reward { get; init; }

    [Description("Of a multi grader: the rewards of its parts by name. Empty otherwise.")]
    public required IReadOnlyDictionary<string, double> SubRewards { get; init; }

    [Description("How the reward came about.")]
    public required GraderMetadataBody Metadata { get; init; }

    [Description("Always empty: no grader here asks a model.")]
    public IReadOnlyDictionary<string, int> ModelGraderTokenUsagePerModel { get; init; } = new Dictionary<string, int>();
}

/// <summary>How a reward came about.</summary>
[Description("How a reward came about.")]
internal sealed record GraderMetadataBody
{
    [Description("The grader's name.")]
    public required string Name { get; init; }

    [Description("The grader's type.")]
    public required string Type { get; init; }

    [Description("What went wrong.")]
    public required GraderErrorsBody Errors { get; init; }

    [Description("Seconds.")]
    public required double ExecutionTime { get; init; }

    [Description("The reward of every grader that had a say, by name.")]
    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    [Description("Always null: no grader here asks a model.")]
    public int? TokenUsage { get; init; }

    [Description("Always null: no grader here asks a model.")]
    public string? SampledModelName { get; init; }

    [Description("Of a `tool_call` grader with reward 0: `no_block`, `bad_json`, `no_think`, `bad_call`, `bad_truth` or `mismatch`; else null. (Ours, not OpenAI's.)")]
    public required string? Failure { get; init; }
}

/// <summary>What can go wrong in a run, in OpenAI's fields.</summary>
[Description("What can go wrong in a run, in OpenAI's fields.")]
internal sealed record GraderErrorsBody
{
    [Description("The formula has no finite value. (One that cannot be read is a 400.)")]
    public required bool FormulaParseError { get; init; }

    [Description("A template wants the output as JSON, and it is none.")]
    public required bool SampleParseError { get; init; }

    [Description("Always false: samples are not cut here.")]
    public bool TruncatedObservationError { get; init; }

    [Description("Always false: graders here answer at once.")]
    public bool UnresponsiveRewardError { get; init; }

    [Description("A template names what neither the item nor the sample has.")]
    public required bool InvalidVariableError { get; init; }

    [Description("The reference is no list of calls, or a text is too long to compare.")]
    public required bool OtherError { get; init; }

    [Description("Always false: there is no Python grader here.")]
    public bool PythonGraderServerError { get; init; }

    [Description("Always null.")]
    public string? PythonGraderServerErrorType { get; init; }

    [Description("Always false: there is no Python grader here.")]
    public bool PythonGraderRuntimeError { get; init; }

    [Description("Always null.")]
    public string? PythonGraderRuntimeErrorDetails { get; init; }

    [Description("Always false: there is no model grader here.")]
    public bool ModelGraderServerError { get; init; }

    [Description("Always false: there is no model grader here.")]
    public bool ModelGraderRefusalError { get; init; }

    [Description("Always false: there is no model grader here.")]
    public bool ModelGraderParseError { get; init; }

    [Description("Always null.")]
    public string? ModelGraderServerErrorDetails { get; init; }

    /// <summary>The body of errors.</summary>
    public static GraderErrorsBody Of(GraderErrors errors) => new()
    {
        FormulaParseError = errors.HasFlag(GraderErrors.Formula),
        SampleParseError = errors.HasFlag(GraderErrors.SampleParse),
        InvalidVariableError = errors.HasFlag(GraderErrors.InvalidVariable),
        OtherError = errors.HasFlag(GraderErrors.Other),
    };
}

/// <summary>A grader that can be used.</summary>
[Description("A grader that can be used.")]
internal sealed record GraderValidateBody
{
    [Description("The grader as it was sent.")]
    public required IReadOnlyDictionary<string, JsonElement> Grader { get; init; }
}
