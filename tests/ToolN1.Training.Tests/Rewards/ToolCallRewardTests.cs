using ToolN1.Training.Evaluation.Python;
using ToolN1.Training.Rewards;
using ToolN1.Training.Tests.Evaluation;

namespace ToolN1.Training.Tests.Rewards;

public sealed class ToolCallRewardTests
{
    private const string Truth = """[{"name": "f", "arguments": {"a": 1, "b": "x"}}]""";

    [Theory]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"b": "x", "a": 1}}]</tool_call>""", 1)]
    [InlineData("""<think>t</think><tool_call>{"name": "f", "arguments": {"a": 1, "b": "x"}}</tool_call>""", 1)]
    [InlineData("""<think>t</think><tool_call>"{\"name\": \"f\", \"arguments\": {\"a\": 1, \"b\": \"x\"}}"</tool_call>""", 1)]
    [InlineData("""<tool_call>[{"name": "f", "arguments": {"a": 1, "b": "x"}, "id": 7}]</tool_call></think><think>""", 1)]
    [InlineData("""<think>t</think><tool_call>oops</tool_call> so <tool_call>[{"name": "f", "arguments": {"a": 2, "a": 1, "b": "x"}}]</tool_call> done""", 1)]
    [InlineData("""<tool_call>[{"name": "f", "arguments": {"a": 1, "b": "x"}}]</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": 1.0, "b": "x"}}]</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": true, "b": "x"}}]</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": "1", "b": "x"}}]</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": 1, "b": "x"}}]</tool_call><tool_call>[]</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": "f", "arguments": {"a": 1, "b": "x"}}]""", 0)]
    [InlineData("""<think>t</think><tool_call>5</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>null</tool_call>""", 0)]
    [InlineData("""<think>t</think><tool_call>[{"name": ["f"], "arguments": {}}]</tool_call>""", 0)]
    public void Score_HandMadeReplies_FollowTheRule(string completion, int reward) => Assert.Equal(reward, ToolCallReward.Score(completion, Truth).Reward);

    [Fact]
    public void Score_EmptyTruth_NeedsAnEmptyBlock()
    {
        Assert.Equal(1, ToolCallReward.Score("<think>none fits</think><tool_call>[]</tool_call>", "[]").Reward);
        Assert.Equal(0, ToolCallReward.Score("<think>none fits</think>Sorry.", "[]").Reward);
    }

    [Fact]
    public void Score_TruthThatIsOneObject_IsNothingAndNoException() =>
        Assert.Equal(0, ToolCallReward.Score("""<think>t</think><tool_call>[{"name": "f", "arguments": {}}]</tool_call>""", """{"name": "f", "arguments": {}}""").Reward);

    [Fact]
    public void Score_EveryOfficialVector_SameReward()
    {
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("reward", "reward-vectors.jsonl"))
        {
            lines++;
            ToolCallRewardResult ours = ToolCallReward.Score(vector["completion"].Text, vector["ground_truth"].Text);
            if (!PyValue.Equal(PyValue.Of((long)ours.Reward), vector["reward"]))
            {
                differences.Add($"{PyText.Str(vector["n"])} {vector["kind"].Text}: {ours}: {vector["completion"].Text} | {vector["ground_truth"].Text}");
            }
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.Equal(402, lines);
    }
}
