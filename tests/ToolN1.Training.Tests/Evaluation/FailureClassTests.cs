using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.ApiBank;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Tests.Evaluation;

/// <summary>Replies that fail, from the text to the class in the report.</summary>
public sealed class FailureClassTests
{
    private const string Tide = """{"name": "tide", "description": "T.", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}, "day": {"type": "integer"}, "unit": {"type": "string"}}, "required": ["port"]}}""";
    private const string TypeError = """{"name": "type_error", "description": "T.", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}}, "required": ["port"]}}""";

    [Theory]
    [InlineData("simple", """[{"name": "tides", "arguments": {"port": "Brest"}}]""", "wrong name", "simple_function_checker:wrong_func_name")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"day": 3}}]""", "missing argument", "simple_function_checker:missing_required")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Brest"}}]""", "missing argument", "simple_function_checker:missing_optional")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Brest", "day": 3, "hour": 1}}]""", "extra argument", "simple_function_checker:unexpected_param")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Nantes", "day": 3}}]""", "wrong value", "value_error:string")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Brest", "day": 4}}]""", "wrong value", "value_error:others")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Brest", "day": "3"}}]""", "wrong type", "type_error:simple")]
    [InlineData("simple", "[]", "wrong number of calls", "simple_function_checker:wrong_count")]
    [InlineData("simple", """[{"name": "tide", "arguments": """, "unparsable", "ast_decoder:decoder_failed")]
    [InlineData("simple", """[{"name": "tide", "arguments": "{}"}]""", "unparsable", "ast_decoder:decoder_wrong_output_format")]
    [InlineData("simple", """[{"name": "tide", "arguments": {"port": "Brest", "day": 3}}]""", null, null)]
    [InlineData("irrelevance", """[{"name": "tide", "arguments": {"port": "Brest"}}]""", "should have abstained", "irrelevance_error:decoder_success")]
    [InlineData("live_relevance", "[]", "should have called", "relevance_error:decoder_failed")]
    [InlineData("java", """[{"name": "tide", "arguments": {"port": 5}}]""", "wrong type", "type_error:java")]
    [InlineData("multiple", """[{"name": "tide", "arguments": {}}, {"name": "tide", "arguments": {}}]""", "wrong number of calls", "multiple_function_checker:wrong_count")]
    [InlineData("parallel", """[{"name": "tide", "arguments": {"port": "Brest"}}]""", "wrong number of calls", "parallel_function_checker_no_order:wrong_count")]
    [InlineData("parallel", """[{"name": "tide", "arguments": {"port": "Brest"}}, {"name": "tide", "arguments": {"port": "Nice"}}]""", "wrong value", "parallel_function_checker_no_order:cannot_find_match")]
    [InlineData("parallel", """[{"name": "tide", "arguments": {"port": "Brest"}}, {"name": "tide", "arguments": {"port": 5}}]""", "wrong type", "parallel_function_checker_no_order:cannot_find_match")]
    [InlineData("parallel", """[{"name": "tide", "arguments": {"port": "Brest"}}, {"name": "tide", "arguments": {}}]""", "missing argument", "parallel_function_checker_no_order:cannot_find_match")]
    [InlineData("parallel", """[{"name": "tide", "arguments": {"port": "Brest"}}, {"name": "tides", "arguments": {"port": "Nantes"}}]""", "wrong name", "parallel_function_checker_no_order:cannot_find_match")]
    [InlineData("parallel_multiple", """[{"name": "tide", "arguments": {"port": "Nice"}}, {"name": "type_error", "arguments": {"port": "Brest"}}]""", "wrong value", "parallel_function_checker_no_order:cannot_find_match")]
    [InlineData("parallel_multiple", """[{"name": "tide", "arguments": {"port": "Brest"}}, {"name": "type_error", "arguments": {"port": "Nice"}}]""", "wrong value", "parallel_function_checker_no_order:cannot_find_match")]
    public void Of_RepliesToBfcl_SaysWhatToImprove(string category, string calls, string? failure, string? error)
    {
        using HandMadeFolder folder = new();
        (string functions, string answers) = category switch
        {
            "java" => ("""{"name": "tide", "description": "T.", "parameters": {"type": "dict", "properties": {"port": {"type": "String"}}, "required": ["port"]}}""", """{"tide": {"port": ["Brest"]}}"""),
            "parallel" => (Tide, """{"tide": {"port": ["Brest"]}}, {"tide": {"port": ["Nantes"]}}"""),
            "parallel_multiple" => ($"{Tide}, {TypeError}", """{"tide": {"port": ["Brest"]}}, {"type_error": {"port": ["Brest"]}}"""),
            _ => (Tide, """{"tide": {"port": ["Brest"], "day": [3], "unit": ["m", ""]}}"""),
        };
        folder.With($"questions/BFCL_v3_{category}.json", $$"""{"id": "0", "question": [[{"role": "user", "content": "?"}]], "function": [{{functions}}]}""")
            .With($"possible_answers/BFCL_v3_{category}.json", $$"""{"id": "0", "ground_truth": [{{answers}}]}""");

        AssertFailure("bfcl", folder, $"<tool_call>{calls}</tool_call>", failure, error);
    }

    [Theory]
    [InlineData("""<tool_call>[{"name": "GetToken", "arguments": {}}]</tool_call>""", "wrong name", "name_mismatch")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn"}}]</tool_call>""", "missing argument", "call_rejected:TypeError")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "room_count": [1]}}]</tool_call>""", "wrong type", "call_rejected:TypeError")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "room_count": "one"}}]</tool_call>""", "wrong type", "call_rejected:AssertionError")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "room_count": NaN}}]</tool_call>""", "wrong type", "call_rejected:ValueError")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "stars": 5}}]</tool_call>""", "extra argument", "call_rejected:AssertionError")]
    [InlineData("[BookHotel(hotel_name='Inn')]", "missing argument", "call_rejected")]
    [InlineData("[BookHotel(hotel_name='Inn', room_count='one')]", "wrong type", "call_rejected")]
    [InlineData("[BookHotel(hotel_name='Inn', stars='5')]", "extra argument", "call_rejected")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "check_in_time": "soon", "check_out_time": "2023-05-03", "room_count": 1, "adult_count": 1, "child_count": 0}}]</tool_call>""", "wrong value", "tool_exception")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Motel", "check_in_time": "2023-05-01", "check_out_time": "2023-05-03", "room_count": 1, "adult_count": 1, "child_count": 0}}]</tool_call>""", "wrong value", "mismatch")]
    [InlineData("""<tool_call>[{"name": "BookHotel", "arguments": {"hotel_name": "Inn", "check_in_time": null, "check_out_time": "2023-05-03", "room_count": 1, "adult_count": 1, "child_count": 0}}]</tool_call>""", "wrong value", "tool_exception")]
    [InlineData("I cannot book that.", "unparsable", "no_api_call")]
    [InlineData("<tool_call>[{]</tool_call>", "unparsable", "no_api_call")]
    [InlineData("<tool_call>[]</tool_call>", "should have called", "no_api_call")]
    [InlineData("[BookHotel(hotel_name='Inn', check_in_time='2023-05-01', check_out_time='2023-05-03', room_count='1', adult_count='1', child_count='0')]", null, null)]
    public void Of_RepliesToApiBank_SaysWhatToImprove(string completion, string? failure, string? error)
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("level-1-api.json", """[{"file": "h.jsonl", "id": 0, "instruction": "API descriptions:\n{\"name\": \"BookHotel\", \"description\": \"B.\", \"input_parameters\": {}}", "input": "User: Book.\nGenerate API Request:\n"}]""")
            .With("dialogues/h.jsonl", """{"role": "API", "api_name": "BookHotel", "param_dict": {}, "result": {"api_name": "BookHotel", "input": {"hotel_name": "Inn", "check_in_time": "2023-05-01", "check_out_time": "2023-05-03", "room_count": 1, "adult_count": 1, "child_count": 0}, "output": "1", "exception": null}}""")
            .With("init_database/Hotel.json", "{}");

        AssertFailure("api-bank", folder, completion, failure, error);
    }

    [Fact]
    public void Of_ApiBankArgumentsThatAreNoObject_IsUnparsable()
    {
        using HandMadeFolder folder = BenchmarkFolders.ApiBank();
        EvaluationVerdict verdict = new ApiBankScorer(folder.Path).ScoreCall("GetUserToken-level-1-1.jsonl", 0, "GetUserToken", "[]");

        Assert.Equal("call_rejected:TypeError", verdict.ErrorType);
        Assert.Equal("unparsable", FailureClass.Of(verdict));
    }

    [Theory]
    [InlineData("key_error", "other")]
    [InlineData("crash:AttributeError", "wrong type")]
    [InlineData("checker_error:KeyError", "other")]
    [InlineData("dict_checker:unclear", "wrong value")]
    [InlineData("list_dict_checker:unclear", "wrong value")]
    public void Of_ErrorsOfTheCheckersThemselves_AreNamedToo(string error, string failure) =>
        Assert.Equal(failure, FailureClass.Of(EvaluationVerdict.Wrong(error, "f.p")));

    [Theory]
    [InlineData("[lend(title='Emma')]", "wrong number of calls", "wrong functions number")]
    [InlineData("[lend(title='Emma', days=3), close()]", "wrong name", "function_mismatch")]
    [InlineData("[lend(days=3), hours(day='Monday')]", "missing argument", "simple_function_checker:unclear")]
    [InlineData("[hours(day='Monday'), lend(days=3)]", "missing argument", "lack_args")]
    [InlineData("[lend(), hours(day='Monday')]", "missing argument", "simple_function_checker:unclear")]
    [InlineData("[lend(title='Emma', shelf=1), hours(day='Monday')]", "extra argument", "simple_function_checker:unclear")]
    [InlineData("[hours(day='Monday'), lend(title='Emma', shelf=1)]", "extra argument", "addition_args")]
    [InlineData("[lend(title='Ivanhoe'), hours(day='Monday')]", "wrong value", "simple_function_checker:unclear")]
    [InlineData("[hours(day='Monday'), lend(title='Ivanhoe')]", "wrong value", "value_error:string")]
    [InlineData("[hours(day='Monday'), lend(title='Emma', days='3')]", "wrong type", "type_error")]
    [InlineData("I lend it.", "unparsable", "wrong_output_format")]
    [InlineData("""<tool_call>[{"name": "lend", "arguments": []}]</tool_call>""", "unparsable", "wrong_output_format")]
    [InlineData("[lend(title='Emma', days=3), hours(day='Monday')]", null, null)]
    public void Of_RepliesToAceBench_SaysWhatToImprove(string completion, string? failure, string? error)
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("data_normal_atom_list.json", """{"id": "a_0", "question": "user: ?", "time": "", "function": [{"name": "lend", "description": "L.", "parameters": {"type": "object", "properties": {"title": {"type": "string"}, "days": {"type": "integer"}}, "required": ["title"]}}, {"name": "hours", "description": "H.", "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}}]}""")
            .With("possible_answer/data_normal_atom_list.json", """{"id": "a_0", "ground_truth": {"lend": {"title": "Emma", "days": 3}, "hours": {"day": "Monday"}}}""");

        AssertFailure("acebench", folder, completion, failure, error);
    }

    [Theory]
    [InlineData("{}", """{"day": "Monday"}""", "extra argument")]
    [InlineData("""{"day": "Monday"}""", "{}", "missing argument")]
    public void Of_AceBenchCallWithAndWithoutArguments_TellsMissingFromExtra(string answer, string arguments, string failure)
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("data_normal_atom_list.json", """{"id": "a_0", "question": "user: ?", "time": "", "function": [{"name": "hours", "description": "H.", "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": []}}]}""")
            .With("possible_answer/data_normal_atom_list.json", $$$$"""{"id": "a_0", "ground_truth": {"hours": {{{{answer}}}}}}""");

        AssertFailure("acebench", folder, $$"""<tool_call>[{"name": "hours", "arguments": {{arguments}}}]</tool_call>""", failure, "wrong_param");
    }

    private static void AssertFailure(string benchmark, HandMadeFolder folder, string completion, string? failure, string? error)
    {
        BenchmarkCase question = Assert.Single(BenchmarkSuite.Load(benchmark, folder.Path, []));

        EvaluationResult result = EvaluationResult.Create(question, EvaluationMode.Parity, new EvaluationReply(completion, completion, "stop", null, null), TimeSpan.Zero);

        Assert.Equal((error, failure), (result.ErrorType, result.Failure));
    }
}
