using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.ApiBank;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class ApiBankScorerTests
{
    [Fact]
    public void Score_EveryOfficialVectorInBothForms_SameVerdictAndReason()
    {
        ApiBankScorer scorer = new(VectorFile.Folder("api-bank"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("api-bank", "evaluator-vectors.jsonl.gz"))
        {
            lines++;
            string file = vector["file"].Text;
            int id = (int)vector["id"].Integer;
            EvaluationVerdict ours = vector["route"].Is("json")
                ? scorer.ScoreCall(file, id, vector["name"].Text, vector["arguments"].Entries)
                : scorer.ScoreText(file, id, vector["completion"].Text);
            if (ours.Valid != vector["correct"].IsTruthy || ours.ErrorType != vector.OptionalText("reason"))
            {
                differences.Add($"{file} {id} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["reason"])}: {PyText.Repr(PyValue.Of(vector))}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(8_252, lines);
    }

    private const string Login = """{"role": "API", "api_name": "GetUserToken", "param_dict": {}, "result": {"api_name": "GetUserToken", "input": {"username": "ada", "password": "engine"}, "output": {"token": "t-1"}, "exception": null}}""";
    private const string Remind = """{"role": "API", "api_name": "AddReminder", "param_dict": {}, "result": {"api_name": "AddReminder", "input": {"token": "t-1", "content": "water the tall plants", "time": "2023-05-01 08:00:00"}, "output": "success", "exception": null}}""";
    private const string Meet = """{"role": "API", "api_name": "AddMeeting", "param_dict": {}, "result": {"api_name": "AddMeeting", "input": {"token": "t-1", "meeting_topic": "plan", "start_time": "2023-05-01 08:00:00", "end_time": "2023-05-01 09:00:00", "location": "R1", "attendees": ["Ada", "Bob"]}, "output": "success", "exception": null}}""";
    private const string Stock = """{"role": "API", "api_name": "QueryStock", "param_dict": {}, "result": {"api_name": "QueryStock", "input": {"stock_code": "TN1", "date": "2023-3-5"}, "output": 12.5, "exception": null}}""";

    /// <summary>Sample 0 is the login, 1 the reminder right after it; 2 the reminder, 4 the meeting, 6 the stock.</summary>
    private static HandMadeFolder Office() => new HandMadeFolder()
        .With("dialogues/office.jsonl", """{"role": "User", "text": "Remind me."}""", Login, Remind, """{"role": "AI", "text": "Done."}""", Meet, """{"role": "AI", "text": "Done."}""", Stock, """{"role": "AI", "text": "12.5"}""")
        .With("init_database/Account.json", """{"ada": {"password": "engine", "token": "t-1", "email": "ada@example.com"}}""")
        .With("init_database/Reminder.json", "{}")
        .With("init_database/Meeting.json", "{}")
        .With("init_database/Stock.json", """{"TN1": {"2023-03-05": 12.5}}""");

    [Theory]
    [InlineData(0, "GetUserToken", """{"username": "ada", "password": "engine"}""", null)]
    [InlineData(0, "GetUserToken", """{"username": "ada", "password": "Engine"}""", "tool_exception")]
    [InlineData(0, "getUserToken", """{"username": "ada", "password": "engine"}""", "name_mismatch")]
    [InlineData(0, "GetUserToken", """{"username": "ada"}""", "call_rejected:TypeError")]
    [InlineData(0, "GetUserToken", """{"username": "ada", "password": "engine", "x": "1"}""", "call_rejected:AssertionError")]
    [InlineData(1, "AddReminder", """{"token": "t-1", "content": "Water the tall plants", "time": "2023-05-01 08:00:00"}""", null)]
    [InlineData(2, "AddReminder", """{"token": "t-1", "content": "water the tall", "time": "2023-05-01 08:00:00"}""", null)]
    [InlineData(2, "AddReminder", """{"token": "t-1", "content": "tall plants", "time": "2023-05-01 08:00:00"}""", "mismatch")]
    [InlineData(2, "AddReminder", """{"token": "t-1", "content": "water the tall plants", "time": "2023-05-01"}""", "tool_exception")]
    [InlineData(2, "AddReminder", """{"token": "t-1", "content": null, "time": "2023-05-01 08:00:00"}""", "crash:AttributeError")]
    [InlineData(6, "QueryStock", """{"stock_code": " tn1 ", "date": "2023-03-05"}""", null)]
    [InlineData(6, "QueryStock", """{"stock_code": "TN1", "date": "2023-03-06"}""", "tool_exception")]
    public void ScoreCall_HandMadeCalls_AreExecutedAndCompared(int id, string name, string arguments, string? reason)
    {
        using HandMadeFolder folder = Office();

        Assert.Equal(reason, new ApiBankScorer(folder.Path).ScoreCall("office.jsonl", id, name, arguments).ErrorType);
    }

    [Fact]
    public void ScoreCall_StateOfAnEarlierEvaluation_IsNotSeen()
    {
        using HandMadeFolder folder = Office();
        ApiBankScorer scorer = new(folder.Path);
        string call = """{"token": "t-1", "content": "water the tall plants", "time": "2023-05-01 08:00:00"}""";

        Assert.True(scorer.ScoreCall("office.jsonl", 2, "AddReminder", call).Valid);
        Assert.True(scorer.ScoreCall("office.jsonl", 2, "AddReminder", call).Valid);
    }

    [Theory]
    [InlineData("API-Request: [QueryStock(stock_code='TN1', date=\"2023-3-5\")] as asked", null)]
    [InlineData("QueryStock(stock_code='TN1', date='2023-3-5')", "no_api_call")]
    [InlineData("[QueryStock(code='TN1', date='2023-3-5')]", "call_rejected")]
    public void ScoreText_HandMadeReplies_AreReadByTheBenchmarksExpressions(string completion, string? reason)
    {
        using HandMadeFolder folder = Office();

        Assert.Equal(reason, new ApiBankScorer(folder.Path).ScoreText("office.jsonl", 6, completion).ErrorType);
    }

    private const string Switch = """{"role": "API", "api_name": "TimedSwitch", "param_dict": {}, "result": {"api_name": "TimedSwitch", "input": {"name": "lamp", "time": "2023-05-01 08:00:00", "on": true}, "output": "success", "exception": null}}""";
    private const string Cancel = """{"role": "API", "api_name": "DeleteMeeting", "param_dict": {}, "result": {"api_name": "DeleteMeeting", "input": {"token": "t-1", "meeting_topic": "plan", "start_time": "2023-05-01 08:00:00", "end_time": "2023-05-01 09:00:00", "location": "R1", "attendees": ["Ada", "Bob"]}, "output": "success", "exception": null}}""";
    private const string Sum = """{"role": "API", "api_name": "Calculator", "param_dict": {}, "result": {"api_name": "Calculator", "input": {"formula": "(1+2)*3"}, "output": 9.0, "exception": null}}""";
    private const string Ask = """{"role": "API", "api_name": "DocumentQA", "param_dict": {}, "result": {"api_name": "DocumentQA", "input": {"url": "d.example", "question": "Who?"}, "output": "Ada.", "exception": null}}""";

    /// <summary>Sample 0 the switch, 2 the meeting's end, 4 the sum, 6 the question.</summary>
    private static HandMadeFolder House() => new HandMadeFolder()
        .With("dialogues/house.jsonl", Switch, """{"role": "AI", "text": "Done."}""", Cancel, """{"role": "AI", "text": "Done."}""", Sum, """{"role": "AI", "text": "9"}""", Ask, """{"role": "AI", "text": "Ada."}""")
        .With("init_database/Account.json", """{"ada": {"password": "engine", "token": "t-1", "email": "ada@example.com"}}""")
        .With("init_database/TimeSwitch.json", "{}")
        .With("init_database/Meeting.json", """{"1": {"username": "ada", "meeting_topic": "plan", "start_time": "2023-05-01 08:00:00", "end_time": "2023-05-01 09:00:00", "location": "R1", "attendees": ["Ada", "Bob"]}}""")
        .With("init_database/QuestionAnswering.json", """{"d.example": [{"Who?": "Ada."}]}""");

    [Theory]
    [InlineData(0, "TimedSwitch", """{"name": "Lamp", "time": "2023-05-01 08:00:00", "on": true}""", "mismatch", null)]
    [InlineData(0, "TimedSwitch", """{"name": "Lamp", "time": "2023-05-01 08:00:00", "on": "true"}""", "mismatch", null)]
    [InlineData(0, "TimedSwitch", """{"name": "Lamp", "time": "2023-05-01 08:00:00", "on": "True"}""", null, null)]
    [InlineData(0, "TimedSwitch", """{"name": "Lamp", "time": "2023-05-01 08:00:00", "on": false}""", "mismatch", "mismatch")]
    [InlineData(2, "DeleteMeeting", """{"token": "t-1", "meeting_topic": "plan", "start_time": "2023-05-01 08:00:00", "end_time": "2023-05-01 09:00:00", "location": "R1", "attendees": ["Ada", "Bob"]}""", "key_error", null)]
    [InlineData(4, "Calculator", """{"formula": "(1 + 2) * 3"}""", null, null)]
    [InlineData(4, "Calculator", """{"formula": "((1+2)*3)"}""", "tool_exception", "tool_exception")]
    [InlineData(6, "DocumentQA", """{"url": "d.example ", "question": "Who?"}""", "mismatch", "mismatch")]
    public void ScoreCall_Quirks_AreCopiedAndPutRightOnRequest(int id, string name, string arguments, string? official, string? right)
    {
        using HandMadeFolder folder = House();

        Assert.Equal(official, new ApiBankScorer(folder.Path).ScoreCall("house.jsonl", id, name, arguments).ErrorType);
        Assert.Equal(right, new ApiBankScorer(folder.Path, fixedRules: true).ScoreCall("house.jsonl", id, name, arguments).ErrorType);
    }

    [Fact]
    public void ScoreText_QuotedList_IsCutAtTheInnerQuoteUnlessFixed()
    {
        using HandMadeFolder folder = Office();
        string completion = "[AddMeeting(token='t-1', meeting_topic='plan', start_time='2023-05-01 08:00:00', end_time='2023-05-01 09:00:00', location='R1', attendees='['Ada', 'Bob']')]";

        Assert.Equal("mismatch", new ApiBankScorer(folder.Path).ScoreText("office.jsonl", 4, completion).ErrorType);
        Assert.True(new ApiBankScorer(folder.Path, fixedRules: true).ScoreText("office.jsonl", 4, completion).Valid);
    }
}
