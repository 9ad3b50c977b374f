using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;
using ToolN1.Training.Graders;

namespace ToolN1.Training.Tests.Graders;

public sealed class GraderTests
{
    private const string Sample = """<think>t</think><tool_call>[{"name": "tide", "arguments": {"port": "Brest", "day": 1}}]</tool_call>""";

    private static readonly Lazy<IChatFormat> Format = new(() =>
        ChatFormats.Create("tool-n1", ".", Tokenizer.Load(TinyCheckpoint.WriteTokenizer(Directory.CreateTempSubdirectory("tooln1-grader-").FullName))));

    private static JsonElement Json(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static GraderResult Run(string grader, string sample = Sample, string? item = """{"answer": [{"name": "tide", "arguments": {"day": 1, "port": "Brest"}}], "port": "Brest", "n": 3}""") =>
        GraderReader.Read(Json(grader)).Run(new GraderSample(sample, item is null ? null : Json(item), Format.Value));

    private static string Check(string operation, string input, string reference) =>
        $$"""{"type": "string_check", "name": "c", "operation": "{{operation}}", "input": "{{input}}", "reference": "{{reference}}"}""";

    [Theory]
    [InlineData("""{"type": "tool_call", "name": "c", "reference": "{{item.answer}}"}""", Sample, 1, null)]
    [InlineData("""{"type": "tool_call", "name": "c", "reference": "{{ item.answer }}"}""", "<think>t</think>none", 0, "no_block")]
    [InlineData("""{"type": "tool_call", "name": "c", "reference": "[{\"name\": \"tide\", \"arguments\": {\"port\": \"Brest\", \"day\": 1.0}}]"}""", Sample, 0, "mismatch")]
    [InlineData("""{"type": "tool_call", "name": "c", "numbers": "lenient", "reference": "[{\"name\": \"tide\", \"arguments\": {\"port\": \"Brest\", \"day\": 1.0}}]"}""", Sample, 1, null)]
    [InlineData("""{"type": "tool_call", "name": "c", "input": "<think></think>{{sample.output_text}}", "reference": "{{item.answer}}"}""", """<tool_call>[{"name": "tide", "arguments": {"port": "Brest", "day": 1}}]</tool_call>""", 1, null)]
    public void ToolCall_IsTheTrainingsReward(string grader, string sample, double reward, string? failure)
    {
        GraderResult result = Run(grader, sample);

        Assert.Equal((reward, failure, GraderErrors.None), (result.Reward, result.Failure, result.Errors));
    }

    [Theory]
    [InlineData("eq", "{{item.port}}", "Brest", 1)]
    [InlineData("ne", "{{item.port}}", "Brest", 0)]
    [InlineData("like", "to {{item.port}} by {{item.n}}", "Brest by 3", 1)]
    [InlineData("like", "brest", "{{item.port}}", 0)]
    [InlineData("ilike", "near brest", "{{item.port}}", 1)]
    [InlineData("eq", "{{sample.output_tools[0].function.name}}", "tide", 1)]
    [InlineData("eq", "{{sample.choices[0].message.tool_calls[0].function.arguments}}", "{\\\"port\\\": \\\"Brest\\\", \\\"day\\\": 1}", 1)]
    [InlineData("eq", "{{item.answer[0].arguments.port}}", "{{item.port}}", 1)]
    public void StringCheck_FillsTemplatesAndCompares(string operation, string input, string reference, double reward) =>
        Assert.Equal(new GraderResult(reward).Reward, Run(Check(operation, input, reference)).Reward);

    [Theory]
    [InlineData("{{item.missing}}", GraderErrors.InvalidVariable)]
    [InlineData("{{item.port.deeper}}", GraderErrors.InvalidVariable)]
    [InlineData("{{sample.output_tools[1].function.name}}", GraderErrors.InvalidVariable)]
    [InlineData("{{sample.output_json.a}}", GraderErrors.SampleParse)]
    public void Run_ValueThatIsNotThere_IsAnErrorAndRewardZero(string input, GraderErrors errors)
    {
        GraderResult result = Run(Check("ne", input, "x"));

        Assert.Equal((0, errors), (result.Reward, result.Errors));
    }

    [Fact]
    public void Run_OutputThatIsJson_IsSeenByItsFields() =>
        Assert.Equal(1, Run(Check("eq", "{{sample.output_json.port[0]}}", "Brest"), """{"port": ["Brest"]}""", null).Reward);

    [Theory]
    [InlineData("{{sample.output_json.a}}", GraderErrors.SampleParse)]
    [InlineData("{{sample.output_json.b[0]}}", GraderErrors.SampleParse)]
    [InlineData("{{item.a}}", GraderErrors.InvalidVariable)]
    public void Run_ValueThatIsHalfASurrogatePair_IsAnErrorAndRewardZero(string input, GraderErrors errors)
    {
        const string Half = """{"a": "\ud800", "b": ["x\udc00"]}""";
        GraderResult result = Run(Check("ne", input, "x"), Half, Half);

        Assert.Equal((0, errors), (result.Reward, result.Errors));
    }

    [Fact]
    public void Run_TextThatIsTooLong_IsAnError()
    {
        GraderResult result = Run("""{"type": "text_similarity", "name": "c", "evaluation_metric": "fuzzy_match", "input": "{{sample.output_text}}", "reference": "x"}""", new string('x', 60_000));

        Assert.Equal((0, GraderErrors.Other), (result.Reward, result.Errors));
    }

    [Theory]
    [InlineData("a + 2 * b", 2.0)]
    [InlineData("(a + b) / 4 - -1", 1.375)]
    [InlineData("-2 ^ 2 + 2 ^ 3 ^ 1", 4.0)]
    [InlineData("min(a, b, 0.25) + max(a) + abs(-1) + floor(1.9) + ceil(0.1)", 4.25)]
    [InlineData("exp(0) + sqrt(4) + log(1)", 3.0)]
    [InlineData("1 / (a - 1)", null)]
    public void Multi_Formula_CombinesTheParts(string formula, double? reward)
    {
        GraderResult result = Run(Multi(formula));

        Assert.Equal(reward ?? 0, result.Reward, 12);
        Assert.Equal(reward is null ? GraderErrors.Formula : GraderErrors.None, result.Errors);
        Assert.Equal(1, result.SubRewards["a"]);
        Assert.Equal(0.5, result.SubRewards["b"], 12);
    }

    [Theory]
    [InlineData("a + c", "'c'")]
    [InlineData("a +", "ends")]
    [InlineData("a b", "left over")]
    [InlineData("sqrt(a, b)", "takes 1")]
    [InlineData("(a", "')'")]
    [InlineData("1.2.3", "not a number")]
    [InlineData("system(a)", "'system'")]
    public void Read_FormulaThatIsNone_IsRefusedWithTheReason(string formula, string reason)
    {
        GraderException error = Assert.Throws<GraderException>(() => GraderReader.Read(Json(Multi(formula))));

        Assert.Equal("grader.calculate_output", error.Path);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FormulaOfBracketsOnly_IsRefusedWithoutExhaustingTheStack() =>
        Assert.Throws<GraderException>(() => GraderReader.Read(Json(Multi(new string('(', 4000)))));

    [Theory]
    [InlineData("""{"type": "python", "name": "c", "source": ""}""", "grader.type", true)]
    [InlineData("""{"type": "score_model", "name": "c"}""", "grader.type", true)]
    [InlineData("""{"type": "oracle", "name": "c"}""", "grader.type", false)]
    [InlineData("""{"type": "text_similarity", "name": "c", "evaluation_metric": "meteor", "input": "", "reference": ""}""", "grader.evaluation_metric", true)]
    [InlineData("""{"type": "text_similarity", "name": "c", "evaluation_metric": "cosine", "input": "", "reference": ""}""", "grader.evaluation_metric", true)]
    [InlineData("""{"type": "string_check", "name": "c", "operation": "eq", "input": "{{item.a", "reference": ""}""", "grader.input", false)]
    [InlineData("""{"type": "string_check", "name": "c", "operation": "eq", "input": "{{env.HOME}}", "reference": ""}""", "grader.input", false)]
    [InlineData("""{"type": "string_check", "name": "c", "operation": "eq", "input": "", "reference": "{{sample.secret}}"}""", "grader.reference", false)]
    [InlineData("""{"type": "string_check", "name": "c", "operation": "is", "input": "", "reference": ""}""", "grader.operation", false)]
    [InlineData("""{"type": "multi", "name": "c", "graders": {"m": {"type": "multi", "name": "m"}}, "calculate_output": "m"}""", "grader.graders.m.type", false)]
    public void Read_WhatCannotBeUsed_NamesTheField(string grader, string path, bool unsupported)
    {
        GraderException error = Assert.Throws<GraderException>(() => GraderReader.Read(Json(grader)));

        Assert.Equal((path, unsupported), (error.Path, error.Unsupported));
    }

    private static string Multi(string formula) => JsonSerializer.Serialize(new
    {
        type = "multi",
        name = "m",
        graders = new Dictionary<string, object>
        {
            ["a"] = new { type = "tool_call", name = "a", reference = "{{item.answer}}" },
            ["b"] = new { type = "text_similarity", name = "b", evaluation_metric = "fuzzy_match", input = "ab", reference = "ac" },
        },
        calculate_output = formula,
    });
}
