using ToolN1.Engine.Chat;

namespace ToolN1.Engine.Tests.Chat;

public sealed class ChatOutputParserTests
{
    private static readonly ChatTool[] Tools = [new("f", "{}"), new("g", "{}")];

    [Theory]
    [InlineData("<think>why</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]</tool_call>", "why", null, "f {\"a\": 1}")]
    [InlineData("<think>why</think> \n<tool_call>\n [{\"name\":\"f\",\"arguments\":{}} , {\"name\":\"g\"}] \n</tool_call>", "why", null, "f {}|g {}")]
    [InlineData("<think></think><tool_call>[]</tool_call>", null, null, "")]
    [InlineData("<tool_call>[{\"arguments\": {\"a\": 1.50}, \"name\": \"f\"}]</tool_call>", null, null, "f {\"a\": 1.50}")]
    [InlineData("<tool_call>{\"name\": \"f\", \"arguments\": {\"z\":1e3,  \"a\": [1 ,2]}}</tool_call>", null, null, "f {\"z\":1e3,  \"a\": [1 ,2]}")]
    [InlineData("<tool_call>[{\"name\": \"f\", \"arguments\": \"text\"}]</tool_call>", null, null, "f \"text\"")]
    [InlineData("<tool_call>[{\"name\": \"f\", \"arguments\": null}]</tool_call>", null, null, "f {}")]
    [InlineData("<tool_call>[{\"name\": \"\\u0066\", \"arguments\": {\"a\": \"\\u00e9\"}}]</tool_call>", null, null, "f {\"a\": \"\\u00e9\"}")]
    [InlineData("<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"</tool_call>\\\"]\"}}]</tool_call>", null, null, "f {\"a\": \"</tool_call>\\\"]\"}")]
    [InlineData("Sure.\n<tool_call>[{\"name\": \"f\"}]</tool_call> ignored", null, "Sure.", "f {}")]
    [InlineData("<think>a <tool_call>[{\"name\": \"f\"}]</tool_call> <think> b</think>Hi", "a <tool_call>[{\"name\": \"f\"}]</tool_call> <think> b", "Hi", "")]
    [InlineData(" \n<think>a</think>\n\nHi there\n", "a", "Hi there\n", "")]
    [InlineData("  plain answer <b>", null, "  plain answer <b>", "")]
    [InlineData("no opening</think> tag", null, "no opening tag", "")]
    [InlineData("<think>never closed <tool_call>[]", "never closed <tool_call>[]", null, "")]
    [InlineData("a <think>b</think> c", null, "ab c", "")]
    [InlineData("x<thi</think>nk>y", null, "x<thinky", "")]
    [InlineData("<tool_call>not json</tool_call>after", null, "not json\nafter", "")]
    [InlineData("<tool_call>[{\"name\": \"f\"}, 5]</tool_call>", null, "[{\"name\": \"f\"}, 5]", "")]
    [InlineData("<tool_call>[{\"arguments\": {}}]</tool_call>", null, "[{\"arguments\": {}}]", "")]
    [InlineData("<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"5\" tall\"}}]</tool_call>x", null, "[{\"name\": \"f\", \"arguments\": {\"a\": \"5\" tall\"}}]\nx", "")]
    [InlineData("<tool_call>bad</tool_call><tool_call>[{\"name\": \"g\"}]</tool_call>", null, "bad", "g {}")]
    [InlineData("<tool_call>[{\"name\": \"f\"}]", null, null, "f {}")]
    [InlineData("<tool_call>[{\"name\": \"f\"}]</tool_", null, null, "f {}")]
    [InlineData("<tool_call>[{\"name\": \"f\"", null, "[{\"name\": \"f\"", "")]
    [InlineData("<tool_call>[{\"name\": \"\\ud800\"}]</tool_call>", null, "[{\"name\": \"\\ud800\"}]", "")]
    [InlineData("", null, null, "")]
    [InlineData("<", null, "<", "")]
    public void Parse_ToolN1_AnswerThatTheModelEnded(string text, string? reasoning, string? content, string calls)
    {
        ParsedText parsed = ParsedText.Of("tool-n1", text, Tools);
        Assert.Equal((reasoning, content, calls), (parsed.Reasoning, parsed.Content, parsed.CallsText));
    }

