using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Tests.Evaluation;

/// <summary>What results.jsonl says of a reply: the calls that its verdict was given on, and what the model was sent.</summary>
public sealed class ReplyRecordTests
{
    [Fact]
    public void Create_NativeReply_RecordsTheCallsUnderTheNamesThatWereScored()
    {
        using HandMadeFolder folder = Roots();
        BenchmarkCase question = Assert.Single(BenchmarkSuite.Load("bfcl", folder.Path, []));

        EvaluationResult result = Create(question, EvaluationMode.Native, NativeReply.FromCalls([("math_root", """{"x": 2}""")]));

        Assert.True(result.Valid);
        Assert.Equal("""[{"name": "math.root", "arguments": {"x": 2}}]""", result.CallsJson);
        Assert.Equal(result.CallsJson, EvaluationResult.Parse(result.ToJson()).CallsJson);
    }

    [Fact]
    public void Create_NativeMode_RecordsToolsAndTurns()
    {
        using HandMadeFolder folder = Roots();
        BenchmarkCase question = Assert.Single(BenchmarkSuite.Load("bfcl", folder.Path, []));

        EvaluationResult result = Create(question, EvaluationMode.Native, "");

        Assert.Equal($"[Tools]\n{question.Tools[0].FunctionJson}\n\n[User] Root.", result.Prompt);
        Assert.Equal(question.ParityText, Create(question, EvaluationMode.Parity, "").Prompt);
    }

    [Fact]
    public void Create_BrokenBlock_RecordsNoCalls()
    {
        using HandMadeFolder folder = Roots();
        BenchmarkCase question = Assert.Single(BenchmarkSuite.Load("bfcl", folder.Path, []));

        Assert.Null(Create(question, EvaluationMode.Parity, "<tool_call>{</tool_call>").CallsJson);
    }

    [Fact]
    public void Create_ApiBankTextForm_RecordsTheCallThatWasRead()
    {
        using HandMadeFolder folder = BenchmarkFolders.ApiBank();
        BenchmarkCase question = BenchmarkSuite.Load("api-bank", folder.Path, [])[0];

        EvaluationResult result = Create(question, EvaluationMode.Parity, "<think>t</think>API-Request: [GetUserToken(username='foo', password='bar')]");

        Assert.True(result.Valid, result.Detail);
        Assert.Equal("""[{"name": "GetUserToken", "arguments": {"username": "foo", "password": "bar"}}]""", result.CallsJson);
    }

    [Fact]
    public void Create_ApiBankBlockOfTwo_RecordsTheFirstCallWhichAloneIsScored()
    {
        using HandMadeFolder folder = BenchmarkFolders.ApiBank();
        BenchmarkCase question = BenchmarkSuite.Load("api-bank", folder.Path, [])[0];

        EvaluationResult result = Create(
            question, EvaluationMode.Parity, """<tool_call>[{"name": "GetUserToken", "arguments": {"username": "foo", "password": "bar"}}, {"name": "GetUserToken", "arguments": {}}]</tool_call>""");

        Assert.True(result.Valid, result.Detail);
        Assert.Equal("""[{"name": "GetUserToken", "arguments": {"username": "foo", "password": "bar"}}]""", result.CallsJson);
    }

    [Fact]
    public void Create_AceBenchTextForm_RecordsTheCallsThatWereRead()
    {
        using HandMadeFolder folder = BenchmarkFolders.AceBench();
        BenchmarkCase question = BenchmarkSuite.Load("acebench", folder.Path, [])[0];

        EvaluationResult result = Create(question, EvaluationMode.Parity, "<think>t</think>[dim(room='hall')]");

        Assert.True(result.Valid, result.ErrorType);
        Assert.Equal("""[{"name": "dim", "arguments": {"room": "hall"}}]""", result.CallsJson);
    }

    private static EvaluationResult Create(BenchmarkCase question, EvaluationMode mode, string completion) =>
        EvaluationResult.Create(question, mode, new EvaluationReply(completion, completion, "stop", null, null), TimeSpan.Zero);

    private static HandMadeFolder Roots() => new HandMadeFolder()
        .With("questions/BFCL_v3_simple.json", """{"id": "simple_0", "question": [[{"role": "user", "content": "Root."}]], "function": [{"name": "math.root", "description": "R.", "parameters": {"type": "dict", "properties": {"x": {"type": "float"}}, "required": ["x"]}}]}""")
        .With("possible_answers/BFCL_v3_simple.json", """{"id": "simple_0", "ground_truth": [{"math.root": {"x": [2.0]}}]}""");
}
