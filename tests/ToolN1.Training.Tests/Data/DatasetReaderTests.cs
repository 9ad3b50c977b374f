using System.Text;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;

namespace ToolN1.Training.Tests.Data;

public sealed class DatasetReaderTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void Parse_OpenAiConversation_MakesARowOfEachTaughtCall()
    {
        IReadOnlyList<TrainingRow> rows = DatasetReader.Parse(
            """
            {"messages": [
              {"role": "developer", "content": "Be brief."},
              {"role": "user", "content": [{"type": "text", "text": "Weather in "}, {"type": "text", "text": "Oslo?"}]},
              {"role": "assistant", "reasoning_content": "Oslo.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "w", "arguments": "{\"city\":\"Oslo\",\"n\":1.50}"}}]},
              {"role": "tool", "tool_call_id": "c1", "content": "21"},
              {"role": "assistant", "content": "Warm."},
              {"role": "user", "content": "Rome and Bonn?"},
              {"role": "assistant", "weight": 0, "tool_calls": [{"id": "c2", "type": "function", "function": {"name": "w", "arguments": "{}"}}]},
              {"role": "tool", "tool_call_id": "c2", "content": "none"},
              {"role": "assistant", "weight": 1, "tool_calls": [
                {"id": "c3", "type": "function", "function": {"name": "w", "arguments": "{\"city\":\"Rome\"}"}},
                {"id": "c4", "type": "function", "function": {"name": "w", "arguments": "{\"city\":\"Bonn\"}"}}]}],
             "tools": [{"type": "function", "function": {"name": "w", "strict": true, "description": null, "parameters": {"type":"object"}}}],
             "parallel_tool_calls": true}
            """,
            "f", 1);

        Assert.Equal(2, rows.Count);
        Assert.Equal(("Be brief.", "Oslo.", """[{"name": "w", "arguments": {"city": "Oslo", "n": 1.50}}]"""), (rows[0].System, rows[0].Think, rows[0].AnswerJson));
        Assert.Equal("Weather in Oslo?", Assert.Single(rows[0].Messages).Content);
        Assert.Equal("""{"name": "w", "parameters": {"type": "object"}}""", rows[0].Tools[0].FunctionJson);
        Assert.Equal(("", """[{"name": "w", "arguments": {"city": "Rome"}}, {"name": "w", "arguments": {"city": "Bonn"}}]"""), (rows[1].Think, rows[1].AnswerJson));
        Assert.Equal(
            [ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant, ChatRole.User, ChatRole.Assistant, ChatRole.Tool],
            rows[1].Messages.Select(message => message.Role));
    }

    [Fact]
    public void Parse_OpenAiPrompt_IsARowWhoseLineGradersSee()
    {
        TrainingRow row = Assert.Single(DatasetReader.Parse(
            """{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Oslo?"}], "tools": [{"type": "function", "function": {"name": "w"}}], "answer": [1.50], "more": {"a": "b"}}""", "f", 1));
        Assert.Equal(("Be brief.", "Oslo?", "w"), (row.System, Assert.Single(row.Messages).Content, Assert.Single(row.Tools).Name));
        Assert.Null(row.Think);
        Assert.Equal("""{"answer": [1.50], "more": {"a": "b"}}""", TrainingRowWriter.ToExpected(row));

        // As the job's own copy of its rows keeps it.
        TrainingRow again = TrainingRowReader.Parse(TrainingRowWriter.ToJson(row), "f", 1);
        Assert.Equal((row.Item, "Be brief.", "w"), (again.Item, again.System, Assert.Single(again.Tools).Name));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]}""", "messages[1].role 'system' stands only first")]
    [InlineData("""{"messages":[{"role":"function","content":"a"}]}""", "'function'")]
    [InlineData("""{"messages":[{"content":"a"}]}""", "messages[0].role is missing")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content is missing")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content[0]")]
    [InlineData("""{"messages":[{"role":"tool","content":"a"}]}""", "tool_call_id is missing")]
    [InlineData("""{"messages":[{"role":"assistant"}]}""", "neither content nor tool_calls")]
    [InlineData("""{"messages":[{"role":"assistant","refusal":"no"}]}""", "refusal")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]}""", "before anybody said anything")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","weight":2,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]}""", "messages[1].weight")]
    [InlineData("""{"parallel_tool_calls":false,"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"{}"}}]}]}""", "parallel_tool_calls is false")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"custom"}]}""", "tools[0]")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}],"functions":[]}""", "unknown field 'functions'")]
    public void Parse_FaultyConversation_NamesTheField(string line, string expected)
    {
        TrainingDataException error = Assert.Throws<TrainingDataException>(() => DatasetReader.Parse(line, "f", 3));

        Assert.Equal(3, error.Line);
        Assert.Contains(expected, error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_MixedFile_CountsRowsAndTellsFaultsByLine()
    {
        File.WriteAllText(_file, """
            {"tools": [], "messages": [{"role": "user", "content": "a"}], "answer": []}

            {"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}],"tools":[{"type":"function","function":{"name":"f"}}]}
            """);
        DatasetCheck good = DatasetReader.Check(_file, TestContext.Current.CancellationToken);
        Assert.Equal((2, 1, 0), (good.Rows, good.LineWithoutReasoning, good.Faults.Count));
        Assert.Equal([1, 3], DatasetReader.Read(_file).Select(item => item.Line));

        File.WriteAllBytes(_file, [.. Encoding.UTF8.GetBytes("x\n"), 0xff, 0xfe, (byte)'\n']);
        DatasetCheck bad = DatasetReader.Check(_file, TestContext.Current.CancellationToken);
        Assert.Contains(bad.Faults, fault => fault.Contains("UTF-8", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_AnswerThatCallsWhatIsNotOffered_IsAFault_AndContextThatDoesIsNone()
    {
        File.WriteAllText(_file, """
            {"tools": [{"name": "f"}], "messages": [{"role": "user", "content": "a"}], "answer": [{"name": "f", "arguments": {}}, {"name": "g", "arguments": {}}]}
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"function":{"name":"h","arguments":"{}"}}]}]}
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","weight":0,"tool_calls":[{"id":"1","function":{"name":"h","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"b"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}],"tools":[{"type":"function","function":{"name":"f"}}]}
            """);
        DatasetCheck check = DatasetReader.Check(_file, TestContext.Current.CancellationToken);

        Assert.Equal(["line 1: the answer calls 'g', a tool that the row does not offer", "line 2: the answer calls 'h', a tool that the row does not offer"], check.Faults);
        Assert.Equal(1, check.Rows);
    }

    [Fact]
    public void Check_RowWithReasoningOrWords_HasWhatSupervisedTrainingNeeds()
    {
        File.WriteAllText(_file, """
            {"tools": [], "messages": [{"role": "user", "content": "a"}], "answer": [], "think": "None."}
            {"tools": [], "messages": [{"role": "user", "content": "a"}], "answer": [], "reply": "Hello."}
            """);
        Assert.Null(DatasetReader.Check(_file, TestContext.Current.CancellationToken).LineWithoutReasoning);

        File.AppendAllText(_file, "\n" + """{"tools": [], "messages": [{"role": "user", "content": "a"}], "answer": []}""");
        Assert.Equal(3, DatasetReader.Check(_file, TestContext.Current.CancellationToken).LineWithoutReasoning);
    }

    [Fact]
    public void Parse_ConversationInWordsOnly_MakesARowOfEachTaughtAnswer()
    {
        IReadOnlyList<TrainingRow> rows = DatasetReader.Parse(
            """
            {"messages": [{"role": "assistant", "content": "Welcome."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello.", "reasoning_content": "A greeting."},
              {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Off.", "weight": 0}, {"role": "user", "content": "Bye!"}, {"role": "assistant", "content": "Good bye."}]}
            """,
            "f", 1);

        Assert.Equal([("Hello.", "A greeting.", 2), ("Good bye.", null, 6)], rows.Select(row => (row.Reply, row.Think, row.Messages.Count)));
        Assert.All(rows, row => Assert.Empty(row.Answer));
        TrainingRow offered = Assert.Single(DatasetReader.Parse(
            """{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}], "tools": [{"type": "function", "function": {"name": "w"}}]}""", "f", 1));
        Assert.Equal((null, "", "[]"), (offered.Reply, offered.Think, offered.AnswerJson));
    }

    [Fact]
    public void Parse_NamesOfSpeakers_StandBeforeTheirTexts()
    {
        TrainingRow row = Assert.Single(DatasetReader.Parse(
            """
            {"messages": [{"role": "system", "name": "Ann", "content": "Be brief."}, {"role": "user", "name": "Bob", "content": "Hi"}, {"role": "assistant", "name": "Eve", "content": "Hello."},
              {"role": "user", "content": "Oslo?"}, {"role": "assistant", "name": "Eve", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}]}]}
            """,
            "f", 1));

        Assert.Equal("Ann: Be brief.", row.System);
        Assert.Equal(["Bob: Hi", "Eve: Hello.", "Oslo?"], row.Messages.Select(message => message.Content));
    }

    public void Dispose() => File.Delete(_file);
}
