namespace ToolN1.Training.Tests.Evaluation;

/// <summary>Folders of one small question each, made by hand in the benchmarks' formats.</summary>
internal static class BenchmarkFolders
{
    /// <summary>Category simple: one function of one required number.</summary>
    public static HandMadeFolder Bfcl(string question = "Two.") => new HandMadeFolder()
        .With("questions/BFCL_v3_simple.json", $$$"""{"id": "simple_0", "question": [[{"role": "user", "content": "{{{question}}}"}]], "function": [{"name": "f", "description": "F.", "parameters": {"type": "dict", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}]}""")
        .With("possible_answers/BFCL_v3_simple.json", """{"id": "simple_0", "ground_truth": [{"f": {"x": [2]}}]}""");

    /// <summary>One dialogue whose call is GetUserToken(username, password) for an account that there is.</summary>
    public static HandMadeFolder ApiBank(string question = "I need my token.") => new HandMadeFolder()
        .With("level-1-api.json", $$$$"""[{"file": "GetUserToken-level-1-1.jsonl", "id": 0, "instruction": "Generate an API request.\nAPI descriptions:\n{\"name\": \"GetUserToken\", \"description\": \"Gets the token.\", \"input_parameters\": {\"username\": {\"type\": \"str\", \"description\": \"U.\"}, \"password\": {\"type\": \"str\", \"description\": \"P.\"}}}", "input": "User: {{{{question}}}}\nGenerate API Request:\n", "expected_output": "API-Request: [GetUserToken(username='foo', password='bar')]"}]""")
        .With("dialogues/GetUserToken-level-1-1.jsonl", $$$"""{"role": "User", "text": "{{{question}}}"}""", """{"role": "API", "api_name": "GetUserToken", "param_dict": {"username": "foo", "password": "bar"}, "result": {"api_name": "GetUserToken", "input": {"username": "foo", "password": "bar"}, "output": {"token": "z9x8c7v6b5n4m3q2w1"}, "exception": null}}""")
        .With("init_database/Account.json", """{"foo": {"password": "bar", "token": "z9x8c7v6b5n4m3q2w1", "email": "foo@example.com"}}""");

    /// <summary>Category normal_atom_bool: one function of one string.</summary>
    public static HandMadeFolder AceBench(string question = "user: Dim the hall.\\n") => new HandMadeFolder()
        .With("data_normal_atom_bool.json", $$$"""{"id": "normal_atom_bool_0", "question": "{{{question}}}", "time": "", "function": [{"name": "dim", "description": "Dims a room.", "parameters": {"type": "object", "properties": {"room": {"type": "string", "description": "R."}}, "required": ["room"]}}]}""")
        .With("possible_answer/data_normal_atom_bool.json", """{"id": "normal_atom_bool_0", "ground_truth": {"dim": {"room": "hall"}}}""");
}
