using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tests.Tokenization;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Chat;

public sealed class ChatFormatTests
{
    private static readonly ChatTool Add = new("add", """{"name":"add","description":"Add café numbers","parameters":{"a":{"type":"int","default":1.0},"b":{}}}""");

    [Theory]
    [InlineData("""{"b":1,"a":[1.0,1e3,1E-7,1.50,-0,-0.0,12345678901234567890,1e16,1e15,123456.789e3]}""", """{"b": 1, "a": [1.0, 1000.0, 1e-07, 1.5, 0, -0.0, 12345678901234567890, 1e+16, 1000000000000000.0, 123456789.0]}""")]
    [InlineData("""[ 0.0001, 0.00001, 5e-324, 1.7976931348623157e308, 9007199254740993.0, 0.1, 2.5e-5 ]""", """[0.0001, 1e-05, 5e-324, 1.7976931348623157e+308, 9007199254740992.0, 0.1, 2.5e-05]""")]
    [InlineData("""{"a":"\u00e9\/\t\"\\<😀","b":{},"c":[],"d":null,"e":true}""", """{"a": "\u00e9/\t\"\\<\ud83d\ude00", "b": {}, "c": [], "d": null, "e": true}""")]
    public void PythonJson_Dumps_IsWhatPythonPrints(string json, string expected) => Assert.Equal(expected, PythonJson.Dumps(json, ensureAscii: true));

    [Fact]
    public void PythonJson_Write_SpellsStringsAnewAndKeepsNumbers()
    {
        using JsonDocument document = JsonDocument.Parse("""{ "\u0061":"\u00e9\/","b":[1.50,1e3,-0] }""");
        Assert.Equal("""{"a": "é/", "b": [1.50, 1e3, -0]}""", PythonJson.Write(document.RootElement));
    }

