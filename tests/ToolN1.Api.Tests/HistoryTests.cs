using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

/// <summary>What a conversation's earlier messages may be, and what the model sees of them.</summary>
public sealed class HistoryTests
{
    private const string TwoCalls =
        """
        {"role":"assistant","content":CONTENT,"reasoning_content":"Two cities.","tool_calls":[
          {"id":"a","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}},
          {"id":"b","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Rome\"}"}}]}
        """;

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"Let me look.\"")]
    public async Task Results_InAnyOrder_AreShownInTheOrderOfTheirCalls(string content)
    {
        string prompt = await PromptAsync(
            """{"role":"user","content":"Paris and Rome?"}""",
            TwoCalls.Replace("CONTENT", content, StringComparison.Ordinal),
            """{"role":"tool","tool_call_id":"b","content":"Rome: 30"}""",
            """{"role":"tool","tool_call_id":"a","content":"Paris: 21","name":"get_weather"}""");

        Assert.True(prompt.IndexOf("Paris: 21", StringComparison.Ordinal) < prompt.IndexOf("Rome: 30", StringComparison.Ordinal));
        Assert.Equal(content.Contains("look", StringComparison.Ordinal), prompt.Contains("Let me look.", StringComparison.Ordinal));
        Assert.DoesNotContain("null", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SameIds_InLaterTurns_AreMatchedWithinTheirTurn()
    {
        const string Call = """{"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"get_weather","arguments":""}}]}""";
        string prompt = await PromptAsync(
            """{"role":"user","content":"Now?"}""",
            Call,
            """{"role":"tool","tool_call_id":"call_0","content":"one"}""",
            """{"role":"user","content":"And now?"}""",
            Call,
            """{"role":"tool","tool_call_id":"call_0","content":[{"type":"text","text":"t"},{"type":"text","text":"wo"}]}""");

        Assert.True(prompt.IndexOf("one", StringComparison.Ordinal) < prompt.IndexOf("two", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("true", true)]
    public async Task Reasoning_IsLeftOutUnlessTheServerKeepsIt(string keep, bool shown)
    {
        string prompt = await PromptAsync(
            [("ToolN1:Chat:KeepReasoning", keep)],
            """{"role":"user","content":"Hi"}""",
            """{"role":"assistant","content":"Hello.","reasoning_content":"A greeting."}""",
            """{"role":"user","content":"Bye"}""");

        Assert.Equal(shown, prompt.Contains("<think>A greeting.</think>Hello.", StringComparison.Ordinal));
        Assert.Equal(shown, prompt.Contains("A greeting.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"role":"assistant","content":null,"refusal":"I will not."}""", "I will not.")]
    [InlineData("""{"role":"assistant","content":"Well.","refusal":"I will not."}""", "Well.\nI will not.")]
    [InlineData("""{"role":"assistant","content":[{"type":"refusal","refusal":"I will not."}]}""", "I will not.")]
    [InlineData("""{"role":"user","content":"Hi there","name":"Ann"}""", "Ann: Hi there")]
    [InlineData("""{"role":"developer","content":"Be brief.","name":"ops"}""", "ops: Be brief.")]
    [InlineData("""{"role":"assistant","content":"Hello","name":"Bot"}""", "Bot: Hello")]
    [InlineData("""{"role":"developer","content":[{"type":"text","text":"Be "},{"type":"text","text":"brief."}]}""", "Be brief.")]
    public async Task RefusalAndName_AreShownAsText(string message, string shown) =>
        Assert.Contains(shown, await PromptAsync(message, """{"role":"user","content":"Go on."}"""), StringComparison.Ordinal);

    [Fact]
    public async Task FunctionMessages_AreTheOlderFormOfCallsAndResults()
    {
        const string User = """{"role":"user","content":"Paris?"}""";
        string older = await PromptAsync(
            User,
            """{"role":"assistant","content":null,"function_call":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}}""",
            """{"role":"function","name":"get_weather","content":"21"}""");
        string newer = await PromptAsync(
            User,
            """{"role":"assistant","content":null,"tool_calls":[{"id":"x","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}}]}""",
            """{"role":"tool","tool_call_id":"x","content":"21"}""");

        Assert.Equal(newer, older);
    }

    [Fact]
    public async Task Tokenize_ConversationThatEndsInCalls_IsRendered()
    {
        using ApiServer server = new();
        string call = TwoCalls.Replace("CONTENT", "null", StringComparison.Ordinal);
        JsonNode answer = await server.PostJsonAsync(
            "/tokenize", Json.Object($$"""{"messages":[{"role":"user","content":"Hi"},{{call}}],"add_generation_prompt":false}"""));

        Assert.True(answer["count"]!.GetValue<int>() > 0);
    }

    private static Task<string> PromptAsync(params string[] messages) => PromptAsync([], messages);

    private static async Task<string> PromptAsync((string Key, string Value)[] settings, params string[] messages)
    {
        using ApiServer server = new(settings);
        JsonNode answer = await server.PostJsonAsync(
            Json.ChatRoute, Json.Object($$"""{"model":"{{FakeEngine.ModelName}}","messages":[{{string.Join(',', messages)}}],"tools":[{{Json.Weather}}]}"""));
        Assert.True(answer["error"] is null, answer.ToJsonString());
        return ApiServer.Tokenizer.Decode(server.Engine.Requests.Single().PromptTokenIds);
    }
}
