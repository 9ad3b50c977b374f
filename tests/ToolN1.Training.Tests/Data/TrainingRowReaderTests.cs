using ToolN1.Engine.Chat;
using ToolN1.Training.Data;

namespace ToolN1.Training.Tests.Data;

public sealed class TrainingRowReaderTests
{
    private const string Tools = "\"tools\": [{\"name\": \"f\", \"parameters\": {\"type\": \"object\"}}]";
    private const string Messages = "\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]";

    [Fact]
    public void Parse_FullRow_KeepsRawTextAndBuildsTheTarget()
    {
        TrainingRow row = TrainingRowReader.Parse(
            $"{{\"system\": \"s\", {Tools}, {Messages}, \"answer\": [{{\"name\":\"f\",\"arguments\":{{\"x\":1.50,\"y\":[\"ä\",null]}}}}], \"think\": \"why\"}}", "rows.jsonl", 1);
        Assert.Equal("<think>why</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"x\": 1.50, \"y\": [\"ä\", null]}}]</tool_call>", row.Target);
        Assert.Equal([ChatRole.System, ChatRole.User], row.Conversation.Select(message => message.Role));
        Assert.Equal("{\"name\": \"f\", \"parameters\": {\"type\": \"object\"}}", row.Tools[0].FunctionJson);
    }

    [Fact]
    public void Parse_NoCalls_AnswersWithAnEmptyList() =>
        Assert.Equal("[]", TrainingRowReader.Parse($"{{{Tools}, {Messages}, \"answer\": []}}", "rows.jsonl", 1).AnswerJson);

    [Theory]
    [InlineData("{", "rows.jsonl:7: ")]
    [InlineData("[]", "the row is not an object")]
    [InlineData("{\"tools\": [], \"messages\": []}", "'messages' is empty")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"answer\": []}", "'tools' is missing")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}", "'answer' is missing")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"system\", \"content\": \"hi\"}], \"answer\": []}", "belongs in the row's field 'system'")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"user\", \"content\": 5}], \"answer\": []}", "'content' is not a string")]
    [InlineData("{\"tools\": [{}], \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"answer\": []}", "tools[0].name is not a string")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"answer\": [{\"name\": \"f\", \"arguments\": \"{}\"}]}", "answer[0].arguments is not an object")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": \"oops\"}}]}], \"answer\": []}", "messages[0].tool_calls[0].function.arguments is not JSON")]
    [InlineData("{\"tools\": [], \"messages\": [{\"role\": \"user\", \"content\": \"\\ud800\"}], \"answer\": []}", "half of a surrogate pair")]
    [InlineData("{\"tool\": []}", "unknown field 'tool'")]
    public void Parse_NotARow_NamesFileLineAndReason(string text, string reason)
    {
        TrainingDataException error = Assert.Throws<TrainingDataException>(() => TrainingRowReader.Parse(text, "rows.jsonl", 7));
        Assert.StartsWith("rows.jsonl:7: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_RowWithToolCallsAndResult_ReadsBackTheSame()
    {
        TrainingRow row = new()
        {
            Tools = [new ChatTool("f", "{\"name\": \"f\"}")],
            Messages =
            [
                new ChatMessage { Role = ChatRole.User, Content = "say \"hi\"\n" },
                new ChatMessage { Role = ChatRole.Assistant, Content = null, ToolCalls = [new ToolCall("c1", "f", "{\"a\": 1}")] },
                new ChatMessage { Role = ChatRole.Tool, Content = "done", ToolCallId = "c1" },
            ],
            Answer = [],
            Think = "ok",
        };
        string line = TrainingRowWriter.ToJson(row);
        Assert.Equal(line, TrainingRowWriter.ToJson(TrainingRowReader.Parse(line, "rows.jsonl", 1)));
    }
}
