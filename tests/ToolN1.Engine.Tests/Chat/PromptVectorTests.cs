using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Chat;

public sealed class PromptVectorTests
{
    [Fact]
    public void Render_ToolN1Rows_AreByteEqual()
    {
        string? path = TestPaths.Shared("tool-n1", "prompt-vectors.jsonl.gz");
        Assert.SkipWhen(path is null, "shared/tool-n1 is not here");
        int count = 0;
        foreach (JsonElement row in VectorFile.Read(path))
        {
            Assert.Equal(row.GetProperty("text").GetString(), PromptRowRenderer.Render("tool-n1", row).Text);
            count++;
        }

        Assert.Equal(80, count);
    }

    [Fact]
    public void Render_ToolN1RowsAsFinishedMessages_AreByteEqual()
    {
        string? path = TestPaths.Shared("tool-n1", "prompt-vectors.jsonl.gz");
        Assert.SkipWhen(path is null, "shared/tool-n1 is not here");
        foreach (JsonElement row in VectorFile.Read(path))
        {
            Dictionary<string, JsonElement> fields = row.Deserialize<Dictionary<string, JsonElement>>()!;
            fields.Remove("conversations");
            JsonElement messagesOnly = JsonSerializer.SerializeToElement(fields);
            Assert.Equal(row.GetProperty("text").GetString(), PromptRowRenderer.Render("tool-n1", messagesOnly).Text);
        }
    }

    [Fact]
    public void Render_ToolN1ForAClient_PublishedHeadIsTheDefaultAndASystemMessageReplacesIt()
    {
        string? path = TestPaths.Shared("tool-n1", "prompt-vectors.jsonl.gz");
        Assert.SkipWhen(path is null, "shared/tool-n1 is not here");
        string head = File.ReadAllText(TestPaths.Shared("tool-n1", "system-head.txt")!);
        foreach (JsonElement row in VectorFile.Read(path).Where(row => row.GetProperty("conversations").GetArrayLength() == 1))
        {
            string raw = row.GetProperty("raw_system").GetString()!;
            List<ChatMessage> messages = [new() { Role = ChatRole.User, Content = row.GetProperty("conversations")[0].GetProperty("value").GetString() }];
            if (raw != head)
            {
                messages.Insert(0, new ChatMessage { Role = ChatRole.System, Content = raw.TrimEnd('\n') });
            }

            ChatTool[] tools = [.. row.GetProperty("tools").EnumerateArray().Select(PromptRowRenderer.ReadTool)];
            Assert.Equal(row.GetProperty("text").GetString(), new ToolN1Format(TurnMarkup.ChatMl).Render(messages, tools, true).Text);
        }
    }

    [Fact]
    public void Render_PublishedTextsAndAnExample_HaveTheSpecificationsLengthsAndHashes()
    {
        // 1. The texts, the second as the format string that the published code has.
        Assert.Equal((471, "e08cc1d670a2152fcdd88df996d9aff48b6b6925b4fdecec0df108b674e155b9"), Sum(ToolN1Texts.Head));
        string template = Braced(ToolN1Texts.BeforeTools) + "{tools}" + Braced(ToolN1Texts.AfterTools);
        Assert.Equal((994, "2eac6ffe89938ccd742bc93317d952b5ef71bd1d16ff37cb7a4580b9864023e7"), Sum(template));

        // 2. Two tools, the published head, one question.
        using JsonDocument row = JsonDocument.Parse("""
            {"tools": [
              {"name": "get_weather", "description": "Get weather for a city.", "parameters": {"city": {"description": "City name", "type": "str", "default": "Paris"}}},
              {"name": "add", "description": "Add café numbers", "parameters": {"a": {"type": "int"}, "b": {"type": "int"}}}],
             "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]}
            """);
        string prompt = PromptRowRenderer.Render("tool-n1", row.RootElement).Text;
        Assert.Equal((1892, "0d91fef659477ad7735520e7581db7ea86b1c7c1a689b7eb3794cc970a700c44"), Sum(prompt));
        string system = prompt["<|im_start|>system\n".Length..prompt.IndexOf("<|im_end|>", StringComparison.Ordinal)];
        Assert.Equal((1784, "cb25b56672d182cda1035306fd6ca62f35396d2c98883fdfc40a9b6dda869056"), Sum(system));
        Assert.Equal(338, system.Length - ToolN1Texts.Head.Length - ToolN1Texts.BeforeTools.Length - ToolN1Texts.AfterTools.Length);

        static string Braced(string text) => text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
        static (int Bytes, string Hash) Sum(string text) => (Encoding.UTF8.GetByteCount(text), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    [Fact]
    public void Render_HermesVectors_TextIsByteEqualAndIdsTooWhereNoContentHoldsControlText()
    {
        string? folder = TestPaths.Shared("qwen2.5");
        Assert.SkipWhen(folder is null, "shared/qwen2.5 is not here");
        Tokenizer tokenizer = Tokenizer.Load(folder);
        int same = 0, different = 0;
        foreach (JsonElement row in VectorFile.Read(Path.Combine(folder, "chat-template-vectors.jsonl.gz")))
        {
            ChatPrompt prompt = PromptRowRenderer.Render("hermes", row);
            Assert.Equal(row.GetProperty("text").GetString(), prompt.Text);
            int[] expected = row.GetProperty("ids").Deserialize<int[]>()!, ids = prompt.Encode(tokenizer);
            if (AddedTokenTexts.Any(token => Strings(row.GetProperty("messages")).Concat(Strings(row.GetProperty("tools"))).Any(text => text.Contains(token, StringComparison.Ordinal))))
            {
                different++;
                Assert.True(ids.Count(id => id >= 151643) < expected.Count(id => id >= 151643));
                Assert.Equal(tokenizer.Decode(expected), tokenizer.Decode(ids));
            }
            else
            {
                same++;
                Assert.Equal(expected, ids);
            }
        }

        Assert.Equal(94, same + different);
        Assert.True(different > 0);
    }

    private static readonly string[] AddedTokenTexts = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>"];

    private static IEnumerable<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Strings(property.Value).Append(property.Name)),
        _ => [],
    };
}
