using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class NativeReplyTests
{
    private const string TwoBlocks = """
        <tool_call>
        {"name": "f", "arguments": {"a": 1}}
        </tool_call>
        <tool_call>
        {"name": "g", "arguments": {}}
        </tool_call>
        """;

    [Fact]
    public void FromText_TwoBlocksOfHermes_AreTheCallsOfOneReply() =>
        Assert.Equal(NativeReply.FromCalls([("f", """{"a": 1}"""), ("g", "{}")]), NativeReply.FromText(TwoBlocks, "hermes", truncated: false));

    [Fact]
    public void FromText_TwoBlocksOfToolN1_EndTheTurnAtTheFirst() =>
        Assert.Equal(NativeReply.FromCalls([("f", """{"a": 1}""")]), NativeReply.FromText(TwoBlocks, "tool-n1", truncated: false));

    [Fact]
    public void FromText_EmptyListOfToolN1_EndsTheTurnToo() =>
        Assert.Equal("<tool_call>[]</tool_call>" + TwoBlocks, NativeReply.FromText("<tool_call>[]</tool_call>" + TwoBlocks, "tool-n1", truncated: false));

    [Theory]
    [InlineData("hermes")]
    [InlineData("tool-n1")]
    public void FromText_BlockInsideThinking_IsProse(string format)
    {
        string text = """<think>Not <tool_call>[{"name": "f", "arguments": {}}]</tool_call>.</think><tool_call>[{"name": "g", "arguments": {}}]</tool_call>""";

        Assert.Equal(NativeReply.FromCalls([("g", "{}")]), NativeReply.FromText(text, format, truncated: false));
    }

    [Theory]
    [InlineData("hermes")]
    [InlineData("tool-n1")]
    public void FromText_ThinkingOnly_HasNoCall(string format)
    {
        const string Block = """<tool_call>[{"name": "f", "arguments": {}}]</tool_call>""";

        Assert.Equal("No tool fits.", NativeReply.FromText($"<think>{Block}</think>No tool fits.", format, truncated: false));
        Assert.Equal("", NativeReply.FromText($"<think>{Block}", format, truncated: true));
    }

    [Fact]
    public void FromText_BlockWithoutItsClosingTag_CountsWhereTheModelEndedItsTurn()
    {
        const string Open = """<tool_call>[{"name": "f", "arguments": {}}]""";

        Assert.Equal(NativeReply.FromCalls([("f", "{}")]), NativeReply.FromText(Open, "tool-n1", truncated: false));
        Assert.Equal(Open, NativeReply.FromText(Open, "tool-n1", truncated: true));
    }

    [Fact]
    public void FromText_BrokenBlock_StaysToBeScoredAsBroken() =>
        Assert.Equal("<tool_call>{</tool_call>", NativeReply.FromText("<think>t</think><tool_call>{</tool_call>", "hermes", truncated: false));
}