    [Theory]
    [InlineData("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>", null, "f {\"a\": 1}|g {}")]
    [InlineData("A\n<tool_call>\n{\"name\": \"f\"}\n</tool_call>\nB", "A\nB", "f {}")]
    [InlineData("<tool_call>[]</tool_call>\n", null, "")]
    [InlineData("<tool_call>{\"name\": \"f\"}</tool_call><tool_call>oops</tool_call>", "oops", "f {}")]
    public void Parse_Hermes_EveryBlockIsOneMoreCall(string text, string? content, string calls)
    {
        ParsedText parsed = ParsedText.Of("hermes", text, Tools);
        Assert.Equal((null, content, calls), (parsed.Reasoning, parsed.Content, parsed.CallsText));
    }

    [Theory]
    [InlineData("{\"tag\": \"<tool_call>\"}")]
    [InlineData("{\"tag\":\"</think> <think>\", \"b\": \"<tool_call>[{\\\"name\\\": \\\"f\\\"}]</tool_call>\"}")]
    [InlineData("[\"<thi</think>nk>\", \" </tool_call> \"]\n")]
    [InlineData("\"<tool_call>\"")]
    [InlineData("{\"cut\": \"<tool_c")]
    public void Parse_ContentHeldToJson_IsLeftAsItIsAtEveryChunking(string json)
    {
        foreach (string format in new[] { "tool-n1", "hermes" })
        {
            foreach (ChatTool[]? tools in new[] { Tools, null })
            {
                AssertContent(json, null, json);
                AssertContent("<think>a <tool_call> b</think>\n" + json, "a <tool_call> b", json);

                void AssertContent(string text, string? reasoning, string content)
                {
                    for (int size = 1; size <= text.Length; size++)
                    {
                        ParsedText parsed = ParsedText.Of(format, text.Chunk(size).Select(chunk => new string(chunk)), tools, truncated: false, contentIsJson: true);
                        Assert.Equal((reasoning, content, ""), (parsed.Reasoning, parsed.Content, parsed.CallsText));
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("tool-n1", "<think>a</think><tool_call>[{\"name\": \"f\"}]</tool_call>")]
    [InlineData("hermes", "<tool_call>\n{\"name\": \"f\"}\n</tool_call>")]
    public void Parse_CallInsteadOfJson_IsACall(string format, string text)
    {
        ParsedText parsed = ParsedText.Of(format, [text], Tools, truncated: false, contentIsJson: true);
        Assert.Equal((null, "f {}"), (parsed.Content, parsed.CallsText));
    }

    [Theory]
    [InlineData("tool-n1", "<think>x</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"a\"", "[{\"name\": \"f\", \"arguments\": {\"a\"")]
    [InlineData("tool-n1", "<tool_call>[{\"name\": \"f\"}, {\"na", "[{\"name\": \"f\"}, {\"na")]
    [InlineData("tool-n1", "<tool_call>[{\"name\": \"f\"}]</tool_ca", "[{\"name\": \"f\"}]</tool_ca")]
    [InlineData("hermes", "<tool_call>", "")]
    public void Complete_AtTheTokenLimit_AnOpenBlockIsNeitherCallNorContent(string format, string text, string unfinished)
    {
        ParsedText parsed = ParsedText.Of(format, text, Tools, truncated: true);
        Assert.Equal((null, "", unfinished), (parsed.Content, parsed.CallsText, parsed.Unfinished));
    }

    [Fact]
    public void Parse_UnknownTool_IsReportedAndFlagged()
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: true, Tools);
        ChatEvent.ToolCallBegin[] calls = [.. parser.Append("<tool_call>[{\"name\": \"h\"}, {\"name\": \"g\"}]</tool_call>").OfType<ChatEvent.ToolCallBegin>()];
        Assert.Equal([("h", false, 0), ("g", true, 1)], calls.Select(call => (call.Name, call.Known, call.Index)));
        Assert.NotEqual(calls[0].Id, calls[1].Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    public void Append_LongArguments_LeaveInPiecesOfWholeCharacters(string shift)
    {
        // With one of the two shifts the pair at the first cut would be halved.
        string arguments = $$"""{"a":  "{{shift}}{{string.Concat(Enumerable.Repeat("😀", 400))}}", "b": 1.50}""";
        ChatOutputParser parser = new(endsTurnAtFirstBlock: true, Tools);
        string text = $$$"""<tool_call>[{"name": "f", "arguments": {{{arguments}}}}, {"name": "g", "arguments": {"a": 1}}]</tool_call>""";
        Assert.Empty(parser.Append(text[..^1]));
        IReadOnlyList<ChatEvent> events = parser.Append(text[^1..]);

        string[] pieces = [.. events.OfType<ChatEvent.ToolCallArgumentsDelta>().Where(piece => piece.Index == 0).Select(piece => piece.Json)];
        Assert.Equal(arguments, string.Concat(pieces));
        Assert.Equal((arguments.Length + 254) / 255, pieces.Length);
        Assert.All(pieces, piece => Assert.InRange(piece.Length, 1, 256));
        Assert.All(pieces, piece => Assert.False(char.IsHighSurrogate(piece[^1])));
        Assert.Equal(["""{"a": 1}"""], events.OfType<ChatEvent.ToolCallArgumentsDelta>().Where(piece => piece.Index == 1).Select(piece => piece.Json));
        Assert.IsType<ChatEvent.ToolCallBegin>(events[0]);
        Assert.IsType<ChatEvent.ToolCallBegin>(events[pieces.Length + 1]);
    }

    [Fact]
    public void Complete_LongCallAtTheTokenLimit_IsNotReportedInPiecesEither()
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: true, Tools);
        string text = $$$"""<tool_call>[{"name": "f", "arguments": {"a": "{{{new string('b', 2000)}}}"}}]""";

        Assert.Empty(parser.Append(text));
        Assert.Empty(parser.Complete(truncated: true));
        Assert.Equal(text["<tool_call>".Length..], parser.UnfinishedBlock);
    }

    [Fact]
    public void TurnEnded_ToolN1_AtTheFirstCompleteBlockOnly()
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: true, Tools);
        parser.Append("<tool_call>bad</tool_call><tool_call>[{\"name\": \"f\"}]</tool_call");
        Assert.False(parser.TurnEnded);
        parser.Append(">");
        Assert.True(parser.TurnEnded);
    }

