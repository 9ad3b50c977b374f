using System.Text;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Tests.Constraints;

namespace ToolN1.Engine.Tests.Chat;

/// <summary>What a request's fields make of its answer.</summary>
public sealed class ChatConstraintsTests
{
    private const string CallF = """{"name": "f", "arguments": {"x": 1}}""";
    private const string CallG = """{"name": "g", "arguments": {}}""";
    private static readonly ChatTool F = new("f", """{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}}""");
    private static readonly ChatTool StrictF = F with { IsStrict = true };
    private static readonly ChatTool G = new("g", """{"name":"g","parameters":{"type":"object","properties":{}}}""");

    [Fact]
    public void Compile_AutoWithoutStrict_ConstrainsNothing()
    {
        Assert.Null(Compile(Request(F, G)));
        Assert.Null(Compile(Request()));
        Assert.Null(Compile(Request(StrictF) with { ToolChoice = new ToolChoice.None() }));
    }

    [Fact]
    public void Compile_AutoWithAStrictTool_ConstrainsItsCallsOnceTheModelOpensOne()
    {
        AnswerConstraint constraint = Compile(Request(StrictF, G))!;
        Accepts(constraint, "just words", "<think>a</think>words", $"<think>a</think><tool_call>[{CallF}]</tool_call>", "<think>a</think><tool_call>[]</tool_call>");

        // Tool g is not strict: any object will do.
        Accepts(constraint, """<tool_call>[{"name": "g", "arguments": {"any": [1, "thing"]}}]</tool_call>""");
        Refuses(constraint, """<tool_call>[{"name": "f", "arguments": {}}]</tool_call>""", """<tool_call>[{"name": "h", "arguments": {}}]</tool_call>""", "<tool_call>words");
    }

    [Fact]
    public void Compile_OptionAlways_ConstrainsEveryTool()
    {
        AnswerConstraint constraint = Compile(Request(F), new EngineOptions { ConstrainCalls = EngineOptions.ConstrainAlways })!;
        Accepts(constraint, "words", $"<tool_call>[{CallF}]</tool_call>");
        Refuses(constraint, """<tool_call>[{"name": "f", "arguments": {"x": "1"}}]</tool_call>""");
    }

    [Fact]
    public void Compile_Required_DemandsACallWhoseArgumentsFollowTheSchema()
    {
        AnswerConstraint constraint = Compile(Request(F, G) with { ToolChoice = new ToolChoice.Required() })!;
        Accepts(constraint, $"<think>a</think><tool_call>[{CallF}, {CallG}]</tool_call>");
        Refuses(constraint, "words", "<think>a</think>words", "<think>a</think><tool_call>[]</tool_call>", """<think>a</think><tool_call>[{"name": "f", "arguments": {}}]</tool_call>""", """<think>a</think><tool_call>[{"name": "g", "arguments": {"x": 1}}]</tool_call>""");
    }

    [Fact]
    public void Compile_NamedTool_IsTheOnlyOne()
    {
        AnswerConstraint constraint = Compile(Request(F, G) with { ToolChoice = new ToolChoice.Function("g"), ThinkingTokens = 0 })!;
        Accepts(constraint, $"<tool_call>[{CallG}]</tool_call>");
        Refuses(constraint, $"<tool_call>[{CallF}]</tool_call>", $"<think>a</think><tool_call>[{CallG}]</tool_call>");
    }

    [Fact]
    public void Compile_AllowedTools_LimitsTheNames()
    {
        AnswerConstraint auto = Compile(Request(F, G) with { ToolChoice = new ToolChoice.Allowed(["g"], IsRequired: false) })!;
        Accepts(auto, "words", $"<tool_call>[{CallG}]</tool_call>");
        Refuses(auto, $"<tool_call>[{CallF}]</tool_call>");
        AnswerConstraint required = Compile(Request(F, G) with { ToolChoice = new ToolChoice.Allowed(["g"], IsRequired: true) })!;
        Accepts(required, $"<think>a</think><tool_call>[{CallG}]</tool_call>");
        Refuses(required, "words", $"<think>a</think><tool_call>[{CallF}]</tool_call>");
    }

    [Theory]
    [InlineData("tool-n1")]
    [InlineData("hermes")]
    public void Compile_NotParallel_AllowsOneCall(string format)
    {
        string one = format == "hermes" ? $"<tool_call>\n{CallG}\n</tool_call>" : $"<tool_call>[{CallG}]</tool_call>";
        string two = format == "hermes" ? $"{one}\n{one}" : $"<tool_call>[{CallG}, {CallG}]</tool_call>";
        AnswerConstraint both = Compile(Request(G) with { ToolChoice = new ToolChoice.Required(), ThinkingTokens = 0 }, null, format)!;
        Accepts(both, one, two);
        foreach (ToolChoice choice in new ToolChoice[] { new ToolChoice.Required(), new ToolChoice.Auto() })
        {
            AnswerConstraint single = Compile(Request(G) with { ToolChoice = choice, ParallelToolCalls = false, ThinkingTokens = 0 }, null, format)!;
            Accepts(single, one);
            Refuses(single, two);
        }
    }

