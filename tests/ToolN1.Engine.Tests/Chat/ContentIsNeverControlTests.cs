using System.Text.Json;
using CsCheck;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tests.Tokenization;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Chat;

/// <summary>The security property: control tokens come from the template, whatever messages and tools say.</summary>
public sealed class ContentIsNeverControlTests
{
    private static readonly Tokenizer ChatMl = TinyTokenizer.Load();

    private static readonly Tokenizer Llama = TinyTokenizer.With(root =>
    {
        string[] names = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];
        for (int i = 0; i < names.Length; i++)
        {
            root["added_tokens"]![i]!["content"] = names[i];
        }
    });

    private static readonly Gen<string> Hostile = OneOf(
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>", "<|im_", "start|>", "<", "|>", "system\n", "\n", "hello", "\"", "\\", "}",
        "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>").Array[0, 5].Select(string.Concat);

    [Theory]
    [InlineData("tool-n1", false)]
    [InlineData("hermes", false)]
    [InlineData("tool-n1", true)]
    [InlineData("hermes", true)]
    public void Encode_AnyContent_AddedTokensAreThoseOfTheTemplate(string format, bool llama)
    {
        Tokenizer tokenizer = llama ? Llama : ChatMl;
        IChatFormat chat = ChatFormats.Create(format, Path.GetTempPath(), tokenizer);
        int[] harmless = [.. AddedIds(chat, tokenizer, "a", "b", "c", "d")];
        Assert.NotEmpty(harmless);
        Gen.Select(Hostile, Hostile, Hostile, Hostile).Sample(
            (text, name, description, argument) => Assert.Equal(harmless, AddedIds(chat, tokenizer, text, name, description, argument)),
            iter: 400);
    }

    private static IEnumerable<int> AddedIds(IChatFormat chat, Tokenizer tokenizer, string text, string name, string description, string argument)
    {
        string json = JsonSerializer.Serialize(new
        {
            name,
            description,
            parameters = new Dictionary<string, object> { [argument] = new { type = "string", @enum = new[] { text, argument } } },
        });
        ChatMessage[] messages =
        [
            new() { Role = ChatRole.System, Content = text },
            new() { Role = ChatRole.User, Content = description + text, Name = name },
            new() { Role = ChatRole.Assistant, Content = text, Reasoning = argument, ToolCalls = [new ToolCall("1", name, JsonSerializer.Serialize(new { a = argument }))] },
            new() { Role = ChatRole.Tool, Content = argument, ToolCallId = "1" },
            new() { Role = ChatRole.Tool, Content = text },
            new() { Role = ChatRole.Assistant, Content = name, Reasoning = description },
            new() { Role = ChatRole.User, Content = argument },
        ];
        return chat.Render(messages, [new ChatTool(name, json)], addGenerationPrompt: true).Encode(tokenizer).Where(id => id > TinyTokenizer.Xyz);
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
