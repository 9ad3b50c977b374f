using ToolN1.Training.Evaluation.Harness;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class BenchmarkSuiteTests
{
    [Fact]
    public void ParityText_EveryPublishedPrompt_ByteEqual()
    {
        Dictionary<(string, string), BenchmarkCase> cases = BenchmarkSuite.Load("bfcl", VectorFile.Folder("bfcl"), []).ToDictionary(c => (c.Category, c.Id));
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("bfcl", "prompt-vectors.jsonl.gz"))
        {
            Assert.Equal(vector["prompt"].Text, cases[(vector["category"].Text, vector["id"].Text)].ParityText);
            lines++;
        }

        Assert.Equal(1_390, lines);
    }

    [Theory]
    [InlineData("bfcl", 1_390)]
    [InlineData("api-bank", 198)]
    [InlineData("acebench", 250)]
    public void Load_PublishedData_CountsTheCases(string benchmark, int cases) =>
        Assert.Equal(cases, BenchmarkSuite.Load(benchmark, VectorFile.Folder(benchmark), []).Count);

    [Fact]
    public void DataVersion_ChangedQuestionOrAnswer_IsAnother()
    {
        using HandMadeFolder folder = BenchmarkFolders.Bfcl();
        AssertVersions("bfcl", folder, "questions/BFCL_v3_simple.json", "possible_answers/BFCL_v3_simple.json");
        using HandMadeFolder apiBank = BenchmarkFolders.ApiBank();
        AssertVersions("api-bank", apiBank, "level-1-api.json", "dialogues/GetUserToken-level-1-1.jsonl", "init_database/Account.json");
        using HandMadeFolder aceBench = BenchmarkFolders.AceBench();
        AssertVersions("acebench", aceBench, "data_normal_atom_bool.json", "possible_answer/data_normal_atom_bool.json");
    }

    [Fact]
    public void DataVersion_OtherPlaceOrFilesThatNobodyReads_IsTheSame()
    {
        using HandMadeFolder folder = BenchmarkFolders.Bfcl();
        using HandMadeFolder copy = BenchmarkFolders.Bfcl().With("README.md", "text").With("run/results.jsonl", "{}");

        Assert.Equal(BenchmarkSuite.DataVersion("bfcl", folder.Path), BenchmarkSuite.DataVersion("bfcl", copy.Path));
    }

    private static void AssertVersions(string benchmark, HandMadeFolder folder, params string[] files)
    {
        HashSet<string> versions = [BenchmarkSuite.DataVersion(benchmark, folder.Path)];
        foreach (string file in files)
        {
            File.AppendAllText(Path.Combine(folder.Path, file), "\n");
            Assert.True(versions.Add(BenchmarkSuite.DataVersion(benchmark, folder.Path)), file);
        }
    }

    [Fact]
    public void Headlines_Bfcl_AreThePapersMeans()
    {
        Dictionary<string, CategoryScore> scores = new()
        {
            ["simple"] = new(10, 9),
            ["java"] = new(10, 6),
            ["javascript"] = new(10, 3),
            ["multiple"] = new(10, 8),
            ["parallel"] = new(10, 7),
            ["parallel_multiple"] = new(10, 5),
            ["live_simple"] = new(100, 50),
            ["live_multiple"] = new(300, 240),
            ["live_parallel"] = new(50, 5),
            ["live_parallel_multiple"] = new(50, 5),
        };

        Dictionary<string, double> figures = BenchmarkSuite.Headlines("bfcl", scores).ToDictionary(figure => figure.Name, figure => figure.Value);

        Assert.Equal(0.6, figures["Simple"], 12);
        Assert.Equal((0.6 + 0.8 + 0.7 + 0.5) / 4, figures["Non-live"], 12);
        Assert.Equal(0.6, figures["Live (four call categories)"], 12);
        Assert.Equal((0.65 + 0.6) / 2, figures["Overall"], 12);
        Assert.DoesNotContain(figures.Keys, name => name.Contains("all cases", StringComparison.Ordinal));
    }

    [Fact]
    public void CategoryScore_Interval_IsWilsons()
    {
        CategoryScore score = new(10, 8);

        Assert.Equal(0.4901625, score.Low, 6);
        Assert.Equal(0.9433178, score.High, 6);
    }

    [Fact]
    public void Score_NativeReply_PutsOfferedNamesBack()
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("questions/BFCL_v3_parallel.json", """{"id": "parallel_0", "question": [[{"role": "user", "content": "Two."}]], "function": [{"name": "math.root", "description": "R.", "parameters": {"type": "dict", "properties": {"x": {"type": "float"}}, "required": ["x"]}}]}""")
            .With("possible_answers/BFCL_v3_parallel.json", """{"id": "parallel_0", "ground_truth": [{"math.root": {"x": [2.0]}}, {"math.root": {"x": [3.5]}}]}""");
        BenchmarkCase question = Assert.Single(BenchmarkSuite.Load("bfcl", folder.Path, ["parallel"]));

        Assert.Equal("math_root", Assert.Single(question.Tools).Name);
        Assert.Contains("\"number\"", question.Tools[0].FunctionJson, StringComparison.Ordinal);
        Assert.True(question.Score(NativeReply.FromCalls([("math_root", """{"x": 2}"""), ("math_root", """{"x": 3.5}""")])).Valid);
        Assert.True(question.Score(NativeReply.FromText("""
            <tool_call>
            {"name": "math_root", "arguments": {"x": 2}}
            </tool_call>
            <tool_call>
            {"name": "math_root", "arguments": {"x": 3.5}}
            </tool_call>
            """, "hermes", truncated: false)).Valid);
        Assert.False(question.Score("""<tool_call>[{"name": "math_root", "arguments": {"x": 2}}, {"name": "math_root", "arguments": {"x": 3.5}}]</tool_call>""").Valid);
    }
}
