using System.Text.Json;
using CsCheck;
using ToolN1.Engine.Chat;

namespace ToolN1.Engine.Tests.Chat;

public sealed class ChatOutputParserPropertyTests
{
    private static readonly ChatTool[] Tools = [new("f", "{}")];
    private static readonly string[] Tags = ["<think>", "</think>", "<tool_call>", "</tool_call>"];

    // Whole tags, halves of tags, JSON and its ruins, in any order.
    private static readonly Gen<string> Texts = OneOf(
        "<think>", "</think>", "<tool_call>", "</tool_call>", "<thi", "nk>", "</tool", "_call>", "<", ">", "</", " ", "\n", "é😀", "prose ",
        "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u00", "e9", "-1.5e3", "0", "true", "nul", "[]", "\"a\": 1",
        "{\"name\": \"f\", \"arguments\": {\"a\": [1.50, \"</tool_call>\"]}}", "{\"name\": \"g\"}", "{\"arguments\": {}}",
        "<tool_call>[{\"name\": \"f\"}]</tool_call>", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": \"y\"}}\n</tool_call>").Array[0, 14].Select(string.Concat);

    [Theory]
    [InlineData("tool-n1")]
    [InlineData("hermes")]
    public void Parse_AnyChunkingOfAnyText_EqualsTheWhole(string format) =>
        Gen.Select(Texts, Gen.Int[0, 5].Array[1, 40], Gen.Bool).Sample(
            (text, sizes, truncated) =>
            {
                ParsedText whole = ParsedText.Of(format, text, Tools, truncated);
                Assert.Equal(whole, ParsedText.Of(format, Chunks(text, sizes), Tools, truncated));
                Assert.Equal(whole, ParsedText.Of(format, text.Select(character => character.ToString()), Tools, truncated));
            },
            iter: 4000);

    [Theory]
    [InlineData("tool-n1")]
    [InlineData("hermes")]
    public void Parse_AnyText_NoTagInContentAndEveryCallIsJson(string format) =>
        Gen.Select(Texts, Gen.Bool).Sample(
            (text, truncated) =>
            {
                ParsedText parsed = ParsedText.Of(format, text, Tools, truncated);
                Assert.All(Tags, tag => Assert.DoesNotContain(tag, parsed.Content ?? "", StringComparison.Ordinal));
                foreach (string call in parsed.CallsText.Split('|', StringSplitOptions.RemoveEmptyEntries))
                {
                    using JsonDocument arguments = JsonDocument.Parse(call[(call.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
                }
            },
            iter: 4000);

    [Theory]
    [InlineData("tool-n1", "<think>why {</think> <tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"}]</tool_call>\", \"b\": [1, {}]}}, {\"name\": \"g\", \"arguments\": {}}]</tool_call>")]
    [InlineData("hermes", "Hi. <tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"x\\\"\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\"}\n</tool_call>")]
    public void Parse_CutAnywhere_NoCallIsHalfAndTheCallsAreABeginningOfTheWhole(string format, string text)
    {
        string whole = ParsedText.Of(format, text, Tools).CallsText;
        for (int length = 0; length <= text.Length; length++)
        {
            ParsedText cut = ParsedText.Of(format, text[..length], Tools, truncated: true);
            Assert.True(cut.CallsText.Length == 0 || cut.CallsText == whole || whole.StartsWith(cut.CallsText + "|", StringComparison.Ordinal));
            Assert.DoesNotContain("name", cut.Content ?? "", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void JsonScanner_AnyText_AgreesWithTheReader() =>
        OneOf("[", "]", "{", "}", ",", ":", "\"", "\"a\"", "\\", "n", "\\u12aF", "-", "0", "12", ".", "e", "+", "true", "false", "null", " ", "\n", "é")
            .Array[1, 12].Select(string.Concat).Sample(
            text =>
            {
                JsonScanner scanner = new();
                bool accepted = text.All(scanner.Feed) && scanner.IsComplete;
                bool expected;
                try
                {
                    using JsonDocument document = JsonDocument.Parse(text);
                    expected = document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
                }
                catch (JsonException)
                {
                    expected = false;
                }

                Assert.Equal(expected, accepted);
            },
            iter: 20_000);

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static IEnumerable<string> Chunks(string text, int[] sizes)
    {
        int at = 0;
        for (int i = 0; at < text.Length; i++)
        {
            int size = i < sizes.Length ? Math.Min(sizes[i], text.Length - at) : text.Length - at;
            yield return text.Substring(at, size);
            at += size;
        }
    }
}
