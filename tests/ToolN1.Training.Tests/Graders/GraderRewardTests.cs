using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;
using ToolN1.Training.Data;
using ToolN1.Training.Graders;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Tests.Graders;

public sealed class GraderRewardTests : IDisposable
{
    private const string Row = """{"messages":[{"role":"user","content":"2+2?"}],"reference":"4","calls":[{"name":"f","arguments":{"a":1}}]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-reward-").FullName;
    private readonly IChatFormat _format;

    public GraderRewardTests() => _format = ChatFormats.Create("tool-n1", ".", Tokenizer.Load(TinyCheckpoint.WriteTokenizer(_folder)));

    [Theory]
    [InlineData("""{"type":"string_check","name":"s","operation":"eq","input":"{{sample.output_text}}","reference":"{{item.reference}}"}""", "4<|im_end|>", 1)]
    [InlineData("""{"type":"string_check","name":"s","operation":"eq","input":"{{sample.output_text}}","reference":"{{item.reference}}"}""", "5<|im_end|>", 0)]
    [InlineData("""{"type":"tool_call","name":"t","reference":"{{item.calls}}"}""", """<think>f</think><tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call><|im_end|>""", 1)]
    [InlineData("""{"type":"string_check","name":"s","operation":"eq","input":"{{sample.output_tools[0].function.name}}","reference":"f"}""", "no call at all", 0)]
    [InlineData("""{"type":"string_check","name":"s","operation":"ne","input":"{{sample.output_json.a}}","reference":"x"}""", """{"a":"\ud800"}""", 0)]
    public void Score_AnswerOfAPrompt_IsTheGraders(string grader, string completion, double expected) =>
        Assert.Equal(expected, Reward(grader).Score(new RewardSample(completion, DatasetReader.Parse(Row, "f", 1).Single()), TestContext.Current.CancellationToken).Total);

    [Fact]
    public void Score_RowOfOurs_IsSeenAsItemWithItsAnswer()
    {
        TrainingRow row = DatasetReader.Parse("""{"tools":[{"name":"f"}],"messages":[{"role":"user","content":"go"}],"answer":[{"name":"f","arguments":{"a":1}}]}""", "f", 1).Single();
        RewardScore score = Reward("""{"type":"tool_call","name":"t","reference":"{{item.answer}}"}""").Score(
            new RewardSample("""<think></think><tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call>""", row), TestContext.Current.CancellationToken);

        Assert.Equal((1.0, "t"), (score.Total, Assert.Single(score.Components).Name));
    }

    [Fact]
    public void Score_FormulaWithoutValue_IsNotScored() =>
        Assert.Throws<InvalidOperationException>(() => Reward("""{"type":"multi","name":"m","graders":{"a":{"type":"string_check","name":"a","operation":"eq","input":"x","reference":"y"}},"calculate_output":"1/a"}""")
            .Score(new RewardSample("x", DatasetReader.Parse(Row, "f", 1).Single()), TestContext.Current.CancellationToken));

    [Fact]
    public void Fault_TemplateNamesWhatTheRowLacks_NamesIt() =>
        Assert.Contains("item.answer[0].name", Reward("""{"type":"string_check","name":"s","operation":"eq","input":"{{item.answer[0].name}}","reference":"y"}""").Fault(DatasetReader.Parse(Row, "f", 1).Single()), StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private GraderReward Reward(string grader)
    {
        using JsonDocument document = JsonDocument.Parse(grader);
        return new GraderReward(GraderReader.Read(document.RootElement), _format, _format.StopTokens);
    }
}