    [Fact]
    public void Compile_JsonFormats_DemandJsonOrACallOfAnOfferedTool()
    {
        AnswerConstraint any = Compile(Request() with { ResponseFormat = new ResponseFormat.JsonObject() })!;
        Accepts(any, """{"a":1}""", "{}", "<think>so</think>\n{ \"a\": [true] }");
        Refuses(any, "[1]", "words", "{} words");
        AnswerConstraint schema = Compile(Request(G) with { ResponseFormat = new ResponseFormat.JsonSchema("""{"type":"array","items":{"type":"integer"}}""", false) })!;
        Accepts(schema, "[1,2]", $"<think>so</think><tool_call>[{CallG}]</tool_call>");
        Refuses(schema, "{}", "[true]", $"<tool_call>[{CallF}]</tool_call>");
    }

    [Fact]
    public void Compile_SchemaThatIsNotStrict_IsHeldWhereItCanBeAndElseAnyJsonWillDo()
    {
        AnswerConstraint held = Compile(Request() with { ResponseFormat = new ResponseFormat.JsonSchema("""{"type":"integer"}""", false) })!;
        Accepts(held, "5");
        Refuses(held, "true", "{}");

        ResponseFormat.JsonSchema unique = new("""{"type":"array","uniqueItems":true}""", false);
        AnswerConstraint free = Compile(Request(G) with { ResponseFormat = unique })!;
        Accepts(free, "[1, 1]", "{}", "\"a\"", "<think>so</think>[2]", $"<tool_call>[{CallG}]</tool_call>");
        Refuses(free, "words", "[1", $"<tool_call>[{CallF}]</tool_call>");
        Assert.Throws<ConstraintException>(() => Compile(Request(G) with { ResponseFormat = unique with { IsStrict = true } }));
    }

    [Fact]
    public void Compile_FormatIsNotStrictButAToolCannotBeEnforced_NamesTheTool()
    {
        ChatTool unique = new("u", """{"name":"u","parameters":{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}}""", IsStrict: true);
        ResponseFormat.JsonSchema format = new("""{"type":"integer"}""", false);
        Assert.Equal("u", Assert.Throws<ConstraintException>(() => Compile(Request(unique) with { ResponseFormat = format })).Tool);
        Assert.Equal("u", Assert.Throws<ConstraintException>(() => Compile(Request(unique) with { ResponseFormat = format with { SchemaJson = """{"not":{}}""" } })).Tool);
    }

    [Fact]
    public void Compile_ThinkingTokensAlone_LimitsThinkingOfAFreeAnswer()
    {
        AnswerConstraint none = Compile(Request() with { ThinkingTokens = 0 })!;
        Accepts(none, "words", "<tool_call>[]</tool_call>");
        Refuses(none, "<think>a</think>words", " \n<think>");
        AnswerConstraint some = Compile(Request() with { ThinkingTokens = 10 })!;
        Accepts(some, "<think>a</think>words", "words <think>");
    }

    [Fact]
    public void Compile_ImpossibleChoice_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => Compile(Request(F) with { ToolChoice = new ToolChoice.Function("h") }));
        Assert.Throws<ArgumentException>(() => Compile(Request() with { ToolChoice = new ToolChoice.Required() }));
        Assert.Throws<ArgumentException>(() => Compile(Request(F) with { ToolChoice = new ToolChoice.Allowed([], true) }));
    }

    [Fact]
    public void Compile_SchemaThatCannotBeEnforced_NamesToolAndPointer()
    {
        ChatTool unique = new("u", """{"name":"u","parameters":{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}}""", IsStrict: true);
        ConstraintException exception = Assert.Throws<ConstraintException>(() => Compile(Request(G, unique)));
        Assert.Equal(("u", "/properties/a/uniqueItems"), (exception.Tool, exception.Pointer));
        Assert.Null(Assert.Throws<ConstraintException>(() => Compile(Request() with { ResponseFormat = new ResponseFormat.JsonSchema("""{"not":{}}""", true) })).Tool);
    }

    private static void Accepts(AnswerConstraint constraint, params string[] answers) =>
        Assert.All(answers, answer => Assert.True(constraint.Accepts(Encoding.UTF8.GetBytes(answer)), answer));

    private static void Refuses(AnswerConstraint constraint, params string[] answers) =>
        Assert.All(answers, answer => Assert.False(constraint.Accepts(Encoding.UTF8.GetBytes(answer)), answer));

    private static AnswerConstraint? Compile(ChatRequest request, EngineOptions? options = null, string format = "tool-n1")
    {
        AnswerMarkup markup = format == "hermes" ? AnswerMarkup.Blocks : AnswerMarkup.List;
        ConstraintCompiler compiler = new(TestVocabulary.Index.Tokenizer, [TestVocabulary.End], markup);
        return new ChatConstraints(compiler, Options.Create(options ?? new EngineOptions())).Compile(request);
    }

    private static ChatRequest Request(params ChatTool[] tools) => new()
    {
        RequestId = "r",
        Messages = [new ChatMessage { Role = ChatRole.User, Content = "hi" }],
        Tools = tools,
    };
}
