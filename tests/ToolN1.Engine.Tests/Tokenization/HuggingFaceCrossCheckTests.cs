using System.Text.Json;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Tokenization;

/// <summary>Hugging Face's JavaScript tokenizer reads the tokenizer.json that we write and agrees with ours.</summary>
public sealed class HuggingFaceCrossCheckTests
{
    private static readonly string[] Texts =
    [
        "What is the weather in Paris?", "", " ", "  two  spaces\n\nand\tlines\r\n", "Grüß Gott, café, naïve, Ångström", "漢字かな 한국어", "😀👩‍👩‍👧‍👦", "1234567890 3.14 -7e10",
        "don't we'll I'M", "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"n\": [1, 2]}}", "<think>Use it.</think><tool_call>[]</tool_call><|im_end|>",
        "snake_case camelCase kebab-case path/to/file.txt user@example.com", "\u0000\u0001\u007f", new string('a', 300),
    ];

    [Fact]
    public async Task Encode_EmbeddedModelsTokenizer_GivesHuggingFacesIds()
    {
        Assert.SkipWhen(NodeScript.Missing is not null, NodeScript.Missing ?? "");
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "tokenizer.json")), "models/tool-n1-nano is not in this checkout.");
        Tokenizer tokenizer = Tokenizer.Load(TestPaths.NanoModel);
        JsonElement theirs = await NodeScript.RunAsync("tokenize.mjs", new { folder = TestPaths.NanoModel, texts = Texts }, TestContext.Current.CancellationToken);
        foreach ((string text, JsonElement ids) in Texts.Zip(theirs.EnumerateArray()))
        {
            Assert.Equal((text, string.Join(' ', ids.EnumerateArray())), (text, string.Join(' ', tokenizer.EncodeWithAddedTokens(text))));
        }
    }
}
