using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;

namespace ToolN1.Training.Tests.Data.Paper;

public sealed class PaperConverterTests
{
    private const string Tools = """[{"name": "Tide Table", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}}}}, {"name": "moon", "parameters": {}}]""";

    private static string Sea(string conversations) => $$"""
        {"system": {{JsonSerializer.Serialize("You compose. Here is a list of functions in JSON format that you can invoke:\n" + Tools + ". \nShould you decide to return the function call(s). Put it in the format of [f(a=b)]")}},
         "conversations": {{conversations}}}
        """;

    private static List<PaperExample> Convert(IPaperConverter converter, string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return converter.Convert(document.RootElement.Clone()).ToList();
    }

    private const string TwoCallTurns = """
        [{"from": "user", "value": "Tides?"}, {"from": "assistant", "value": "[Tide Table(port=\"Brest (west)\", from=2)]"},
         {"from": "tool", "value": "{}"}, {"from": "assistant", "value": "High at noon."}, {"from": "user", "value": "Moon?"},
         {"from": "assistant", "value": "[moon(), Tide Table(port='Brest', levels=[1, -2.5], flags={'a': True})]"}]
        """;

    [Fact]
    public void ToolAce_EveryTurnOfCalls_IsOneExample()
    {
        List<PaperExample> examples = Convert(new ToolAceConverter(), Sea(TwoCallTurns));

        Assert.Equal(2, examples.Count);
        TrainingRow first = examples[0].Row!;
        Assert.Equal("""[{"name": "Tide Table", "arguments": {"port": "Brest (west)", "from": 2}}]""", first.AnswerJson);
        Assert.True(examples[0].PublishedReadsOtherwise);
        Assert.Equal("toolace-single", first.Category);
        Assert.EndsWith("that you can invoke:", first.System, StringComparison.Ordinal);
        Assert.Equal(["Tide Table", "moon"], first.Tools.Select(tool => tool.Name));
        TrainingRow second = examples[1].Row!;
        Assert.False(examples[1].PublishedReadsOtherwise);
        Assert.Equal("toolace-multi", second.Category);
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant, ChatRole.User], second.Messages.Select(message => message.Role));
        Assert.Equal("Tide Table", Assert.Single(second.Messages[1].ToolCalls).Name);
        Assert.Equal("""[{"name": "moon", "arguments": {}}, {"name": "Tide Table", "arguments": {"port": "Brest", "levels": [1, -2.5], "flags": {"a": true}}}]""", second.AnswerJson);
    }

    [Fact]
    public void ToolAce_Parity_ReadsCallsAndWritesContextLikeThePublishedScript()
    {
        List<PaperExample> examples = Convert(new ToolAceConverter(parity: true), Sea(TwoCallTurns));

        // The call ends at the first bracket; what is then no literal loses its quote and stays.
        Assert.Equal("""[{"name": "Tide Table", "arguments": {"port": "Brest (west"}}]""", examples[0].Row!.AnswerJson);
        Assert.EndsWith("that you can invoke:\n", examples[0].Row!.System, StringComparison.Ordinal);
        Assert.Equal(
            """
            "[{\"name\": \"Tide Table\", \"arguments\": {\"port\": \"Brest (west\"}}]"
            """, examples[1].Row!.Messages[1].Content);
    }

    [Theory]
    [InlineData("""[f(a="(x) y")]""", """f {"a": "(x"}""")]
    [InlineData("""[f(a=2024-01-02, b=Oslo, c='it', d=(1, 2))]""", """f {"a": "2024-01-02", "b": "Oslo", "c": "it", "d": "(1, 2"}""")]
    [InlineData("""[api/v1/get(x=-1.50, y=[1, "a, b"], z={"k": None, 2: True})]""", """get {"x": -1.5, "y": [1, "a, b"], "z": {"k": null, "2": true}}""")]
    [InlineData("""[f(1, a=true), g()]""", """f {"a": "true"}; g {}""")]
    [InlineData("""[f(a=[x, 1])]""", """f {"a": "[x, 1]"}""")]
    [InlineData("""[f(a="1)]""", """f {"a": "1"}""")]
    [InlineData("""[See (a)] and (b)]""", "See {}; and {}")]
    [InlineData("""I call [f()]""", null)]
    [InlineData("""[f{}]""", null)]
    [InlineData("""[]""", null)]
    public void PublishedCalls_Quirks_AreReproduced(string turn, string? calls) =>
        Assert.Equal(calls, PublishedCalls.Read(turn) is List<TrainingCall> read ? string.Join("; ", read.Select(call => $"{call.Name} {call.ArgumentsJson}")) : null);

    [Theory]
    [InlineData("""[f(a="(x) y")]""", """f {"a": "(x) y"}""")]
    [InlineData("""[f(a=2024-01-02, b=New York, c='it''s', d=(1, 2))]""", """f {"a": "2024-01-02", "b": "New York", "c": "its", "d": [1, 2]}""")]
    [InlineData("""[api/v1/get(x=-1.50, y=[1, "a, b"], z={"k": null, 2: true})]""", """api/v1/get {"x": -1.5, "y": [1, "a, b"], "z": {"k": null, "2": true}}""")]
    [InlineData("""[ f ( class=1 ) , g() ]""", """f {"class": 1}; g {}""")]
    [InlineData("""[f(a=min(1, 2))]""", """f {"a": "min(1, 2)"}""")]
    [InlineData("""[f(1)]""", null)]
    [InlineData("""[f(a=)]""", null)]
    [InlineData("""[f(a="x)]""", null)]
    [InlineData("""[f(a=1, a=2)]""", null)]
    [InlineData("""[f(a=[x])]""", null)]
    public void ParsedCalls_AreReadByARealParser(string turn, string? calls) =>
        Assert.Equal(calls, ToolAceConverter.ParsedCalls(turn) is List<TrainingCall> read ? string.Join("; ", read.Select(call => $"{call.Name} {call.ArgumentsJson}")) : null);

    [Fact]
    public void ParsedCalls_BracketsWithoutEnd_AreRefusedWithoutExhaustingTheStack() =>
        Assert.Null(ToolAceConverter.ParsedCalls("[f(a=" + new string('[', 1_000_000) + ")]"));

    [Theory]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "[Sun(x=1)]"}]""", "a called tool is not offered")]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "[moon(x=)]"}]""", "calls that cannot be parsed")]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "Hello."}]""", "no turn of calls")]
    [InlineData("""[{"from": "assistant", "value": "[moon()]"}]""", "no turn before the calls")]
    [InlineData("""[{"from": "ghost", "value": "?"}]""", "a turn has no known speaker or no text")]
    public void ToolAce_UnusableTurns_AreDroppedWithTheReason(string conversations, string reason) =>
        Assert.Equal(reason, Assert.Single(Convert(new ToolAceConverter(), Sea(conversations))).DropReason);

    [Theory]
    [InlineData("""{"query": "Add.", "tools": "[", "answers": "[]"}""", "fields are missing or not of their kind")]
    [InlineData("""{"query": "Add.", "tools": [{}], "answers": []}""", "a tool has no name")]
    [InlineData("""{"query": "Add.", "tools": [], "answers": [{"name": "f"}]}""", "an answer is no call")]
    [InlineData("""{"query": "Add.", "tools": [{"name": "g"}], "answers": [{"name": "f", "arguments": {}}]}""", "a called tool is not offered")]
    public void Xlam_UnusableItems_AreDroppedWithTheReason(string item, string reason) =>
        Assert.Equal(reason, Assert.Single(Convert(new XlamConverter(), item)).DropReason);

    [Fact]
    public void Xlam_Parity_KeepsACallOfAToolThatIsNotOffered() =>
        Assert.NotNull(Assert.Single(Convert(new XlamConverter(parity: true), """{"query": "Add.", "tools": [{"name": "g"}], "answers": [{"name": "f", "arguments": {}}]}""")).Row);

    [Fact]
    public void ToolAce_Parity_RendersThePublishedPromptByteForByte()
    {
        // Its own text to the marker, then the section, so that the sentence before the list stands twice; the past call JSON-encoded twice.
        const string Tools = """[{"name": "Tide Table", "description": "Für einen Hafen", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}}}}, {"name": "moon", "parameters": {}}]""";
        string system = "You compose. Here is a list of functions in JSON format that you can invoke:\n" + Tools + ". \nShould you decide to return the function call(s). Put it in the format of [f(a=b)]";
        string item = $$"""
            {"system": {{JsonSerializer.Serialize(system)}}, "conversations": [
             {"from": "user", "value": "Tides?"}, {"from": "assistant", "value": "[Tide Table(port='Brest', from=2)]"}, {"from": "tool", "value": "{\"high\": \"12:00 –\"}"},
             {"from": "assistant", "value": "High at noon."}, {"from": "user", "value": "Moon?"}, {"from": "assistant", "value": "[moon()]"}]}
            """;
        TrainingRow row = Convert(new ToolAceConverter(parity: true), item)[1].Row!;
        using JsonDocument json = JsonDocument.Parse(TrainingRowWriter.ToJson(row));

        string prompt = PromptRowRenderer.Render("tool-n1", json.RootElement).Text;

        Assert.StartsWith(
            "<|im_start|>system\nYou compose. Here is a list of functions in JSON format that you can invoke:\n# Tool\n\nHere is a list of functions in JSON format that you can invoke:\n\n<tools>\n"
            + """{"type": "function", "function": {"name": "Tide Table", "description": "F\u00fcr einen Hafen", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}}}}}""" + "\n",
            prompt,
            StringComparison.Ordinal);
        Assert.EndsWith(
            """
            <|im_start|>user
            Tides?<|im_end|>
            <|im_start|>assistant
            "[{\"name\": \"Tide Table\", \"arguments\": {\"port\": \"Brest\", \"from\": 2}}]"<|im_end|>
            <|im_start|>user
            <tool_response>
            {"high": "12:00 –"}
            </tool_response><|im_end|>
            <|im_start|>assistant
            High at noon.<|im_end|>
            <|im_start|>user
            Moon?<|im_end|>
            <|im_start|>assistant

            """,
            prompt,
            StringComparison.Ordinal);

        // Length and hash of the whole are of a text that was put together apart from this code, by the rules of the published script.
        Assert.Equal(1_653, Encoding.UTF8.GetByteCount(prompt));
        Assert.Equal("c8b124e421282b7347d1165d450a5a0f1bf3cc34b96226c42ec61096b931c9f8", System.Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt))));
    }

    [Fact]
    public void Xlam_Parity_RendersThePublishedPromptByteForByte()
    {
        const string Item = """
            {"query": "What is the weather in Oslo?", "answers": "[]", "tools": "[{\"name\": \"get_weather\", \"description\": \"Get weather for a city.\", \"parameters\": {\"city\": {\"description\": \"City name\", \"type\": \"str\", \"default\": \"Paris\"}}}, {\"name\": \"add\", \"description\": \"Add café numbers\", \"parameters\": {\"a\": {\"type\": \"int\"}, \"b\": {\"type\": \"int\"}}}]"}
            """;
        TrainingRow row = Assert.Single(Convert(new XlamConverter(parity: true), Item)).Row!;
        using JsonDocument json = JsonDocument.Parse(TrainingRowWriter.ToJson(row));

        string prompt = PromptRowRenderer.Render("tool-n1", json.RootElement).Text;

        Assert.Equal(1_892, Encoding.UTF8.GetByteCount(prompt));
        Assert.Equal("0d91fef659477ad7735520e7581db7ea86b1c7c1a689b7eb3794cc970a700c44", System.Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt))));
    }
}
