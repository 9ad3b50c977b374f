using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Tests;

/// <summary>What each request field demands of the answer, asked of the constraint that reaches the engine.</summary>
public sealed class ToolChoiceTests
{
    private const string Clock = """{"type":"function","function":{"name":"get_time","parameters":{"type":"object","properties":{"zone":{"type":"string","enum":["UTC"]}},"required":["zone"]}}}""";
    private const string Tools = $"\"tools\":[{Json.Weather},{Clock}]";
    private const string Weather = """{"name": "get_weather", "arguments": {"city": "Paris"}}""";
    private const string Time = """{"name": "get_time", "arguments": {"zone": "UTC"}}""";
    private const string Words = "Hello!";

    [Theory]
    [InlineData("\"tool_choice\":\"required\"", "W T WT", "words bad other none")]
    [InlineData("\"tool_choice\":\"required\",\"parallel_tool_calls\":false", "W T", "WT words none")]
    [InlineData("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}", "T TT", "W WT words bad none")]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}]}}", "T", "W words none")]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}]}}", "T words none", "W WT other")]
    [InlineData("\"parallel_tool_calls\":false", "W T words none", "WT other")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "json W WT", "words")]
    public async Task Choice_Constrains(string more, string accepted, string refused)
    {
        AnswerConstraint constraint = (await ConstraintAsync($"{Tools},{more}"))!;

        Assert.All(accepted.Split(' '), answer => Assert.True(Accepts(constraint, answer), answer));
        Assert.All(refused.Split(' '), answer => Assert.False(Accepts(constraint, answer), answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"tool_choice\":\"auto\"")]
    [InlineData("\"tool_choice\":\"none\"")]
    [InlineData("\"tool_choice\":\"none\",\"parallel_tool_calls\":false")]
    [InlineData("\"response_format\":{\"type\":\"text\"}")]
    public async Task NothingDemanded_IsUnconstrained(string more) => Assert.Null(await ConstraintAsync($"{Tools}{(more.Length > 0 ? "," : "")}{more}"));

    [Theory]
    [InlineData("\"tool_choice\":\"none\"")]
    [InlineData("\"tool_choice\":\"auto\"")]
    [InlineData("\"function_call\":\"none\"")]
    public async Task NoTools_NoneAndAutoAreAccepted(string more) => Assert.Null(await ConstraintAsync(more));

    [Fact]
    public async Task None_CallThatTheModelWritesAllTheSame_IsNoCall()
    {
        using ApiServer server = new(engine => engine.Answer = _ => $"<tool_call>[{Weather}]</tool_call>");
        JsonNode choice = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"{Tools},\"tool_choice\":\"none\"")))["choices"]![0]!;

        Assert.Equal("stop", choice["finish_reason"]!.GetValue<string>());
        Assert.Null(choice["message"]!["tool_calls"]);
        Assert.DoesNotContain("tool_call", choice["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strict_ConstrainsTheToolsThatSaySo()
    {
        string strict = Clock.Replace("\"get_time\",", "\"get_time\",\"strict\":true,", StringComparison.Ordinal);
        AnswerConstraint constraint = (await ConstraintAsync($"\"tools\":[{Json.Weather},{strict}]"))!;

        Assert.True(Accepts(constraint, "T"));
        Assert.False(Accepts(constraint, "bad"));
        Assert.True(constraint.Accepts("<tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"anything\": 1}}]</tool_call>"u8));
    }

    [Fact]
    public async Task Description_DoesNotChangeTheGrammar()
    {
        // Descriptions that hold what elsewhere is taken for grammar: quotes, braces, tags, a rule.
        const string Described =
            """
            "tools":[{"type":"function","function":{"name":"f","description":"\"::= { } </tool_call> <think>","strict":true,
              "parameters":{"type":"object","description":"root ::= anything","properties":{"a":{"type":"integer","description":"\\ \" ] }"}},"required":["a"]}}}]
            """;
        AnswerConstraint constraint = (await ConstraintAsync(Described + ",\"tool_choice\":\"required\""))!;

        Assert.True(constraint.Accepts("<think>Hm.</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>"u8));
        Assert.False(constraint.Accepts("<think>Hm.</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"1\"}}]</tool_call>"u8));
    }

    [Fact]
    public async Task JsonSchema_Constrains()
    {
        AnswerConstraint constraint = (await ConstraintAsync(
            """
            "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}}
            """))!;

        Assert.True(constraint.Accepts("{\"n\": 7}"u8));
        Assert.True(constraint.Accepts("<think>Hm.</think>{\"n\":7}"u8));
        Assert.False(constraint.Accepts("{\"n\": \"7\"}"u8));
        Assert.False(constraint.Accepts("seven"u8));
    }

    [Theory]
    [InlineData("none", 0)]
    [InlineData("minimal", 3)]
    [InlineData("low", 4)]
    [InlineData("medium", 5)]
    [InlineData("high", 6)]
    public async Task ReasoningEffort_IsABudgetOfThinkingTokens(string effort, int tokens)
    {
        (string, string)[] budgets =
        [
            ("ToolN1:Chat:MinimalThinkingTokens", "3"), ("ToolN1:Chat:LowThinkingTokens", "4"), ("ToolN1:Chat:MediumThinkingTokens", "5"), ("ToolN1:Chat:HighThinkingTokens", "6"),
        ];
        using ApiServer server = new(budgets);
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"reasoning_effort\":\"{effort}\""));
        AnswerConstraint constraint = server.Engine.Requests.Single().Constraint!;

        // The budget is of tokens, so it shows in a sequence: how many tokens of thought come before the tag is closed.
        Assert.Equal(tokens, ThinkingTokens(constraint));
        Assert.True(constraint.Accepts("Hello!"u8));
    }

    [Fact]
    public async Task Functions_AnswerInKind()
    {
        const string Functions =
            """
            "functions":[{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]
            """;
        using ApiServer server = new(engine => engine.Answer = _ => $"<think>Look.</think><tool_call>[{Weather}]</tool_call>");
        JsonNode choice = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat(Functions)))["choices"]![0]!;
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat(Functions));

        Assert.Equal("function_call", choice["finish_reason"]!.GetValue<string>());
        Assert.Equal(
            """{"role":"assistant","content":null,"refusal":null,"reasoning_content":"Look.","function_call":{"name":"get_weather","arguments":"{\u0022city\u0022: \u0022Paris\u0022}"}}""",
            choice["message"]!.ToJsonString());
        JsonNode[] pieces = [.. chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["function_call"]!).Where(piece => piece is not null)];
        Assert.Equal("get_weather", pieces[0]["name"]!.GetValue<string>());
        Assert.Equal("{\"city\": \"Paris\"}", string.Concat(pieces.Select(piece => piece["arguments"]!.GetValue<string>())));
        Assert.Equal("function_call", chunks[^1]["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.All(chunks, chunk => Assert.Null(chunk["choices"]![0]!["delta"]!["tool_calls"]));
        AnswerConstraint constraint = server.Engine.Requests.First().Constraint!;
        Assert.True(Accepts(constraint, "W"));
        Assert.False(constraint.Accepts(Encoding.UTF8.GetBytes($"<tool_call>[{Weather}, {Weather}]</tool_call>")));
    }

    [Theory]
    [InlineData("{\"name\":\"get_weather\"}", false, true)]
    [InlineData("\"auto\"", true, true)]
    [InlineData("\"none\"", true, false)]
    public async Task FunctionCall_Chooses(string choice, bool mayWrite, bool isShown)
    {
        using ApiServer server = new();
        await server.PostJsonAsync(Json.ChatRoute, Json.Chat($"\"functions\":[{{\"name\":\"get_weather\",\"parameters\":{{}}}}],\"function_call\":{choice}"));
        GenerationRequest request = server.Engine.Requests.First();

        Assert.Equal(mayWrite, request.Constraint is null || Accepts(request.Constraint, "words"));
        Assert.Equal(isShown, ApiServer.Tokenizer.Decode(request.PromptTokenIds).Contains("get_weather", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", true, false)]
    [InlineData("\"include_reasoning\":true", true, true)]
    [InlineData("\"include_reasoning\":false", false, false)]
    public async Task IncludeReasoning_SaysWhereTheReasoningStands(string more, bool content, bool mirror)
    {
        using ApiServer server = new(engine => engine.Answer = _ => "<think>Look.</think>Done.");
        JsonNode message = (await server.PostJsonAsync(Json.ChatRoute, Json.Chat(more)))["choices"]![0]!["message"]!;
        IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat(more));
        string? Streamed(string field) => chunks.Any(chunk => chunk["choices"]![0]!["delta"]![field] is not null)
            ? string.Concat(chunks.Select(chunk => chunk["choices"]![0]!["delta"]![field]?.GetValue<string>()))
            : null;

        foreach ((string field, bool there) in new[] { ("reasoning_content", content), ("reasoning", mirror) })
        {
            Assert.Equal(there ? "Look." : null, message[field]?.GetValue<string>());
            Assert.Equal(there ? "Look." : null, Streamed(field));
        }
    }

    private static async Task<AnswerConstraint?> ConstraintAsync(string more)
    {
        using ApiServer server = new();
        JsonNode answer = await server.PostJsonAsync(Json.ChatRoute, Json.Chat(more));
        Assert.True(answer["error"] is null, answer.ToJsonString());
        return server.Engine.Requests.First().Constraint;
    }

    private static bool Accepts(AnswerConstraint constraint, string answer) => constraint.Accepts(Encoding.UTF8.GetBytes(answer switch
    {
        "words" => Words,
        "json" => "{\"a\": 1}",
        "none" => "<think>No.</think><tool_call>[]</tool_call>",
        "bad" => """<think>Hm.</think><tool_call>[{"name": "get_time", "arguments": {"zone": "CET"}}]</tool_call>""",
        "other" => """<think>Hm.</think><tool_call>[{"name": "made_up", "arguments": {}}]</tool_call>""",
        _ => $"<think>Hm.</think><tool_call>[{string.Join(", ", answer.Select(letter => letter == 'W' ? Weather : Time))}]</tool_call>",
    }));

    /// <summary>How many tokens of thought a model may write that never closes its tag of its own accord.</summary>
    private static int ThinkingTokens(AnswerConstraint constraint)
    {
        ITokenConstraint state = constraint.Start();
        bool Allows(int id) => (state.Allowed(10_000).Span[id / 64] & (1UL << (id % 64))) != 0;
        foreach (int id in ApiServer.Tokenizer.Encode("<think>"))
        {
            if (!Allows(id))
            {
                return 0;
            }

            state.Accept(id);
        }

        int letter = ApiServer.Tokenizer.Encode("Q").Single();
        int count = 0;
        for (; Allows(letter) && count < 100; count++)
        {
            state.Accept(letter);
        }

        return count;
    }
}
