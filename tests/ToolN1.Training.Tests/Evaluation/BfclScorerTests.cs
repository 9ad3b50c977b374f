using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class BfclScorerTests
{
    [Fact]
    public void Score_EveryOfficialVector_SameVerdictAndErrorType()
    {
        BfclScorer scorer = new(VectorFile.Folder("bfcl"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("bfcl", "checker-vectors.jsonl.gz"))
        {
            lines++;
            EvaluationVerdict ours = scorer.Score(vector["category"].Text, (int)vector["index"].Integer, vector["completion"].Text);
            if (ours.Valid != vector["valid"].IsTruthy || ours.ErrorType != vector.OptionalText("error_type"))
            {
                differences.Add($"{vector["id"].Text} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["error_type"])}: {vector["completion"].Text}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(36_202, lines);
    }

    private const string Mix =
        """{"name": "paint.mix", "description": "Mixes paint.", "parameters": {"type": "dict", "properties": {"color": {"type": "string"}, "litres": {"type": "float"}, "coats": {"type": "integer"}, "tints": {"type": "array", "items": {"type": "float"}}, "gloss": {"type": "boolean"}, "tin": {"type": "dict"}}, "required": ["color", "coats"]}}""";

    private const string MixAnswer =
        """{"paint.mix": {"color": ["sea-green", "sea green"], "litres": [2.5, ""], "coats": [-2], "tints": [[0.5, 1.0], ""], "gloss": [true, ""], "tin": [{"kind": ["metal"], "lid": ["on", ""]}, ""]}}""";

    private static HandMadeFolder Paint() => new HandMadeFolder()
        .With("questions/BFCL_v3_simple.json", $$"""{"id": "simple_0", "question": [[{"role": "user", "content": "Mix."}]], "function": [{{Mix}}]}""")
        .With("possible_answers/BFCL_v3_simple.json", $$"""{"id": "simple_0", "ground_truth": [{{MixAnswer}}]}""")
        .With("questions/BFCL_v3_irrelevance.json", $$"""{"id": "irrelevance_0", "question": [[{"role": "user", "content": "Sing."}]], "function": [{{Mix}}]}""")
        .With("questions/BFCL_v3_parallel.json", """{"id": "parallel_0", "question": [[{"role": "user", "content": "Two."}]], "function": [{"name": "f", "description": "F.", "parameters": {"type": "dict", "properties": {"a": {"type": "string"}}, "required": ["a"]}}]}""")
        .With("possible_answers/BFCL_v3_parallel.json", """{"id": "parallel_0", "ground_truth": [{"f": {"a": ["x", "y"]}}, {"f": {"a": ["x"]}}]}""")
        .With("questions/BFCL_v3_multiple.json", """{"id": "multiple_0", "question": [[{"role": "user", "content": "B."}]], "function": [{"name": "blend", "description": "B.", "parameters": {"type": "dict", "properties": {"ratios": {"type": "array", "items": {"type": "float"}}, "code": {"type": "string"}}, "required": ["ratios"]}}]}""")
        .With("possible_answers/BFCL_v3_multiple.json", """{"id": "multiple_0", "ground_truth": [{"blend": {"ratios": [[0.5, 1.0]], "code": ["a1.5", ""]}}]}""")
        .With("questions/BFCL_v3_java.json", """{"id": "java_0", "question": [[{"role": "user", "content": "J."}]], "function": [{"name": "S.run", "description": "R.", "parameters": {"type": "dict", "properties": {"ids": {"type": "ArrayList", "items": {"type": "integer"}}, "count": {"type": "long"}, "options": {"type": "HashMap"}}, "required": ["ids"]}}]}""")
        .With("possible_answers/BFCL_v3_java.json", """{"id": "java_0", "ground_truth": [{"S.run": {"ids": [[1, 2]], "count": [7, ""], "options": [{"dry": [true]}, ""]}}]}""")
        .With("questions/BFCL_v3_javascript.json", """{"id": "javascript_0", "question": [[{"role": "user", "content": "J."}]], "function": [{"name": "go", "description": "G.", "parameters": {"type": "dict", "properties": {"names": {"type": "array", "items": {"type": "String"}}, "cfg": {"type": "dict"}}, "required": ["names"]}}]}""")
        .With("possible_answers/BFCL_v3_javascript.json", """{"id": "javascript_0", "ground_truth": [{"go": {"names": [["a", "b"]], "cfg": [{"depth": [3]}, ""]}}]}""");

    [Theory]
    [InlineData("""{"color": "Sea_Green", "coats": -2}""", null)]
    [InlineData("""{"color": "sea green", "coats": -2, "litres": 2.50, "tints": [0.5, 1.0], "gloss": true, "tin": {"kind": "METAL"}}""", null)]
    [InlineData("""{"color": "sea blue", "coats": -2}""", "value_error:string")]
    [InlineData("""{"coats": -2}""", "simple_function_checker:missing_required")]
    [InlineData("""{"color": "sea green", "coats": -2, "shade": 1}""", "simple_function_checker:unexpected_param")]
    [InlineData("""{"color": "sea green", "coats": -2.0}""", "type_error:simple")]
    [InlineData("""{"color": "sea green", "coats": 2}""", "value_error:others")]
    [InlineData("""{"color": "sea green", "coats": -2, "tints": [1.0, 0.5]}""", "value_error:list/tuple")]
    [InlineData("""{"color": "sea green", "coats": -2, "tints": ["0.5"]}""", "value_error:list/tuple")]
    [InlineData("""{"color": "sea green", "coats": -2, "tin": {"kind": "glass"}}""", "value_error:dict_value")]
    [InlineData("""{"color": "sea green", "coats": -2, "tin": {"lid": "on"}}""", "value_error:dict_key")]
    public void Score_HandMadeArguments_NamesTheFirstFailure(string arguments, string? error)
    {
        using HandMadeFolder folder = Paint();

        EvaluationVerdict verdict = new BfclScorer(folder.Path).Score("simple", 0, $$"""<tool_call>[{"name": "paint.mix", "arguments": {{arguments}}}]</tool_call>""");

        Assert.Equal(error, verdict.ErrorType);
        Assert.Equal(error is null, verdict.Valid);
    }

    [Theory]
    [InlineData("no call", "ast_decoder:decoder_failed")]
    [InlineData("<tool_call>{\"name\": \"paint.mix\", \"arguments\": {}}</tool_call>", "ast_decoder:decoder_failed")]
    [InlineData("<tool_call>[{\"name\": \"paint.mix\", \"arguments\": \"{}\"}]</tool_call>", "ast_decoder:decoder_wrong_output_format")]
    [InlineData("<tool_call>[]</tool_call>", "simple_function_checker:wrong_count")]
    [InlineData("<tool_call>[{\"name\": \"paint_mix\", \"arguments\": {}}]</tool_call>", "simple_function_checker:wrong_func_name")]
    public void Score_HandMadeReplies_NamesTheFailure(string completion, string error)
    {
        using HandMadeFolder folder = Paint();

        Assert.Equal(error, new BfclScorer(folder.Path).Score("simple", 0, completion).ErrorType);
    }

    [Theory]
    [InlineData("java", """{"name": "S.run", "arguments": {"ids": "new ArrayList<Integer>(Arrays.asList(1, 2))", "count": "7L", "options": "new HashMap<String, Object>() {{ put(\"dry\", true); }}"}}""", null)]
    [InlineData("java", """{"name": "S.run", "arguments": {"ids": [1, 2]}}""", "type_error:java")]
    [InlineData("java", """{"name": "S.run", "arguments": {"ids": "new ArrayList<Integer>() {{ add(1); add(3); }}"}}""", "value_error:list/tuple")]
    [InlineData("javascript", """{"name": "go", "arguments": {"names": "['a', \"b\"]", "cfg": "{depth: 3}"}}""", null)]
    [InlineData("javascript", """{"name": "go", "arguments": {"names": ["a", "b"]}}""", "type_error:js")]
    public void Score_LiteralsOfTheLanguage_AreConverted(string category, string call, string? error)
    {
        using HandMadeFolder folder = Paint();

        Assert.Equal(error, new BfclScorer(folder.Path).Score(category, 0, $"<tool_call>[{call}]</tool_call>").ErrorType);
    }

    [Theory]
    [InlineData("simple", """{"name": "paint.mix", "arguments": {"color": "sea green", "coats": -2, "tints": []}}""", true, false)]
    [InlineData("simple", """{"name": "paint.mix", "arguments": {"color": "sea green", "coats": -2, "tin": {"kind": "metal", "lid": ""}}}""", true, false)]
    [InlineData("multiple", """{"name": "blend", "arguments": {"ratios": [0.5, 1]}}""", false, true)]
    [InlineData("multiple", """{"name": "blend", "arguments": {"ratios": [0.5, 1.0], "code": "a-15"}}""", true, false)]
    [InlineData("irrelevance", """{"name": "paint.mix", "arguments": """, true, false)]
    [InlineData("parallel", """{"name": "f", "arguments": {"a": "x"}}, {"name": "f", "arguments": {"a": "y"}}""", false, true)]
    public void Score_Quirks_AreCopiedAndPutRightOnRequest(string category, string calls, bool official, bool right)
    {
        using HandMadeFolder folder = Paint();
        string completion = $"<tool_call>[{calls}]</tool_call>";

        Assert.Equal(official, new BfclScorer(folder.Path).Score(category, 0, completion).Valid);
        Assert.Equal(right, new BfclScorer(folder.Path, fixedRules: true).Score(category, 0, completion).Valid);
    }

    /// <summary>The rows of the quirks table that need a parameter of their own: its schema, what is accepted, what the model wrote.</summary>
    [Theory]
    [InlineData("""{"type": "string"}""", """["red", ""]""", "\" -_. \"", true, false)]
    [InlineData("""{"type": "string"}""", """["red", ""]""", "\"Red.\"", true, true)]
    [InlineData("""{"type": "string"}""", """["red", ""]""", "\"\"", true, false)]
    [InlineData("""{"type": "string"}""", """[5, ""]""", "\"\"", true, false)]
    [InlineData("""{"type": "array", "items": {"type": "string"}}""", """[["a"], ""]""", "[]", true, false)]
    [InlineData("""{"type": "dict"}""", """[{"lid": ["on", ""]}]""", """{"lid": ""}""", true, false)]
    [InlineData("""{"type": "string"}""", """["-5"]""", "\"5\"", true, false)]
    [InlineData("""{"type": "string"}""", """["-5"]""", "\"-5\"", true, true)]
    [InlineData("""{"type": "string"}""", """["x = -5"]""", "\"x=-5\"", true, true)]
    [InlineData("""{"type": "string"}""", """["1.5"]""", "\"15\"", true, false)]
    [InlineData("""{"type": "string"}""", """["1.5 m"]""", "\"1.5m\"", true, true)]
    [InlineData("""{"type": "string"}""", """["2024-1-11"]""", "\"2024-11-1\"", true, false)]
    [InlineData("""{"type": "string"}""", """["2024-1-11"]""", "\"2024/1/11\"", true, true)]
    [InlineData("""{"type": "array", "items": {"type": "float"}}""", """[[0.5, 1.0]]""", "[0.5, 1]", false, true)]
    [InlineData("""{"type": "array", "items": {"type": "boolean"}}""", """[[1, true]]""", "[true, true]", true, false)]
    [InlineData("""{"type": "array", "items": {"type": "boolean"}}""", """[[1, true]]""", "[1, true]", true, true)]
    [InlineData("""{"type": "dict"}""", """[{"n": [1]}]""", """{"n": true}""", true, false)]
    [InlineData("""{"type": "dict"}""", """[{"n": [1]}]""", """{"n": 1}""", true, true)]
    [InlineData("""{"type": "dict"}""", """[{"on": [{"n": true}]}]""", """{"on": {"n": 1}}""", true, false)]
    public void Score_QuirkOfAValue_IsCopiedAndPutRightOnRequest(string schema, string accepted, string value, bool official, bool right)
    {
        using HandMadeFolder folder = OneParameter(schema, accepted);
        string completion = $$$"""<tool_call>[{"name": "f", "arguments": {"p": {{{value}}}}}]</tool_call>""";

        Assert.Equal(official, new BfclScorer(folder.Path).Score("simple", 0, completion).Valid);
        Assert.Equal(right, new BfclScorer(folder.Path, fixedRules: true).Score("simple", 0, completion).Valid);
    }

    [Theory]
    [InlineData("""{"type": "array", "items": {"type": "float"}}""", """[[0.5], ""]""", """["0.5"]""", "value_error:list/tuple")]
    [InlineData("""{"type": "array", "items": {"type": "float"}}""", """[[0.5]]""", """["0.5"]""", "type_error:nested")]
    [InlineData("""{"type": "array"}""", """[[1]]""", "[1]", "checker_error:KeyError")]
    public void Score_QuirksWithoutARightVerdictOfTheirOwn_AreKept(string schema, string accepted, string value, string error)
    {
        using HandMadeFolder folder = OneParameter(schema, accepted);
        string completion = $$$"""<tool_call>[{"name": "f", "arguments": {"p": {{{value}}}}}]</tool_call>""";

        Assert.Equal(error, new BfclScorer(folder.Path).Score("simple", 0, completion).ErrorType);
        Assert.Equal(error, new BfclScorer(folder.Path, fixedRules: true).Score("simple", 0, completion).ErrorType);
    }

    private static HandMadeFolder OneParameter(string schema, string accepted) => new HandMadeFolder()
        .With("questions/BFCL_v3_simple.json", $$$$"""{"id": "simple_0", "question": [[{"role": "user", "content": "?"}]], "function": [{"name": "f", "description": "F.", "parameters": {"type": "dict", "properties": {"p": {{{{schema}}}}}, "required": []}}]}""")
        .With("possible_answers/BFCL_v3_simple.json", $$$$"""{"id": "simple_0", "ground_truth": [{"f": {"p": {{{{accepted}}}}}}]}""");

    [Theory]
    [InlineData("live_irrelevance", "I cannot.", null)]
    [InlineData("live_irrelevance", """<tool_call>[{"name": "f", "arguments": {}}]</tool_call>""", "irrelevance_error:decoder_success")]
    [InlineData("live_relevance", """<tool_call>[{"name": "other", "arguments": {}}]</tool_call>""", null)]
    [InlineData("live_relevance", "I cannot.", "relevance_error:decoder_failed")]
    [InlineData("live_simple", """<think>a</think><tool_call>[{"name": "f", "arguments": {"a": "x"}}]</tool_call> <tool_call>[]</tool_call>""", null)]
    [InlineData("live_simple", """<tool_call>[]</tool_call><tool_call>[{"name": "f", "arguments": {"a": "x"}}]</tool_call>""", "simple_function_checker:wrong_count")]
    public void Score_LiveCategories_FollowTheRulesOfTheirKind(string category, string completion, string? error)
    {
        const string Question = """{"id": "0", "question": [[{"role": "user", "content": "?"}]], "function": [{"name": "f", "description": "F.", "parameters": {"type": "dict", "properties": {"a": {"type": "string"}}, "required": ["a"]}}]}""";
        using HandMadeFolder folder = new HandMadeFolder()
            .With($"questions/BFCL_v3_{category}.json", Question).With("possible_answers/BFCL_v3_live_simple.json", """{"id": "0", "ground_truth": [{"f": {"a": ["x"]}}]}""");

        Assert.Equal(error, new BfclScorer(folder.Path).Score(category, 0, completion).ErrorType);
    }

    [Fact]
    public void Score_MissingCategory_NamesTheFile()
    {
        using HandMadeFolder folder = Paint();

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => new BfclScorer(folder.Path).Score("live_simple", 0, ""));

        Assert.Contains("BFCL_v3_live_simple.json", error.Message, StringComparison.Ordinal);
    }
}
