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

    [Fact]
    public void ScoreText_QuotedList_IsCutAtTheInnerQuoteUnlessFixed()
    {
        using HandMadeFolder folder = Office();
        string completion = "[AddMeeting(token='t-1', meeting_topic='plan', start_time='2023-05-01 08:00:00', end_time='2023-05-01 09:00:00', location='R1', attendees='['Ada', 'Bob']')]";

        Assert.Equal("mismatch", new ApiBankScorer(folder.Path).ScoreText("office.jsonl", 4, completion).ErrorType);
        Assert.True(new ApiBankScorer(folder.Path, fixedRules: true).ScoreText("office.jsonl", 4, completion).Valid);
    }
}