    [Theory]
    [InlineData("x", ThinkingOutcome.None)]
    [InlineData("<think>x", ThinkingOutcome.Unclosed)]
    [InlineData("<think>x</think>", ThinkingOutcome.Closed)]
    public void Thinking_TellsWhichBranchWasTaken(string text, ThinkingOutcome outcome)
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: true, Tools);
        parser.Append(text);
        parser.Complete(truncated: false);
        Assert.Equal(outcome, parser.Thinking);
    }

    [Fact]
    public void Append_PlainText_HoldsBackOnlyAPossibleTag()
    {
        ChatOutputParser parser = new(endsTurnAtFirstBlock: false, Tools);
        Assert.Equal([new ChatEvent.ContentDelta("a <b>")], [.. parser.Append("a <b> <too")]);
        Assert.Equal([new ChatEvent.ContentDelta(" <toot")], [.. parser.Append("t")]);
    }

    [Fact]
    public void Append_VeryDeeplyNestedArguments_AreContentNotACrash()
    {
        string text = "<tool_call>[{\"name\": \"f\", \"arguments\": " + new string('[', 100_000) + "</tool_call>";
        ParsedText parsed = ParsedText.Of("tool-n1", text, Tools);
        Assert.Equal("", parsed.CallsText);
        Assert.StartsWith("[{\"name\": \"f\"", parsed.Content, StringComparison.Ordinal);
    }
}
