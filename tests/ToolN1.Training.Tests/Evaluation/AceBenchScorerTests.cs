using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.AceBench;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class AceBenchScorerTests
{
    [Fact]
    public void Score_EveryOfficialVectorInBothForms_SameVerdictAndErrorType()
    {
        AceBenchScorer scorer = new(VectorFile.Folder("acebench"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("acebench", "checker-vectors.jsonl.gz"))
        {
            lines++;
            bool json = vector["route"].Is("json");
            EvaluationVerdict ours = json
                ? scorer.ScoreCalls(vector["category"].Text, vector["id"].Text, vector["calls"])
                : scorer.ScoreText(vector["category"].Text, vector["id"].Text, vector["completion"].Text);
            if (ours.Valid != vector["valid"].IsTruthy || ours.ErrorType != vector.OptionalText("error_type"))
            {
                differences.Add($"{vector["id"].Text} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["error_type"])}: {PyText.Str(vector[json ? "calls" : "completion"])}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(8_810, lines);
    }

    private static HandMadeFolder Library() => new HandMadeFolder()
        .With("data_normal_atom_list.json", """{"id": "a_0", "question": "user: Lend two books.", "time": "", "function": [{"name": "library_lend", "description": "L.", "parameters": {"type": "object", "properties": {"title": {"type": "string"}, "days": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}, "card": {"type": "object"}}, "required": ["title"]}}, {"name": "library_hours", "description": "H.", "parameters": {}}]}""")
        .With("possible_answer/data_normal_atom_list.json", """{"id": "a_0", "ground_truth": {"library_lend_1": {"title": "Emma", "days": 14, "tags": ["novel", "old"], "card": {"no": "7", "kind": {"level": "gold"}}}, "library_lend_2": {"title": "Ivanhoe"}}}""");

    private const string Second = """{"name": "library_lend", "arguments": {"title": "Ivanhoe"}}""";

    [Theory]
    [InlineData("""{"title": "emma!", "tags": ["Novel", "old"], "card": {"no": "7", "kind": {"level": "gold"}}}""", null)]
    [InlineData("""{"title": "Emma", "days": 3}""", null)]
    [InlineData("""{"title": "Em"}""", "value_error:string")]
    [InlineData("""{"title": "Emma", "days": "14"}""", "type_error")]
    [InlineData("""{"title": "Emma", "tags": ["old", "novel"]}""", "value_error:list/tuple")]
    [InlineData("""{"title": "Emma", "card": {"no": "7"}}""", "value_error")]
    [InlineData("""{"days": 14}""", "lack_args")]
    [InlineData("""{"title": "Emma", "shelf": 1}""", "addition_args")]
    [InlineData("{}", "wrong_param")]
    public void ScoreCalls_HandMadeArguments_NamesTheFirstFailure(string arguments, string? error)
    {
        using HandMadeFolder folder = Library();
        string calls = $$"""[{{Second}}, {"name": "library_lend", "arguments": {{arguments}}}]""";

        EvaluationVerdict verdict = new AceBenchScorer(folder.Path).ScoreCalls("normal_atom_list", "a_0", calls);

        // The answer's first call meets our calls in order, so its failure is that of the last one tried.
        Assert.Equal(error, verdict.ErrorType);
    }

    [Theory]
    [InlineData("[library_lend(title='Emma', days=14), library_lend(title=\"Ivanhoe\")]", null)]
    [InlineData("library_lend(title='Emma'), library_lend(title='Ivan hoe')", null)]
    [InlineData("[library_lend(title='Emma')]", "wrong functions number")]
    [InlineData("[library_lend(title='Emma'), library_hours()]", "function_mismatch")]
    [InlineData("I call [library_lend(title='Emma')]", "wrong_output_format")]
    [InlineData("[{'name': 'library_lend'}]", "wrong_output_format")]
    [InlineData("", "wrong_output_format")]
    public void ScoreText_HandMadeReplies_AreDecodedLikePython(string completion, string? error)
    {
        using HandMadeFolder folder = Library();

        Assert.Equal(error, new AceBenchScorer(folder.Path).ScoreText("normal_atom_list", "a_0", completion).ErrorType);
    }

    /// <summary>One function with every kind of parameter; what the answer has, what the model wrote.</summary>
    [Theory]
    [InlineData("""{"n": 0}""", """{"n": 7}""", true, false)]
    [InlineData("""{"n": 0}""", """{"n": "false"}""", true, false)]
    [InlineData("""{"flag": true}""", """{"flag": false}""", true, false)]
    [InlineData("""{"flag": true}""", """{"flag": "true"}""", true, true)]
    [InlineData("""{"pick": "a"}""", """{"pick": "b"}""", true, false)]
    [InlineData("""{"text": "Emma"}""", """{"text": "Emma and more"}""", true, false)]
    [InlineData("""{"text": ""}""", """{"text": "anything"}""", true, false)]
    [InlineData("""{"text": "Emma"}""", """{"text": "emma."}""", true, true)]
    [InlineData("""{"box": {"no": "7"}}""", """{"box": {"no": "17"}}""", true, false)]
    [InlineData("""{"box": {"no": "7", "in": {"on": true}}}""", """{"box": {"no": "7", "in": {"on": "true"}}}""", true, true)]
    [InlineData("""{"box": {"in": {"list": ["b"]}}}""", """{"box": {"in": {"list": ["B."]}}}""", false, true)]
    [InlineData("{}", "{}", false, true)]
    [InlineData("{}", """{"n": 1}""", false, false)]
    public void ScoreCalls_QuirkOfAValue_IsCopiedAndPutRightOnRequest(string answer, string arguments, bool official, bool right)
    {
        using HandMadeFolder folder = OneCall(answer);
        string calls = $$"""[{"name": "do_it", "arguments": {{arguments}}}]""";

        Assert.Equal(official, new AceBenchScorer(folder.Path).ScoreCalls("normal_atom_bool", "a_0", calls).Valid);
        Assert.Equal(right, new AceBenchScorer(folder.Path, fixedRules: true).ScoreCalls("normal_atom_bool", "a_0", calls).Valid);
    }

    [Fact]
    public void ScoreCalls_DescriptionWhoseNameIsPartOfTheAnswers_IsTakenUnlessFixed()
    {
        using HandMadeFolder folder = OneCall("""{"n": 1}""", """{"name": "do", "description": "D.", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": []}}, """);
        const string Calls = """[{"name": "do_it", "arguments": {"n": 1}}]""";

        Assert.Equal("wrong_function_name", new AceBenchScorer(folder.Path).ScoreCalls("normal_atom_bool", "a_0", Calls).ErrorType);
        Assert.True(new AceBenchScorer(folder.Path, fixedRules: true).ScoreCalls("normal_atom_bool", "a_0", Calls).Valid);
    }

    [Fact]
    public void ScoreText_WhiteSpaceInsideStrings_IsLostUnlessFixed()
    {
        using HandMadeFolder folder = OneCall("""{"box": {"in": {"list": ["two words"]}}}""");
        const string Reply = "[do_it(box={'in': {'list': ['two words']}})]";

        Assert.Equal("value_error", new AceBenchScorer(folder.Path).ScoreText("normal_atom_bool", "a_0", Reply).ErrorType);
        Assert.True(new AceBenchScorer(folder.Path, fixedRules: true).ScoreText("normal_atom_bool", "a_0", Reply).Valid);
    }

    private static HandMadeFolder OneCall(string answer, string functionBefore = "") => new HandMadeFolder()
        .With("data_normal_atom_bool.json", $$$$"""{"id": "a_0", "question": "user: ?", "time": "", "function": [{{{{functionBefore}}}}{"name": "do_it", "description": "D.", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}, "flag": {"type": "boolean"}, "pick": {"type": "enum"}, "text": {"type": "string"}, "box": {"type": "object"}}, "required": []}}]}""")
        .With("possible_answer/data_normal_atom_bool.json", $$$$"""{"id": "a_0", "ground_truth": {"do_it": {{{{answer}}}}}}""");

    [Theory]
    [InlineData("""[{"name": "library_lend", "arguments": {"title": "Emma", "days": 3}}, {"name": "library_lend", "arguments": {"title": "Ivanhoe"}}]""", true, false)]
    [InlineData("""[{"name": "library_lend", "arguments": {"title": "Emma of Ivanhoe"}}, {"name": "library_lend", "arguments": {"title": "nothing"}}]""", true, false)]
    [InlineData("""[{"name": "library_lend", "arguments": {"title": "Emma"}}, {"name": "library_lend", "arguments": {"title": "Ivanhoe"}}]""", true, true)]
    public void ScoreCalls_Quirks_AreCopiedAndPutRightOnRequest(string calls, bool official, bool right)
    {
        using HandMadeFolder folder = Library();

        Assert.Equal(official, new AceBenchScorer(folder.Path).ScoreCalls("normal_atom_list", "a_0", calls).Valid);
        Assert.Equal(right, new AceBenchScorer(folder.Path, fixedRules: true).ScoreCalls("normal_atom_list", "a_0", calls).Valid);
    }
}