    [Theory]
    [InlineData(1e16, "1e+16")]
    [InlineData(123456789012345680, "1.2345678901234568e+17")]
    [InlineData(9999999999999998, "9999999999999998.0")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(-0.00001, "-1e-05")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void PythonJson_Float_IsWhatPythonPrints(double value, string text) => Assert.Equal(text, PythonJson.Float(value));

    [Fact]
    public void PythonJson_WithoutAsciiAndVerbatim_KeepCharactersAndSpelling()
    {
        Assert.Equal("""{"a": "é😀"}""", PythonJson.Dumps("""{"a":"\u00e9😀"}""", ensureAscii: false));
        Assert.Equal("""{"a": "\u00e9\/", "b": [1.50, 1e3]}""", PythonJson.Respace("""{ "a":"\u00e9\/","b":[1.50,1e3] }"""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"a\" 1}")]
    [InlineData("[1,]")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData("\"\n\"")]
    [InlineData("\"\\x\"")]
    [InlineData("nul")]
    [InlineData("{} {}")]
    [InlineData("NaN")]
    public void PythonJson_NotJson_IsRefused(string json) => Assert.Throws<FormatException>(() => PythonJson.Dumps(json, ensureAscii: true));

    [Fact]
    public void PythonJson_TooDeep_IsRefused() => Assert.Throws<FormatException>(() => PythonJson.Respace(new string('[', 10_000)));

    [Fact]
    public void Render_ToolN1_PastCallsAreWrittenAsTheModelWritesThem()
    {
        ChatMessage[] messages =
        [
            new() { Role = ChatRole.User, Content = "Add" },
            new() { Role = ChatRole.Assistant, ToolCalls = [new ToolCall("1", "add", """{"a":1.50,"b":"\u00e9"}"""), new ToolCall("2", "add", "")] },
            new() { Role = ChatRole.Tool, Content = "3", ToolCallId = "1" },
            new() { Role = ChatRole.Tool, Content = "4", ToolCallId = "2" },
        ];
        string text = new ToolN1Format(TurnMarkup.ChatMl).Render(messages, [Add], addGenerationPrompt: true).Text;
        Assert.EndsWith(
            "<|im_start|>user\nAdd<|im_end|>\n<|im_start|>assistant\n" +
            """<tool_call>[{"name": "add", "arguments": {"a": 1.50, "b": "\u00e9"}}, {"name": "add", "arguments": {}}]</tool_call>""" +
            "<|im_end|>\n<|im_start|>user\n<tool_response>\n3\n</tool_response>\n<tool_response>\n4\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
            text,
            StringComparison.Ordinal);
        Assert.Contains("""
            <tools>
            {"type": "function", "function": {"name": "add", "description": "Add caf\u00e9 numbers", "parameters": {"a": {"type": "int", "default": 1.0}, "b": {}}}}
            </tools>
            """, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_Llama3Turns_SpeakToolN1()
    {
        ChatMessage[] messages =
        [
            new() { Role = ChatRole.User, Content = " Add " },
            new() { Role = ChatRole.Assistant, ToolCalls = [new ToolCall("1", "add", "{}")] },
            new() { Role = ChatRole.Tool, Content = "3" },
        ];
        string text = new ToolN1Format(TurnMarkup.Llama3).Render(messages, [Add], addGenerationPrompt: true).Text;
        Assert.StartsWith("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are an expert", text, StringComparison.Ordinal);
        Assert.EndsWith(
            "is correct.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAdd<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n" +
            "<tool_call>[{\"name\": \"add\", \"arguments\": {}}]</tool_call><|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n3<|eot_id|>" +
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            text,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tool-n1")]
    [InlineData("hermes")]
    public void Render_NoTools_IsAPlainChat(string format)
    {
        IChatFormat chat = ChatFormats.Create(format, Path.GetTempPath(), TinyTokenizer.Load());
        Assert.Equal(
            "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            chat.Render([new ChatMessage { Role = ChatRole.User, Content = "Hi" }], [], addGenerationPrompt: true).Text);
        Assert.Equal(
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
            chat.Render([new ChatMessage { Role = ChatRole.System, Content = "S" }, new ChatMessage { Role = ChatRole.User, Content = "Hi" }], [], addGenerationPrompt: false).Text);
    }

    [Theory]
    [InlineData("tool-n1")]
    [InlineData("hermes")]
    public void Render_AnotherQuestion_LeavesThePromptsBeginningAsItIs(string format)
    {
        IChatFormat chat = ChatFormats.Create(format, Path.GetTempPath(), TinyTokenizer.Load());
        string first = chat.Render([new ChatMessage { Role = ChatRole.User, Content = "one" }], [Add], addGenerationPrompt: true).Text;
        string second = chat.Render([new ChatMessage { Role = ChatRole.User, Content = "two" }], [Add], addGenerationPrompt: true).Text;
        int catalogue = first.LastIndexOf("one", StringComparison.Ordinal);
        Assert.Equal(first[..catalogue], second[..catalogue]);
    }

    [Fact]
    public void Render_BadInput_NamesThePlace()
    {
        ToolN1Format chat = new(TurnMarkup.ChatMl);
        ChatMessage user = new() { Role = ChatRole.User, Content = "x" };
        ChatMessage call = new() { Role = ChatRole.Assistant, ToolCalls = [new ToolCall("1", "f", "{'a': 1}")] };
        Assert.Contains("messages[1].tool_calls[0]", Assert.Throws<ArgumentException>(() => chat.Render([user, call], [], true)).Message, StringComparison.Ordinal);
        Assert.Contains("tools[0]", Assert.Throws<ArgumentException>(() => chat.Render([user], [new ChatTool("f", "{")], true)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => chat.Render([], [], true));
    }

    [Theory]
    [InlineData("plain", "{}", "hermes")]
    [InlineData("my-Tool-N1-7B", "{}", "tool-n1")]
    [InlineData("plain", """{"_name_or_path": "nvidia/Nemotron-Research-Tool-N1-7B"}""", "tool-n1")]
    [InlineData("my-tool-n1", """{"tooln1": {"chat_format": "hermes"}}""", "hermes")]
    [InlineData("plain", """{"tooln1": {"chat_format": "tool-n1"}}""", "tool-n1")]
    public void Create_Auto_PicksByTheCheckpoint(string folder, string config, string expected)
    {
        string path = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string model = Directory.CreateDirectory(Path.Combine(path, folder)).FullName;
            File.WriteAllText(Path.Combine(model, "config.json"), config);
            Assert.Equal(expected, ChatFormats.Create("auto", model, TinyTokenizer.Load()).Name);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void Create_WhatCannotBeServed_IsRefused()
    {
        Tokenizer none = TinyTokenizer.With(root => root["added_tokens"]!.AsArray().Clear());
        Assert.Throws<NotSupportedException>(() => ChatFormats.Create("hermes", Path.GetTempPath(), none));
        Assert.Throws<ArgumentException>(() => ChatFormats.Create("mistral", Path.GetTempPath(), TinyTokenizer.Load()));
    }
}
